//! Why a provider's keys are not there: the host's fetch failed, or was not made.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::slot::{PAUSE_AFTER_FAILURE, PAUSE_AFTER_UNKNOWN_KEY};

/// What went wrong when [`FetchKeys`](super::FetchKeys) fetched. The text goes to the log only.
///
/// ```
/// use connect_webhook::keys::FetchError;
/// assert_eq!(FetchError::new("answered 503").to_string(), "answered 503");
/// ```
#[derive(Debug)]
pub struct FetchError(Box<dyn Error + Send + Sync>);

impl FetchError {
    /// Wraps it.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Whether a delivery is genuine cannot be told now: the provider's keys are not at hand. Answer 503, so that the
/// provider sends it again.
///
/// The addresses in these texts are the provider's own; others are refused before.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum KeysError {
    /// The keys could not be fetched, now or a few seconds ago.
    Fetch {
        /// Where they stand.
        url: String,
        /// What the host's [`FetchKeys`](super::FetchKeys) said.
        source: Arc<FetchError>,
    },
    /// What was fetched holds no key that could be used, or is larger than 256 KiB.
    Unreadable {
        /// Where it stands.
        url: String,
    },
    /// Deliveries name more certificates that nobody has seen before than are fetched in a minute: probably junk.
    Busy,
}

impl KeysError {
    /// A short stable word for logs and counters, such as `key_fetch_failed`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fetch { .. } => "key_fetch_failed",
            Self::Unreadable { .. } => "key_unreadable",
            Self::Busy => "key_fetches_exhausted",
        }
    }

    /// When trying again can help; for `Retry-After`.
    pub fn retry_after(&self) -> Duration {
        let seconds = match self {
            Self::Fetch { .. } | Self::Unreadable { .. } => PAUSE_AFTER_FAILURE,
            Self::Busy => PAUSE_AFTER_UNKNOWN_KEY,
        };
        Duration::from_secs(seconds)
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch { url, source } => {
                write!(f, "the provider's keys at {url} could not be fetched: {source}; check that they can be reached")
            }
            Self::Unreadable { url } => write!(
                f,
                "what stands at {url} holds no usable RSA key; check that nothing in between answers instead"
            ),
            Self::Busy => f.write_str(
                "too many certificates that were not seen before; look for a flood of junk, or share one `Keys`",
            ),
        }
    }
}

impl Error for KeysError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Fetch { source, .. } => Some(&**source),
            Self::Unreadable { .. } | Self::Busy => None,
        }
    }
}
