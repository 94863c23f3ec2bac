//! Who the user is: by a verified id token, or by the provider's profile call.
//!
//! An [`IdTokenVerifier`] checks an id token of one provider for one app (OpenID Connect Core 3.1.3.7) and gives an
//! [`IdToken`], whose claims can be trusted as far as the provider can. Where a provider has no id tokens, its profile
//! says who the access token belongs to. Either becomes a [`connect_core::Identity`].
//!
//! [`OAuth::identity`](crate::OAuth::identity) does either.
//!
//! Not for access tokens: those are for the provider to read, even where they look alike.

mod id_token;
mod issuer;
mod keys;
mod of_app;
mod problem;
mod profile;
mod verifier;

pub use self::id_token::IdToken;
pub use self::keys::Keys;
pub use self::problem::IdTokenProblem;
pub use self::verifier::IdTokenVerifier;
