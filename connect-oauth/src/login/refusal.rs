//! Why a callback is not the end of a login of ours.

use std::fmt;

use connect_core::{Error, ErrorKind};

/// Why a login was refused: `error.details::<LoginRefusal>()`. Nothing was exchanged.
///
/// For a host's page, which says "please begin again" to most of them, and for its log, where a row of
/// [`StateUnknown`](Self::StateUnknown) means that somebody tries.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoginRefusal {
    /// The callback is no URL or query with a state in it, or has one twice.
    Malformed,
    /// No login of ours has this state, or it has expired.
    StateUnknown,
    /// The login with this state has been finished already.
    StateUsed,
    /// The browser came back to another address than it was told to.
    ForeignRedirect,
    /// Another browser session began the login.
    ForeignSession,
    /// Another provider sent the browser back (RFC 9207).
    ForeignIssuer,
    /// The place to return to is not on the allow-list.
    ForeignReturn,
    /// The provider brought neither a code nor an error.
    CodeMissing,
}

impl LoginRefusal {
    /// One sentence for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Malformed => "the address the browser came back to is not the end of a login",
            Self::StateUnknown => {
                "no login with this state is waiting: it has expired, or it never began here; begin again"
            }
            Self::StateUsed => "this login has been finished already; begin again if that was not you",
            Self::ForeignRedirect => "the browser came back to another address than the login's redirect URI",
            Self::ForeignSession => "another browser session began this login; begin again in this one",
            Self::ForeignIssuer => "another provider than the login's sent the browser back; begin again",
            Self::ForeignReturn => {
                "the address to return to is not allowed: use a path, or add it with `allow_return_to`"
            }
            Self::CodeMissing => {
                "the provider sent the browser back without a code and without a reason; begin again"
            }
        }
    }
}

impl fmt::Display for LoginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explanation())
    }
}

impl From<LoginRefusal> for Error {
    fn from(refusal: LoginRefusal) -> Self {
        let kind = match refusal {
            LoginRefusal::Malformed | LoginRefusal::ForeignReturn => ErrorKind::Invalid,
            _ => ErrorKind::Auth,
        };
        Error::new(kind, refusal.explanation()).with_details(refusal)
    }
}
