//! The client: a newtype round core's, with GitHub's credentials, headers and variables.

use std::fmt;
use std::ops::Deref;

use connect_core::cache::MemoryCache;
use connect_core::observe::Observer;
use connect_core::quota::QuotaPilot;
use connect_core::vars::environment;
use connect_core::{
    Api, Client, ClientBuilder, Config, Credentials, Error, ErrorKind, HeaderName, HeaderValue, Origin,
    Origins, Secret, TokenCache, Transport, Vars,
};

use crate::host;
use crate::identity::Speaker;
use crate::provider::GitHubApi;
use crate::quota::{GitHubQuota, Pacing};

/// The API version that every supported server knows; newer ones drop fields and arguments.
/// Source: <https://docs.github.com/rest/about-the-rest-api/api-versions>.
const VERSION: &str = "2022-11-28";

/// The header that chooses a version of the API for one call: `call.header(API_VERSION, "2026-03-10")`.
/// [`GitHubBuilder::api_version`] chooses it for a client.
pub const API_VERSION: HeaderName = HeaderName::from_static("x-github-api-version");

/// Sends endpoints to GitHub. Cheap to clone; clones share connections and state.
///
/// ```
/// use connect_github::GitHub;
/// let github = GitHub::builder().token("ghp_example").build()?;
/// assert!(!format!("{github:?}").contains("ghp_"));
/// # Ok::<(), connect_github::Error>(())
/// ```
#[derive(Clone)]
pub struct GitHub(Client<GitHubApi>, Speaker);

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
    /// `GITHUB_API_URL` (default `https://api.github.com`; GitHub Enterprise Server: `https://HOST/api/v3`). A workflow of
    /// Actions has the second of itself, and the first where a step sets it to `${{ github.token }}`.
    /// Limits and habits come from `CONNECT_DEADLINE` and its like: [the table](connect_core::config).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming what is malformed. [`GitHubBuilder::vars`] takes the same for
    /// a client with more settings.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        Self::builder().vars(lookup)?.build()
    }

    /// Owner and name of the repository that a workflow of Actions runs for: `GITHUB_REPOSITORY`.
    /// Source: <https://docs.github.com/actions/reference/workflows-and-actions/variables>.
    ///
    /// ```
    /// use connect_github::GitHub;
    /// let lookup = |name: &str| (name == "GITHUB_REPOSITORY").then(|| "octo/hello".to_owned());
    /// assert_eq!(GitHub::repository_from_vars(lookup)?, ("octo".to_owned(), "hello".to_owned()));
    /// # Ok::<(), connect_github::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the variable is missing or is no `owner/name`.
    pub fn repository_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<(String, String), Error> {
        const REPOSITORY: &str = "GITHUB_REPOSITORY";
        let value = Vars::new(&lookup).required(REPOSITORY, "owner/name, as Actions sets it")?;
        match value.split_once('/') {
            Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok((owner.to_owned(), name.to_owned()))
            }
            _ => Err(Error::new(ErrorKind::Config, format!("{REPOSITORY} is not like octo/hello"))),
        }
    }

    /// Where the web pages of this GitHub are, and people log in: `https://github.com`, `https://octo.ghe.com`, or the
    /// Enterprise Server itself.
    pub fn web_url(&self) -> String {
        match self.origins().base(Origin::Api) {
            Some(api) => host::web_url(api).as_str().trim_end_matches('/').to_owned(),
            None => "https://github.com".to_owned(),
        }
    }

    /// What is left of the account's limits, who waits for them, and the way to share them: `quota().status()`.
    ///
    /// Core's [`Client::quota`], under a name of its own here, so that it means the same where the trait
    /// [`Connector`](connect_core::Connector) is in scope; that one's is `Connector::quota(&github, &cx)`.
    ///
    /// ```
    /// use connect_github::{Connector, Context, GitHub};
    /// let github = GitHub::builder().token("ghp_example").build()?;
    /// let buckets = github.quota().status();
    /// assert_eq!(buckets.len(), Connector::quota(&github, &Context::default()).len());
    /// # Ok::<(), connect_github::Error>(())
    /// ```
    pub fn quota(&self) -> &QuotaPilot {
        self.0.quota()
    }

    pub(crate) fn speaker(&self) -> &Speaker {
        &self.1
    }

    #[cfg(feature = "app")]
    pub(crate) fn speaking_as_app(mut self, app: crate::app::App) -> Self {
        self.1 = Speaker::App(app);
        self
    }

    #[cfg(feature = "app")]
    pub(crate) fn speaking_as_installation(mut self, installation: crate::app::Installation) -> Self {
        self.1 = Speaker::Installation(std::sync::Arc::new(installation));
        self
    }
}

impl From<Client<GitHubApi>> for GitHub {
    fn from(client: Client<GitHubApi>) -> Self {
        Self(client, Speaker::default())
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
pub struct GitHubBuilder {
    client: ClientBuilder<GitHubApi>,
    origins: Result<Origins, Error>,
    version: Result<HeaderValue, Error>,
    pacing: Option<Pacing>,
}

impl Default for GitHubBuilder {
    fn default() -> Self {
        Self {
            client: Client::builder()
                .default_user_agent(concat!("connect-github/", env!("CARGO_PKG_VERSION")))
                .header(
                    connect_core::http_header::ACCEPT,
                    HeaderValue::from_static("application/vnd.github+json"),
                ),
            origins: Origins::new(GitHubApi::BASE_URL).and_then(with_uploads),
            version: Ok(HeaderValue::from_static(VERSION)),
            pacing: None,
        }
    }
}

impl GitHubBuilder {
    /// A personal access token, an Actions token, or any other bearer token. Its length and prefix are not judged:
    /// GitHub changes both.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.client = self.client.credentials(Credentials::Bearer(token.into()));
        self
    }

    /// Token, address, limits and habits from variables, as [`GitHub::from_vars`] has them; before what they leave to the code.
    ///
    /// ```
    /// use connect_github::GitHub;
    /// let lookup = |name: &str| (name == "GITHUB_TOKEN").then(|| "ghp_example".to_owned());
    /// let bot = GitHub::builder().vars(lookup)?.polite().build()?;
    /// # drop(bot);
    /// # Ok::<(), connect_github::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`GitHub::from_vars`].
    pub fn vars(mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        if let Some(token) = vars.secret("GITHUB_TOKEN")? {
            self = self.token(token);
        }
        if let Some(origins) = vars.origins("GITHUB_API_URL")? {
            self.origins = with_uploads(origins);
        }
        Ok(self.config(Config::from_vars("CONNECT", vars)?))
    }

    /// Tokens that are renewed: those of a connection of `connect-oauth`, or any
    /// [`TokenProvider`](connect_core::auth::TokenProvider)'s. Clients built with clones of one cache share its token.
    pub fn tokens(mut self, cache: TokenCache) -> Self {
        self.client = self.client.credentials(Credentials::Tokens(cache));
        self
    }

    /// Another GitHub, by the host where people log in: `git.example.com` (Enterprise Server, port as needed) or
    /// `octo.ghe.com` (data residency).
    ///
    /// | host | API | uploads |
    /// |---|---|---|
    /// | `github.com` | `https://api.github.com` | `https://uploads.github.com` |
    /// | `octo.ghe.com` | `https://api.octo.ghe.com` | `https://uploads.octo.ghe.com` |
    /// | `git.example.com` | `https://git.example.com/api/v3` | `https://git.example.com/api/uploads` |
    pub fn host(mut self, host: &str) -> Self {
        self.origins = host::api_url(host).and_then(|url| Origins::new(&url)).and_then(with_uploads);
        self
    }

    /// Another server: `https://HOST/api/v3` for GitHub Enterprise Server. Plain `http` is for loopback only.
    ///
    /// Files go where that server takes them: `https://HOST/api/uploads`.
    pub fn base_url(mut self, url: &str) -> Self {
        self.origins = Origins::new(url).and_then(with_uploads);
        self
    }

    /// Another [version of the API](https://docs.github.com/rest/about-the-rest-api/api-versions), such as `2026-03-10`;
    /// `2022-11-28` unless it is given. The models fit all versions: what a version drops is optional in them.
    pub fn api_version(mut self, version: &str) -> Self {
        let is_date = version.len() == 10
            && version.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        self.version = HeaderValue::from_str(version).ok().filter(|_| is_date).ok_or_else(|| {
            Error::new(ErrorKind::Config, "`api_version` is no date: GitHub's versions are like 2022-11-28")
        });
        self
    }

    /// How to keep to the limits that GitHub publishes and does not count aloud; [`Pacing`] has the table. Without this,
    /// [`Pacing::Published`] on github.com and GHE.com, and [`Pacing::Reactive`] elsewhere.
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// [`Pacing::Polite`]: a second between writes, three after what notifies people.
    pub fn polite(self) -> Self {
        self.pacing(Pacing::Polite)
    }

    /// Shares the quotas with other clients of the same account: `other.quota().clone()`.
    pub fn quota(mut self, pilot: QuotaPilot) -> Self {
        self.client = self.client.quota(pilot);
        self
    }

    /// Keeps answers and asks whether they are still good: what GitHub answers with 304 costs nothing of the hourly
    /// limit. Clones of one cache may serve clients of several accounts; none sees what is another's.
    pub fn cache(mut self, cache: MemoryCache) -> Self {
        self.client = self.client.cache(cache);
        self
    }

    /// Hears what happens during calls.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.client = self.client.observer(observer);
        self
    }

    /// Everything else that [core's builder](ClientBuilder) takes: a breaker or a retry budget to share, layers of the
    /// host's own, other headers. Address, API version and pacing are the settings of this builder and win over what is
    /// set there.
    pub fn with(mut self, change: impl FnOnce(ClientBuilder<GitHubApi>) -> ClientBuilder<GitHubApi>) -> Self {
        self.client = change(self.client);
        self
    }

    /// Limits and habits.
    pub fn config(mut self, config: Config) -> Self {
        self.client = self.client.config(config);
        self
    }

    /// Sends by this transport instead of reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.client = self.client.transport(transport);
        self
    }

    /// The addresses, as far as they are usable.
    #[cfg(feature = "app")]
    pub(crate) fn origins(self) -> Result<Origins, Error> {
        self.origins
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), saying which setting cannot work.
    pub fn build(self) -> Result<GitHub, Error> {
        let origins = self.origins?;
        let pacing = self.pacing.unwrap_or_else(|| usual_pacing(&origins));
        self.client
            .quota_model(GitHubQuota::new(pacing))
            .origins(origins)
            .header(API_VERSION, self.version?)
            .build()
    }
}

/// Enterprise Server counts nothing unless its administrators turn that on.
fn usual_pacing(origins: &Origins) -> Pacing {
    match origins.base(Origin::Api).and_then(host::cloud_host) {
        Some(_) => Pacing::Published,
        None => Pacing::Reactive,
    }
}

/// Adds the addresses that take files and GraphQL queries, which every installation has in places of its own.
///
/// Sources: <https://docs.github.com/rest/releases/assets#upload-a-release-asset>: an upload goes to the host in the
/// release's `upload_url`. <https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql>: on
/// Enterprise Server, GraphQL stands beside the REST API and not below it.
fn with_uploads(origins: Origins) -> Result<Origins, Error> {
    let Some(api) = origins.base(Origin::Api) else { return Ok(origins) };
    let (mut uploads, mut graphql) = (api.clone(), api.clone());
    // Enterprise Server has one host; github.com and GHE.com have `api.` and `uploads.` side by side.
    if let Some(path) = api.path().trim_end_matches('/').strip_suffix("/api/v3") {
        uploads.set_path(&format!("{path}/api/uploads"));
        graphql.set_path(&format!("{path}/api"));
    } else if let Some(domain) = host::cloud_host(api) {
        let _ = uploads.set_host(Some(&format!("uploads.{domain}")));
    }
    origins.with(Origin::Uploads, uploads.as_str())?.with(Origin::Graphql, graphql.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_installation_takes_files_and_queries_in_places_of_its_own() {
        let cases = [
            ("https://api.github.com", "https://uploads.github.com/", "https://api.github.com/graphql"),
            ("https://api.octo.ghe.com", "https://uploads.octo.ghe.com/", "https://api.octo.ghe.com/graphql"),
            (
                "https://git.example.com/api/v3",
                "https://git.example.com/api/uploads",
                "https://git.example.com/api/graphql",
            ),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/graphql"),
        ];
        for (api, uploads, graphql) in cases {
            let origins = Origins::new(api).and_then(with_uploads).unwrap();
            assert_eq!(origins.base(Origin::Uploads).unwrap().as_str(), uploads);
            assert_eq!(origins.join(Origin::Graphql, "/graphql").unwrap().as_str(), graphql);
        }
    }

    #[test]
    fn a_version_that_is_no_date_is_refused() {
        for odd in ["v3\n", "", "20260310", "----------", "2026031000", "2026-03-1é"] {
            let error = GitHub::builder().api_version(odd).build().unwrap_err();
            assert!(error.to_string().contains("api_version"), "{error}");
        }
        // Without a build: that takes TLS, which a build of this crate may leave out.
        assert!(GitHub::builder().api_version("2026-03-10").version.is_ok());
    }
}
