//! Why an id token is refused.

use std::fmt;

use connect_core::{Error, ErrorKind};

/// Why an id token is refused: the first check, in this order, that it did not pass.
///
/// Reached through [`Error::details`]. It says nothing of what stood in the token, so it may be logged and shown.
///
/// ```
/// use connect_oauth::identity::IdTokenProblem;
/// fn is_late(error: &connect_core::Error) -> bool {
///     error.details() == Some(&IdTokenProblem::Expired)
/// }
/// # let _ = is_late;
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdTokenProblem {
    /// Longer than any id token is.
    TooLong,
    /// Not three parts of base64 with JSON objects in the first two.
    Malformed,
    /// Signed with something that is not allowed here, or not at all.
    Algorithm,
    /// It demands an extension that nobody here knows (`crit`).
    Critical,
    /// It says that it is another kind of token: an access or a logout token.
    OtherKind,
    /// None of the provider's keys has the name it gives.
    UnknownKey,
    /// The key of that name is for another algorithm.
    KeyMismatch,
    /// The signature is not the key's.
    Signature,
    /// A claim is missing that every id token has, or of the wrong type.
    Claims,
    /// Another issuer.
    Issuer,
    /// For another app.
    Audience,
    /// For several apps, and requested by another one.
    AuthorizedParty,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Issued in the future.
    IssuedInFuture,
    /// Issued longer ago than was asked for.
    TooOld,
    /// Not made for this login.
    Nonce,
}

impl IdTokenProblem {
    /// What is wrong, and what to do.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::TooLong => "the id token is longer than any is: log in again",
            Self::Malformed => "this is no id token: pass the `id_token` of the token endpoint's answer",
            Self::Algorithm => {
                "the id token's signature algorithm is not allowed: allow it with with_algorithms if the provider \
                 documents it"
            }
            Self::Critical => {
                "the id token demands an extension that is not known here: ask the provider for plain ones"
            }
            Self::OtherKind => {
                "this is another kind of token: pass the `id_token` of the token endpoint's answer"
            }
            Self::UnknownKey => {
                "the provider has no key of the name that the id token gives; if its keys have just changed, log in \
                 again in a minute"
            }
            Self::KeyMismatch => "the key that the id token names is for something else: log in again",
            Self::Signature => {
                "the id token's signature is wrong: log in again, and find out where this one came from"
            }
            Self::Claims => {
                "the id token lacks a claim that every id token has: log in again with the scope openid"
            }
            Self::Issuer => {
                "the id token is another issuer's: compare the issuer with the provider's discovery document"
            }
            Self::Audience => "the id token is for another app: compare the client id with the app's page",
            Self::AuthorizedParty => "the id token was requested by another app: log in again",
            Self::Expired => "the id token has expired: log in again, and check this machine's clock",
            Self::NotYetValid => "the id token is not valid yet: check this machine's clock",
            Self::IssuedInFuture => "the id token was issued in the future: check this machine's clock",
            Self::TooOld => "the id token is older than was asked for: log in again",
            Self::Nonce => "the id token was not made for this login: log in again",
        }
    }
}

impl fmt::Display for IdTokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explanation())
    }
}

impl From<IdTokenProblem> for Error {
    fn from(problem: IdTokenProblem) -> Self {
        Self::new(ErrorKind::Auth, problem.explanation()).with_details(problem)
    }
}
