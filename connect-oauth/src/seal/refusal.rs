//! Why a sealed value does not open.

use std::fmt;

use connect_core::{Error, ErrorKind};

/// Why a value did not open; [`Error::details`] of the [`Config`](ErrorKind::Config) error that [`Seal::open`] returns.
///
/// It repeats nothing of the value but the id of its key. Implementors of [`Seal`] may return it, too.
///
/// ```
/// use connect_core::Error;
/// use connect_oauth::seal::Refusal;
/// let error = Error::from(Refusal::UnknownKey { id: "2026-01".into() });
/// assert!(error.to_string().contains("`2026-01`"));
/// assert_eq!(error.details(), Some(&Refusal::UnknownKey { id: "2026-01".into() }));
/// ```
///
/// [`Seal`]: super::Seal
/// [`Seal::open`]: super::Seal::open
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too short, never sealed, or sealed by a version of this library that is not known here.
    NotSealed,
    /// Sealed under a key that is not there.
    UnknownKey {
        /// The key's id.
        id: String,
    },
    /// The key with this id does not open it: other bytes under the same id, another place, or a changed value.
    Failed {
        /// The key's id.
        id: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str(
                "a stored value is not sealed: it was cut, was written by something else, or needs a newer version \
                 of this library; restore it from a backup, or connect the account again",
            ),
            Self::UnknownKey { id } => write!(
                f,
                "a stored value was sealed with key `{id}`, which is not in CONNECT_SEAL_KEYS: put that key behind the \
                 current one"
            ),
            Self::Failed { id } => write!(
                f,
                "a stored value does not open with key `{id}`: the key under this id is another one than it was \
                 sealed with, or the row was copied from elsewhere or changed; give the key back its old bytes, or \
                 connect the account again"
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(ErrorKind::Config, refusal.to_string()).with_details(refusal)
    }
}
