//! What a simulated provider is like, as data: limits, latency, clock, faults, outages, strangers.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

mod limit;
mod trouble;

pub(super) use limit::is_write;
pub use limit::{Counting, Hint, Limit, Shape};
pub use trouble::{Faults, Outage, OutageKind, Stranger};

/// Everything about a [`SimulatedProvider`](super::SimulatedProvider). The default has no limits and no faults, and
/// answers `{}` after 40 to 340 ms.
///
/// ```
/// use std::time::Duration;
/// use connect_core::simulation::{Counting, Faults, Limit, ProviderPlan};
/// const HOUR: Duration = Duration::from_secs(3600);
/// let like_github = ProviderPlan::new(7)
///     .with_limit(Limit::fixed("core", 5_000, HOUR))
///     .with_limit(Limit::sliding("content", 80, Duration::from_secs(60)).counting(Counting::Writes).refused_with(403))
///     .with_limit(Limit::concurrent("concurrent", 100))
///     .with_skew_secs(300)
///     .with_faults(Faults::none().with_lost_reply(0.01));
/// assert_eq!(like_github.limits.len(), 3);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct ProviderPlan {
    /// All that is random follows from it.
    pub seed: u64,
    /// All of them must have room, or the request is refused and draws on none.
    pub limits: Vec<Limit>,
    /// How long requests and answers take.
    pub latency: Latency,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// When everything goes wrong.
    pub outages: Vec<Outage>,
    /// Who else uses the same allowance.
    pub strangers: Vec<Stranger>,
    /// Rate-limit headers show the state of up to this long ago. Default zero.
    pub header_lag: Duration,
    /// The Unix time in seconds at which the simulation begins. Default 2026-01-01T00:00:00Z.
    pub starts_at_epoch_secs: u64,
    /// How far the provider's clock, and so its `Date` and its epochs, is ahead (or behind, if negative).
    pub skew_secs: i64,
    /// The body of a success. Default `{}`.
    pub body: Bytes,
    /// Keep a line per request, for [`exchanges`](super::SimulatedProvider::exchanges)? Default no.
    pub keeps_log: bool,
}

impl ProviderPlan {
    /// A provider without limits and faults.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            limits: Vec::new(),
            latency: Latency::default(),
            faults: Faults::none(),
            outages: Vec::new(),
            strangers: Vec::new(),
            header_lag: Duration::ZERO,
            starts_at_epoch_secs: 1_767_225_600,
            skew_secs: 0,
            body: Bytes::from_static(b"{}"),
            keeps_log: false,
        }
    }

    /// Adds a limit.
    #[must_use]
    pub fn with_limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    /// Sets how long requests and answers take.
    #[must_use]
    pub fn with_latency(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    /// Sets what goes wrong, and how often.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Adds a time in which everything fails.
    #[must_use]
    pub fn with_outage(mut self, outage: Outage) -> Self {
        self.outages.push(outage);
        self
    }

    /// Adds somebody who uses the same allowance.
    #[must_use]
    pub fn with_stranger(mut self, stranger: Stranger) -> Self {
        self.strangers.push(stranger);
        self
    }

    /// Lets rate-limit headers show the state of up to this long ago, as replicated counters do.
    #[must_use]
    pub fn with_header_lag(mut self, longest: Duration) -> Self {
        self.header_lag = longest;
        self
    }

    /// Puts the provider's clock ahead by this many seconds, or behind.
    #[must_use]
    pub fn with_skew_secs(mut self, skew: i64) -> Self {
        self.skew_secs = skew;
        self
    }

    /// Sets the Unix time at which the simulation begins.
    #[must_use]
    pub fn starting_at(mut self, epoch_secs: u64) -> Self {
        self.starts_at_epoch_secs = epoch_secs;
        self
    }

    /// Sets the body of a success.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Keeps a line per request.
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.keeps_log = true;
        self
    }
}

/// How long requests and answers take. Each part is drawn for itself, so that answers overtake each other.
///
/// ```
/// use std::time::Duration;
/// use connect_core::simulation::Latency;
/// let quick = Latency::none().with_answer(Duration::from_millis(1)..Duration::from_millis(5));
/// assert_eq!(quick.request, Duration::ZERO..Duration::ZERO);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The way there. Default 20 to 120 ms.
    pub request: Range<Duration>,
    /// The provider's work. Default 0 to 100 ms.
    pub work: Range<Duration>,
    /// The way back. Default 20 to 120 ms.
    pub answer: Range<Duration>,
}

impl Default for Latency {
    fn default() -> Self {
        const fn millis(from: u64, to: u64) -> Range<Duration> {
            Duration::from_millis(from)..Duration::from_millis(to)
        }
        Self { request: millis(20, 120), work: millis(0, 100), answer: millis(20, 120) }
    }
}

impl Latency {
    /// Everything at once.
    pub fn none() -> Self {
        let none = Duration::ZERO..Duration::ZERO;
        Self { request: none.clone(), work: none.clone(), answer: none }
    }

    /// Sets the way there.
    #[must_use]
    pub fn with_request(mut self, range: Range<Duration>) -> Self {
        self.request = range;
        self
    }

    /// Sets the provider's work.
    #[must_use]
    pub fn with_work(mut self, range: Range<Duration>) -> Self {
        self.work = range;
        self
    }

    /// Sets the way back.
    #[must_use]
    pub fn with_answer(mut self, range: Range<Duration>) -> Self {
        self.answer = range;
        self
    }
}
