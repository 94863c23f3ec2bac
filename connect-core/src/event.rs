//! What happens during an operation, told as it happens: one vocabulary for observers, metrics and `explain()`.
//!
//! Layers note events through the request's [`Context`](crate::Context); nobody listening costs one branch. Events carry
//! names and numbers only, never a URL, a tenant, a header or a body, so that they may go into any log or metric.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::api::Verdict;
use crate::error::{ErrorKind, Sent};

/// Something that happened during one operation.
///
/// An [`Observer`](crate::observe::Observer) hears it at once; a report of
/// `Call::explain` keeps it with its time.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An attempt began.
    AttemptStarted {
        /// From 1.
        number: u32,
    },
    /// An attempt ended.
    AttemptEnded {
        /// From 1.
        number: u32,
        /// How.
        ending: Ending,
        /// Waiting for a turn, the token, sending and the answer's body.
        took: Duration,
    },
    /// A wait began.
    Waiting {
        /// What for.
        cause: Cause,
        /// How long it will take, as far as is known.
        planned: Option<Duration>,
    },
    /// A wait ended.
    Waited {
        /// What for.
        cause: Cause,
        /// How long it took.
        took: Duration,
    },
    /// An answer said how much of a quota is left.
    QuotaSeen {
        /// The bucket.
        bucket: Cow<'static, str>,
        /// The whole allowance, if it was said.
        limit: Option<u64>,
        /// What is left.
        remaining: u64,
        /// When it is whole again, if it was said.
        resets_in: Option<Duration>,
    },
    /// A quota was closed until later: the provider refused, or asked everybody to wait.
    QuotaPaused {
        /// The bucket; `account` for all of them.
        bucket: Cow<'static, str>,
        /// For how long.
        wait: Duration,
    },
    /// A token was fetched, or could not be.
    TokenFetched {
        /// Why it failed; `None` if it did not.
        failure: Option<ErrorKind>,
        /// How long it took.
        took: Duration,
    },
    /// The provider refused the token in use: it is dropped, and the request is sent once more with a new one.
    TokenRefused,
    /// The breaker changed its state.
    Breaker {
        /// The new state: `closed`, `open`, `half_open`.
        state: &'static str,
    },
    /// The cache had its say.
    Cache(CacheEvent),
    /// A redirect was followed.
    Redirected {
        /// The redirecting status.
        status: StatusCode,
        /// Did it stay on the client's own origins, so that the credential went along?
        own_origin: bool,
    },
    /// An answer lacks a field that the provider's description promises.
    Drift {
        /// The field, as `Type.field`.
        path: String,
    },
    /// An answer said that the operation is going away.
    Deprecated {
        /// Since when nobody should use it, if it was said.
        since: Option<SystemTime>,
        /// When it will stop to work, if it was said.
        sunset: Option<SystemTime>,
    },
    /// A fallback took the place of the answer.
    FellBack {
        /// `stale` or `default`.
        to: &'static str,
    },
    /// The operation is over.
    Ended {
        /// Why it failed; `None` if it did not.
        failure: Option<ErrorKind>,
        /// The last status.
        status: Option<StatusCode>,
        /// How many attempts there were.
        attempts: u32,
        /// May the provider have acted on it?
        sent: Sent,
        /// Everything, waits included.
        took: Duration,
    },
}

/// How an attempt ended.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Answered {
        /// Its status.
        status: StatusCode,
        /// Its meaning, with the server's hint.
        verdict: Option<Verdict>,
    },
    /// Without one.
    Failed {
        /// Why.
        kind: ErrorKind,
        /// May the provider have acted on it?
        sent: Sent,
    },
}

/// What an operation waits for.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Before another attempt.
    Backoff,
    /// Before another attempt, because the server asked for it.
    RetryAfter,
    /// For room in a quota.
    Quota {
        /// The bucket.
        bucket: Cow<'static, str>,
    },
    /// For one of the account's other requests to end.
    Concurrency,
    /// For the end of a pause of the whole account.
    Pause,
    /// For a token.
    Token,
}

impl Cause {
    /// The cause as a label: `backoff`, `retry_after`, `quota`, `concurrency`, `pause`, `token`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::RetryAfter => "retry_after",
            Self::Quota { .. } => "quota",
            Self::Concurrency => "concurrency",
            Self::Pause => "pause",
            Self::Token => "token",
        }
    }
}

/// What the cache did.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheEvent {
    /// It had nothing.
    Missed,
    /// The provider says that what it has is still good.
    Revalidated,
    /// It keeps the answer.
    Stored,
    /// It gave an old answer, because there is no new one.
    Stale,
}

impl CacheEvent {
    /// The event as a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Revalidated => "revalidated",
            Self::Stored => "stored",
            Self::Stale => "stale",
        }
    }
}
