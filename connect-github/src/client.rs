//! The client: a newtype round core's, with GitHub's credentials, headers and variables.

use std::fmt;
use std::ops::Deref;

use connect_core::vars::environment;
use connect_core::{
    Api, Client, ClientBuilder, Config, Credentials, Error, ErrorKind, HeaderName, HeaderValue, Origin,
    Origins, Secret, TokenCache, Transport, Vars,
};

use crate::provider::GitHubApi;

/// The API version that every supported server knows; newer ones drop fields and arguments.
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
            builder.origins = with_uploads(origins);
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
pub struct GitHubBuilder {
    client: ClientBuilder<GitHubApi>,
    origins: Result<Origins, Error>,
    version: Result<HeaderValue, Error>,
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
            version: Ok(HeaderValue::from_static(API_VERSION)),
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

    /// Tokens that are renewed: those of a connection of `connect-oauth`, or any
    /// [`TokenProvider`](connect_core::auth::TokenProvider)'s. Clients built with clones of one cache share its token.
    pub fn tokens(mut self, cache: TokenCache) -> Self {
        self.client = self.client.credentials(Credentials::Tokens(cache));
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
        let is_date =
            version.len() == 10 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        self.version = HeaderValue::from_str(version).ok().filter(|_| is_date).ok_or_else(|| {
            Error::new(ErrorKind::Config, "`api_version` is no date: GitHub's versions are like 2022-11-28")
        });
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

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), saying which setting cannot work.
    pub fn build(self) -> Result<GitHub, Error> {
        let version = HeaderName::from_static("x-github-api-version");
        self.client.origins(self.origins?).header(version, self.version?).build()
    }
}

/// Adds the address that takes files, which every installation has in a place of its own.
///
/// Source: <https://docs.github.com/rest/releases/assets#upload-a-release-asset>: an upload goes to the host in the
/// release's `upload_url`.
fn with_uploads(origins: Origins) -> Result<Origins, Error> {
    let Some(api) = origins.base(Origin::Api) else { return Ok(origins) };
    let mut uploads = api.clone();
    // Enterprise Server has one host; github.com and GHE.com have `api.` and `uploads.` side by side.
    if let Some(path) = api.path().trim_end_matches('/').strip_suffix("/api/v3") {
        uploads.set_path(&format!("{path}/api/uploads"));
    } else if let Some(domain) = api.host_str().and_then(|host| host.strip_prefix("api."))
        && (domain == "github.com" || domain.ends_with(".ghe.com"))
    {
        let _ = uploads.set_host(Some(&format!("uploads.{domain}")));
    }
    origins.with(Origin::Uploads, uploads.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_installation_takes_files_in_a_place_of_its_own() {
        let cases = [
            ("https://api.github.com", "https://uploads.github.com/"),
            ("https://api.octo.ghe.com", "https://uploads.octo.ghe.com/"),
            ("https://git.example.com/api/v3", "https://git.example.com/api/uploads"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ];
        for (api, uploads) in cases {
            let origins = Origins::new(api).and_then(with_uploads).unwrap();
            assert_eq!(origins.base(Origin::Uploads).unwrap().as_str(), uploads);
        }
    }

    #[test]
    fn a_version_that_is_no_date_is_refused() {
        let error = GitHub::builder().api_version("v3\n").build().unwrap_err();
        assert!(error.to_string().contains("api_version"), "{error}");
        assert!(GitHub::builder().api_version("2026-03-10").build().is_ok());
    }
}
