//! The client: a newtype round core's, with Jira's credentials and variables.

use std::fmt;
use std::ops::Deref;

use connect_core::vars::environment;
use connect_core::{Client, ClientBuilder, Config, Credentials, Error, Secret, TokenCache, Transport, Vars};

use crate::provider::JiraApi;

/// Sends endpoints to Jira. Cheap to clone; clones share connections and state.
///
/// ```
/// use connect_jira::Jira;
/// let jira = Jira::builder()
///     .base_url("https://your-site.atlassian.net")
///     .api_token("you@example.com", "example-token")
///     .build()?;
/// assert!(!format!("{jira:?}").contains("example-token"));
/// # Ok::<(), connect_jira::Error>(())
/// ```
#[derive(Clone)]
pub struct Jira(Client<JiraApi>);

impl Jira {
    /// Starts building a client; it needs a base URL and credentials.
    pub fn builder() -> JiraBuilder {
        JiraBuilder::default()
    }

    /// A client from the process environment; see [`Jira::from_vars`].
    ///
    /// # Errors
    /// As [`Jira::from_vars`].
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(environment)
    }

    /// A client from variables: `JIRA_BASE_URL` (`https://your-site.atlassian.net`; for scoped tokens
    /// `https://api.atlassian.com/ex/jira/CLOUD-ID`), `JIRA_EMAIL` and `JIRA_API_TOKEN`, all required.
    /// Limits and habits come from `CONNECT_DEADLINE` and its like: [the table](connect_core::config).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming what is missing or malformed.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        let origins =
            vars.required_origins("JIRA_BASE_URL", "the site's address, https://your-site.atlassian.net")?;
        let email =
            vars.required("JIRA_EMAIL", "the e-mail address of the account that owns the API token")?;
        let token = vars.required_secret("JIRA_API_TOKEN", "an API token of that account")?;
        let mut builder = Self::builder().api_token(email, token);
        builder.0 = builder.0.origins(origins);
        builder.config(Config::from_vars("CONNECT", vars)?).build()
    }
}

impl From<Client<JiraApi>> for Jira {
    fn from(client: Client<JiraApi>) -> Self {
        Self(client)
    }
}

impl Deref for Jira {
    type Target = Client<JiraApi>;

    fn deref(&self) -> &Client<JiraApi> {
        &self.0
    }
}

impl fmt::Debug for Jira {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Collects the settings of a [`Jira`] client; every mistake in them is an error of [`JiraBuilder::build`].
///
/// [`Jira::builder`] has the example.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct JiraBuilder(ClientBuilder<JiraApi>);

impl Default for JiraBuilder {
    fn default() -> Self {
        Self(
            Client::builder()
                .default_user_agent(concat!("connect-jira/", env!("CARGO_PKG_VERSION")))
                .base_url_required()
                .credentials_required(),
        )
    }
}

impl JiraBuilder {
    /// An account's e-mail address and one of its API tokens. Tokens are not judged by their length: it varies.
    pub fn api_token(mut self, email: impl Into<String>, token: impl Into<Secret>) -> Self {
        self.0 = self.0.credentials(Credentials::basic(email, token));
        self
    }

    /// A personal access token (Jira Data Center) or an OAuth access token.
    pub fn bearer_token(mut self, token: impl Into<Secret>) -> Self {
        self.0 = self.0.credentials(Credentials::Bearer(token.into()));
        self
    }

    /// Tokens that are renewed: those of a connection of `connect-oauth`, or any
    /// [`TokenProvider`](connect_core::auth::TokenProvider)'s. Clients built with clones of one cache share its token. Atlassian's
    /// are for its gateway: `base_url("https://api.atlassian.com/ex/jira/CLOUD_ID")`.
    pub fn tokens(mut self, cache: TokenCache) -> Self {
        self.0 = self.0.credentials(Credentials::Tokens(cache));
        self
    }

    /// The site's address; a path in it is kept (the gateway of scoped tokens, a context path). Plain `http` is for
    /// loopback only. Every customer has an address of its own, so there is no default.
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
    pub fn build(self) -> Result<Jira, Error> {
        self.0.build()
    }
}
