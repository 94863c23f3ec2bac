//! The client: a newtype round core's, with Slack's token and variables.

use std::fmt;
use std::ops::Deref;

use connect_core::vars::environment;
use connect_core::{Client, ClientBuilder, Config, Credentials, Error, Secret, TokenCache, Transport, Vars};

use crate::provider::SlackApi;

/// Sends endpoints to Slack. Cheap to clone; clones share connections and state.
///
/// ```
/// use connect_slack::Slack;
/// let slack = Slack::builder().token("xoxb-example").build()?;
/// assert!(!format!("{slack:?}").contains("xoxb-"));
/// # Ok::<(), connect_slack::Error>(())
/// ```
#[derive(Clone)]
pub struct Slack(Client<SlackApi>);

impl Slack {
    /// Starts building a client for one workspace's token.
    pub fn builder() -> SlackBuilder {
        SlackBuilder::default()
    }

    /// A client from the process environment; see [`Slack::from_vars`].
    ///
    /// # Errors
    /// As [`Slack::from_vars`].
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(environment)
    }

    /// A client from variables: `SLACK_BOT_TOKEN` (required) and `SLACK_API_URL` (default `https://slack.com/api/`).
    /// Limits and habits come from `CONNECT_DEADLINE` and its like: [the table](connect_core::config).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming what is missing or malformed.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        let token = vars.required_secret("SLACK_BOT_TOKEN", "a bot token (xoxb-...) of the installed app")?;
        let mut builder = Self::builder().token(token);
        if let Some(origins) = vars.origins("SLACK_API_URL")? {
            builder.0 = builder.0.origins(origins);
        }
        builder.config(Config::from_vars("CONNECT", vars)?).build()
    }
}

impl From<Client<SlackApi>> for Slack {
    fn from(client: Client<SlackApi>) -> Self {
        Self(client)
    }
}

impl Deref for Slack {
    type Target = Client<SlackApi>;

    fn deref(&self) -> &Client<SlackApi> {
        &self.0
    }
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Collects the settings of a [`Slack`] client; every mistake in them is an error of [`SlackBuilder::build`].
///
/// [`Slack::builder`] has the example.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SlackBuilder(ClientBuilder<SlackApi>);

impl Default for SlackBuilder {
    fn default() -> Self {
        Self(
            Client::builder()
                .default_user_agent(concat!("connect-slack/", env!("CARGO_PKG_VERSION")))
                .credentials_required(),
        )
    }
}

impl SlackBuilder {
    /// A bot or user token. It travels in the `Authorization` header only, never in a URL or a body.
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

    /// Another address: `https://slack-gov.com/api/`, or a fake. Plain `http` is for loopback only.
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
    pub fn build(self) -> Result<Slack, Error> {
        self.0.build()
    }
}
