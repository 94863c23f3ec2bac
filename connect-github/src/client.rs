//! The client: a newtype round core's, with GitHub's credentials, headers and variables.

use std::fmt;
use std::ops::Deref;

use connect_core::vars::environment;
use connect_core::{
    Client, ClientBuilder, Config, Credentials, Error, HeaderName, HeaderValue, Secret, TokenCache,
    Transport, Vars,
};

use crate::provider::GitHubApi;

/// The API version that every supported server knows; newer ones drop fields.
/// Source: <https://docs.github.com/rest/about-the-rest-api/api-versions>.
const API_VERSION: &str = "2022-11-28";

/// Sends endpoints to GitHub. Cheap to clone; clones share connections and state.
///
/// ```
/// use connect_github::GitHub;
/// let github = GitHub::builder().token("ghp_example").build()?;
/// assert!(!format!("{github:?}").contains("ghp_"));
/// # Ok::<(), connect_github::Error>(())
/// ```
#[derive(Clone)]
pub struct GitHub(Client<GitHubApi>);

impl GitHub {
    /// Starts building a client for github.com, anonymous until it gets a token.
    pub fn builder() -> GitHubBuilder {
        GitHubBuilder::default()
    }

    /// A client from the process environment; see [`GitHub::from_vars`].
    ///
    /// # Errors
    /// As [`GitHub::from_vars`].
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(environment)
    }

    /// A client from variables: `GITHUB_TOKEN` (without it the client is anonymous: 60 calls an hour) and
    /// `GITHUB_API_URL` (default `https://api.github.com`; GitHub Enterprise Server: `https://HOST/api/v3`).
    /// Limits and habits come from `CONNECT_DEADLINE` and its like: [the table](connect_core::config).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming what is malformed.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        let mut builder = Self::builder();
        if let Some(token) = vars.secret("GITHUB_TOKEN")? {
            builder = builder.token(token);
        }
        if let Some(origins) = vars.origins("GITHUB_API_URL")? {
            builder.0 = builder.0.origins(origins);
        }
        builder.config(Config::from_vars("CONNECT", vars)?).build()
    }
}

impl From<Client<GitHubApi>> for GitHub {
    fn from(client: Client<GitHubApi>) -> Self {
        Self(client)
    }
}

impl Deref for GitHub {
    type Target = Client<GitHubApi>;

    fn deref(&self) -> &Client<GitHubApi> {
        &self.0
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Collects the settings of a [`GitHub`] client; every mistake in them is an error of [`GitHubBuilder::build`].
///
/// [`GitHub::builder`] has the example.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct GitHubBuilder(ClientBuilder<GitHubApi>);

impl Default for GitHubBuilder {
    fn default() -> Self {
        Self(
            Client::builder()
                .default_user_agent(concat!("connect-github/", env!("CARGO_PKG_VERSION")))
                .header(
                    connect_core::http_header::ACCEPT,
                    HeaderValue::from_static("application/vnd.github+json"),
                )
                .header(
                    HeaderName::from_static("x-github-api-version"),
                    HeaderValue::from_static(API_VERSION),
                ),
        )
    }
}

impl GitHubBuilder {
    /// A personal access token, an Actions token, or any other bearer token. Its length and prefix are not judged:
    /// GitHub changes both.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.0 = self.0.credentials(Credentials::Bearer(token.into()));
        self
    }

    /// Tokens that are renewed: those of a connection of `connect-oauth`, or any
    /// [`TokenProvider`](connect_core::auth::TokenProvider)'s. Clients built with clones of one cache share its token.
    pub fn tokens(mut self, cache: TokenCache) -> Self {
        self.0 = self.0.credentials(Credentials::Tokens(cache));
        self
    }

    /// Another server: `https://HOST/api/v3` for GitHub Enterprise Server. Plain `http` is for loopback only.
    pub fn base_url(mut self, url: &str) -> Self {
        self.0 = self.0.base_url(url);
        self
    }

    /// Limits and habits.
    pub fn config(mut self, config: Config) -> Self {
        self.0 = self.0.config(config);
        self
    }

    /// Sends by this transport instead of reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.0 = self.0.transport(transport);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), saying which setting cannot work.
    pub fn build(self) -> Result<GitHub, Error> {
        self.0.build()
    }
}
