//! OAuth 2 for programs that keep other people's accounts connected: providers as data, tokens that refresh once, sealed
//! at rest, and who the user is.
//!
//! | to | use |
//! |---|---|
//! | name a provider | [`Preset`]: sixteen built in, your own in Rust or TOML |
//! | send somebody to log in, and take the answer | [`OAuth::logins`]; [`LoopbackListener`] for a program in a terminal |
//! | log in without a browser | [`OAuth::device_login`] |
//! | act as the app itself | [`OAuth::client_credentials_cache`], [`OAuth::jwt_bearer_cache`] |
//! | keep accounts connected | [`Connections`]: one refresh, whoever asks, in however many processes |
//! | store tokens | [`seal`]; a [`TokenStore`](connect_core::auth::store::TokenStore): `connect-store-sqlite`, or in memory |
//! | know who it is | [`OAuth::identity`], [`identity`] |
//!
//! A connection's tokens are the credentials of any client of this family:
//!
//! ```no_run
//! use std::sync::Arc;
//! use connect_core::auth::store::MemoryTokenStore;
//! use connect_core::Credentials;
//! use connect_oauth::seal::KeyRing;
//! use connect_oauth::{Callback, Connections, Login, OAuth, Preset};
//!
//! # async fn host() -> Result<(), connect_core::Error> {
//! let atlassian = OAuth::builder(Preset::find("atlassian").unwrap())
//!     .vars("ATLASSIAN", |name| std::env::var(name).ok())? // client id, client secret, redirect URI
//!     .build()?;
//! let store = Arc::new(MemoryTokenStore::default()); // or connect_store_sqlite::SqliteStore
//! let connections =
//!     Connections::builder(store, Arc::new(KeyRing::from_env()?)).app(atlassian.clone()).open().await?;
//!
//! // A person connects the account, once:
//! let logins = atlassian.logins();
//! let begun = logins.begin(Login::new("acme", "jira").scopes(["read:jira-work"]).session("cookie")).await?;
//! println!("send the browser to {}", begun.url);
//! let back = "https://app.example/callback?code=...&state=..."; // what the browser comes back with
//! let finished = logins.finish(Callback::url(back).session("cookie")).await?;
//! connections.connect_login(&finished).await?;
//!
//! // From then on, in this process and in others:
//! let credentials = Credentials::tokens(connections.tokens(&finished.id)?);
//! # drop(credentials); Ok(()) }
//! ```
//!
//! # What is promised
//! - A refresh token is used once: one exchange at a time for a connection, across processes; what it brings is stored
//!   before anybody uses it; nothing is deleted. [`Connections`] says how.
//! - An exchange that uses something up is never repeated blindly. Failures that pass leave the grant alone; one that is
//!   over [says so](NeedsReauth) at once, to everybody, and is not tried again.
//! - No token, code, verifier, state or secret in a log, an error or `Debug`. Tokens at rest are sealed, and bound to
//!   tenant and connection.
//! - Every refusal is typed, however the provider says it: [`Problem`], [`LoginRefusal`], and
//!   `identity::IdTokenProblem`.
//!
//! # What is not there
//! Client assertions (`private_key_jwt`), DPoP and mutual TLS, pushed authorization requests, token exchange, and
//! encrypted id tokens. A provider that demands one of them is refused by a clear error.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `rustls` | yes | TLS by rustls with ring, and the default transport |
//! | `rustls-aws-lc`, `native-tls` | no | the other two |
//! | `seal` | no | [`seal`]'s `KeyRing`: XChaCha20-Poly1305 under a list of keys |
//! | `identity` | no | `identity`: id tokens verified, profiles asked |
//! | `jwt` | no | keys that sign assertions: [`jwt`] |
//! | `loopback` | no | `LoopbackListener` |
//! | `toml` | no | `Preset::from_toml` |

mod api;
mod builder;
mod client;
mod connections;
mod device;
mod discovery;
mod entropy;
mod http;
#[cfg(feature = "identity")]
pub mod identity;
pub mod jwt;
mod login;
#[cfg(feature = "loopback")]
mod loopback;
mod pkce;
pub mod preset;
mod problem;
pub mod seal;
mod tokens;

pub use builder::OAuthBuilder;
pub use client::OAuth;
pub use connections::{
    ConnectionId, ConnectionStatus, Connections, ConnectionsBuilder, IdleRefresh, NeedsReauth, Rewrapped,
};
pub use device::DeviceLogin;
pub use login::{BegunLogin, Callback, FinishedLogin, Login, LoginRefusal, Logins};
#[cfg(feature = "loopback")]
pub use loopback::LoopbackListener;
pub use preset::Preset;
pub use problem::{ErrorCode, Problem};
pub use tokens::Tokens;
