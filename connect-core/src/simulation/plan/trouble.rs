//! What disturbs a simulated provider: faults, outages, and others with the same account.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

/// What goes wrong: each a probability from 0 to 1, per request.
///
/// ```
/// use connect_core::simulation::Faults;
/// let lossy = Faults::none().with_lost_reply(0.01);
/// assert_eq!(lossy.server_error, 0.0);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// No connection: nothing is sent.
    pub refused_connection: f64,
    /// The request is counted and applied, then the connection breaks.
    pub lost_reply: f64,
    /// 500, 502 or 503.
    pub server_error: f64,
    /// How many of those were applied all the same.
    pub applied_error: f64,
    /// The body of a success breaks off in the middle.
    pub truncated_body: f64,
    /// The request is counted and applied, and no answer ever comes.
    pub silence: f64,
}

impl Faults {
    /// Nothing goes wrong; of server errors, should there be any, half are applied.
    pub fn none() -> Self {
        Self {
            refused_connection: 0.0,
            lost_reply: 0.0,
            server_error: 0.0,
            applied_error: 0.5,
            truncated_body: 0.0,
            silence: 0.0,
        }
    }

    /// Sets how often there is no connection.
    #[must_use]
    pub fn with_refused_connection(mut self, probability: f64) -> Self {
        self.refused_connection = probability;
        self
    }

    /// Sets how often the connection breaks before the answer arrives.
    #[must_use]
    pub fn with_lost_reply(mut self, probability: f64) -> Self {
        self.lost_reply = probability;
        self
    }

    /// Sets how often the provider fails.
    #[must_use]
    pub fn with_server_error(mut self, probability: f64) -> Self {
        self.server_error = probability;
        self
    }

    /// Sets how many of the provider's failures were applied all the same.
    #[must_use]
    pub fn with_applied_error(mut self, probability: f64) -> Self {
        self.applied_error = probability;
        self
    }

    /// Sets how often the body of a success breaks off.
    #[must_use]
    pub fn with_truncated_body(mut self, probability: f64) -> Self {
        self.truncated_body = probability;
        self
    }

    /// Sets how often no answer ever comes.
    #[must_use]
    pub fn with_silence(mut self, probability: f64) -> Self {
        self.silence = probability;
        self
    }
}

/// A time in which everything fails, counted from the beginning of the simulation.
///
/// Nothing that arrives in it is counted or applied.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From when to when.
    pub span: Range<Duration>,
    /// How it looks from outside.
    pub kind: OutageKind,
}

impl Outage {
    /// An outage from `span.start` to `span.end`.
    pub fn new(span: Range<Duration>, kind: OutageKind) -> Self {
        Self { span, kind }
    }
}

/// How an [`Outage`] looks from outside.
///
/// The three differ in what a client may conclude about a write.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// No connection.
    Refused,
    /// Connections break after the request was sent.
    Broken,
    /// A gateway answers this status.
    Status(u16),
}

/// Somebody else with the same account: uses part of a limit's allowance at random times.
///
/// ```
/// use connect_core::simulation::Stranger;
/// let half = Stranger::new("core", 0.5).in_bursts_of(20);
/// assert_eq!(half.burst, 20);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Stranger {
    /// The limit it draws on.
    pub limit: Cow<'static, str>,
    /// Which part of each window's allowance it asks for, on average.
    pub share: f64,
    /// The most requests it makes at once. Default 1.
    pub burst: u32,
}

impl Stranger {
    /// Asks for this share of the limit's allowance.
    pub fn new(limit: impl Into<Cow<'static, str>>, share: f64) -> Self {
        Self { limit: limit.into(), share, burst: 1 }
    }

    /// Lets it come in bursts of 1 to this many.
    #[must_use]
    pub fn in_bursts_of(mut self, most: u32) -> Self {
        self.burst = most.max(1);
        self
    }
}
