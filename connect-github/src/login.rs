//! People who log in: through a GitHub App or an OAuth app, in a browser or with a code. Behind the feature `login`.
//!
//! [`oauth`] is connect-oauth's client for the GitHub at a host; what it does is at [`OAuth`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use connect_core::auth::store::MemoryTokenStore;
//! use connect_github::login::{self, Callback, Connections, Login};
//! use connect_github::GitHub;
//!
//! # async fn host(seal: Arc<dyn login::Seal>) -> Result<(), connect_github::Error> {
//! let oauth = login::oauth("github.com")?
//!     .client_id("Iv1.example")
//!     .client_secret("from the App's settings page")
//!     .redirect_uri("https://app.example/callback")
//!     .build()?;
//! // In earnest: connect-store-sqlite's store, and connect-oauth's `seal::KeyRing`.
//! let store = Arc::new(MemoryTokenStore::default());
//! let connections = Connections::builder(store, seal).app(oauth.clone()).open().await?;
//!
//! // A person logs in, once: PKCE, and a state that is bound to the browser's session.
//! let logins = oauth.logins();
//! let begun = logins.begin(Login::new("acme", "github").session("cookie")).await?;
//! println!("send the browser to {}", begun.url);
//! let back = "https://app.example/callback?code=...&state=..."; // what the browser comes back with
//! let finished = logins.finish(Callback::url(back).session("cookie")).await?;
//! connections.connect_login(&finished).await?;
//!
//! // From then on: tokens are refreshed once, whoever asks, and stored before they are used.
//! let github = GitHub::builder().tokens(connections.tokens(&finished.id)?).build()?;
//! # drop(github); Ok(()) }
//! ```
//!
//! A program in a terminal shows a code instead (it has no secret; the flow must be switched on in the App's settings):
//!
//! ```no_run
//! # async fn terminal() -> Result<(), connect_github::Error> {
//! let oauth = connect_github::login::oauth("github.com")?.client_id("Iv1.example").build()?;
//! let login = oauth.device_login(&["repo"]).await?;
//! println!("enter {} at {}", login.user_code, login.verification_uri);
//! let tokens = login.wait().await?; // `AccessDenied` or `ExpiredToken` in the details of the error
//! let github = connect_github::GitHub::builder().token(tokens.access.clone()).build()?;
//! # drop(github); Ok(()) }
//! ```
//!
//! The user tokens of a GitHub App live eight hours and come with a refresh token, which can be used once and ends the old
//! access token with it: give those to [`Connections`]. Those of an OAuth app do not expire.
//!
//! GitHub refuses with HTTP 200. Here that is an error with [`Problem`] in its details, whose
//! [`code`](Problem::code) says what it means.

use connect_core::Error;

pub use connect_oauth::seal::Seal;
pub use connect_oauth::{
    Callback, ConnectionId, Connections, DeviceLogin, ErrorCode, FinishedLogin, Login, LoginRefusal, Logins,
    NeedsReauth, OAuth, OAuthBuilder, Preset, Problem, Tokens,
};

use crate::host;

/// Starts an app at the GitHub on this host, named as in [`GitHubBuilder::host`](crate::GitHubBuilder::host):
/// `github.com`, `octo.ghe.com`, `git.example.com`.
///
/// ```
/// let oauth = connect_github::login::oauth("octo.ghe.com")?.client_id("Iv1.example").build()?;
/// assert_eq!(oauth.preset().authorize_url()?.as_str(), "https://octo.ghe.com/login/oauth/authorize");
/// # Ok::<(), connect_github::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no host name.
pub fn oauth(host: &str) -> Result<OAuthBuilder, Error> {
    preset(host).map(OAuth::builder)
}

/// The addresses and habits of the GitHub on this host. All have the id `github`: a program that keeps connections to
/// several gives each of them another [`id`](Preset::id).
///
/// # Errors
/// As [`oauth`].
pub fn preset(host: &str) -> Result<Preset, Error> {
    let (web, api) = (host::web_host(host)?, host::api_url(host)?);
    let preset = Preset::find("github").ok_or_else(|| {
        Error::new(crate::ErrorKind::Config, "connect-oauth has no row for GitHub: use a version that fits")
    })?;
    Ok(preset.with("host", web).with("api", api))
}
