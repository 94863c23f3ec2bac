//! Building an app: every mistake in its settings is found here, and none later.

use std::fmt;
use std::sync::Arc;

use connect_core::clock::{SystemClock, WallClock};
use connect_core::observe::Observer;
use connect_core::{Config, Error, ErrorKind, Secret, Transport, Url, Vars};

use crate::client::{App, OAuth};
use crate::entropy::Entropy;
use crate::http::Http;
use crate::preset::Preset;

/// Collects the settings of an [`OAuth`]; every mistake in them is an error of [`OAuthBuilder::build`].
///
/// [`OAuth`] has the example.
#[must_use = "a builder does nothing until `build` is called"]
pub struct OAuthBuilder {
    preset: Preset,
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: Option<String>,
    scopes: Vec<String>,
    config: Config,
    transport: Option<Arc<dyn Transport>>,
    observer: Option<Arc<dyn Observer>>,
    clock: Arc<dyn WallClock>,
    entropy: Entropy,
}

impl OAuthBuilder {
    pub(crate) fn new(preset: Preset) -> Self {
        Self {
            preset,
            client_id: String::new(),
            client_secret: None,
            redirect_uri: None,
            scopes: Vec::new(),
            config: Config::default(),
            transport: None,
            observer: None,
            clock: Arc::new(SystemClock),
            entropy: Entropy::default(),
        }
    }

    /// The app's id at the provider.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// The app's secret. A public client, which cannot keep one, has none.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Where the provider sends the browser back to: exactly as it is registered at the provider. `https`, or `http` to
    /// loopback.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The scopes to ask for when nobody names others; without this, logins ask for the preset's.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Limits and habits of the requests.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sends by this transport instead of the default one.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Hears what happens during requests.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Another clock than the operating system's.
    pub fn clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Another source of randomness than the operating system's, for tests that replay.
    pub fn entropy(mut self, fill: impl Fn(&mut [u8]) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.entropy = Entropy::new(fill);
        self
    }

    /// Reads `<PREFIX>_CLIENT_ID`, `<PREFIX>_CLIENT_SECRET`, `<PREFIX>_REDIRECT_URI` and `<PREFIX>_SCOPES` (separated by
    /// spaces); what is not set stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the malformed one.
    pub fn vars(mut self, prefix: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        if let Some(id) = vars.optional(&format!("{prefix}_CLIENT_ID")) {
            self.client_id = id;
        }
        if let Some(secret) = vars.secret(&format!("{prefix}_CLIENT_SECRET"))? {
            self.client_secret = Some(secret);
        }
        if let Some(uri) = vars.optional(&format!("{prefix}_REDIRECT_URI")) {
            self.redirect_uri = Some(uri);
        }
        if let Some(scopes) = vars.optional(&format!("{prefix}_SCOPES")) {
            self.scopes = scopes.split_whitespace().map(str::to_owned).collect();
        }
        Ok(self)
    }

    /// Asks the preset's issuer for the endpoints that the preset does not name, and builds.
    ///
    /// # Errors
    /// As [`OAuthBuilder::build`], and whatever the request fails with.
    pub async fn discover(mut self) -> Result<OAuth, Error> {
        let http = Http::new(self.config.clone(), self.transport.clone(), self.observer.clone());
        self.preset = crate::discovery::complete(self.preset, &http).await?;
        self.build()
    }

    /// The app.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], saying which setting cannot work.
    pub fn build(self) -> Result<OAuth, Error> {
        self.preset.check()?;
        let config = |message: String| Error::new(ErrorKind::Config, message);
        if self.client_id.trim().is_empty() {
            return Err(config(format!("{} needs the app's client id", self.preset.name)));
        }
        if self.client_secret.as_ref().is_some_and(Secret::is_blank) {
            return Err(config("the client secret is empty: leave it out if the app has none".to_owned()));
        }
        if self.preset.token_url.is_none() {
            return Err(config(format!(
                "the preset `{}` learns its endpoints from the issuer: call `discover` instead of `build`",
                self.preset.id
            )));
        }
        self.preset.token_url()?;
        let redirect_uri = self.redirect_uri.as_deref().map(redirect_uri).transpose()?;
        Ok(OAuth::from(App {
            http: Arc::new(Http::new(self.config, self.transport, self.observer)),
            preset: self.preset,
            client_id: self.client_id,
            client_secret: self.client_secret,
            redirect_uri,
            scopes: self.scopes,
            clock: self.clock,
            entropy: self.entropy,
            #[cfg(feature = "identity")]
            id_tokens: std::sync::OnceLock::new(),
        }))
    }
}

/// A redirect URI that a code may go to.
fn redirect_uri(text: &str) -> Result<Url, Error> {
    let fail = |why: &str| {
        Error::new(
            ErrorKind::Config,
            format!("the redirect URI {why}; use one like https://app.example/callback"),
        )
    };
    let url = Url::parse(text).map_err(|_| fail("cannot be parsed"))?;
    let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => {
            return Err(fail("is plain http to a host that is not this machine: codes would be readable"));
        }
        _ => return Err(fail("is neither https nor http")),
    }
    if url.fragment().is_some() {
        return Err(fail("has a fragment, which RFC 6749 forbids"));
    }
    Ok(url)
}

impl fmt::Debug for OAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthBuilder")
            .field("preset", &self.preset.id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_one_that_may_carry_a_code() {
        for good in [
            "https://app.example/callback?x=1",
            "http://localhost:4000/",
            "http://127.0.0.1/cb",
            "http://[::1]:1/",
        ] {
            assert!(redirect_uri(good).is_ok(), "{good}");
        }
        for bad in
            ["http://app.example/", "app.example/cb", "https://app.example/#x", "javascript:alert(1)", ""]
        {
            assert_eq!(redirect_uri(bad).unwrap_err().kind(), ErrorKind::Config, "{bad}");
        }
    }
}
