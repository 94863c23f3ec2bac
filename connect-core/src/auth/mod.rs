//! Who the client is: attached to each attempt, and only to requests for the client's own origins.
//!
//! [`Credentials`] are a fixed header, a token that is renewed, or a signature of each request:
//! - a fixed header is made once when the client is built, is marked sensitive, and never enters the request's shared
//!   head. A refused one is reported as [`ErrorKind::Auth`](crate::ErrorKind::Auth), never sent again;
//! - tokens come out of a [`TokenCache`]: fetched once however many callers wait, renewed before they expire, dropped
//!   when the provider refuses them, and the request is then sent once more. Where fresh tokens are refused for some
//!   seconds ([`TokenOptions::settling`]), such a one is sent again and not dropped;
//! - an [`Authorize`] signs the finished request, by the provider's own clock ([`Skew`](crate::clock::Skew)).
//!
//! What several processes must share, such as refresh tokens that can be used only once, goes through a
//! [`TokenStore`](store::TokenStore).

mod account;
mod authorize;
mod cache;
mod credentials;
mod flight;
mod layer;
mod renewal;
pub mod store;
mod token;

pub use account::Account;
pub use authorize::{Authorize, Signing, Unsigned};
pub use cache::{CachedToken, GetToken, TokenCache, TokenOptions};
pub use credentials::Credentials;
pub use layer::{Auth, AuthFuture, AuthLayer};
pub use token::{Token, TokenFuture, TokenProvider, TokenReason, TokenRequest};
