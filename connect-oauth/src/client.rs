//! One app at one provider: its id and secret, and the grants by which it gets tokens.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_core::auth::{TokenOptions, TokenRequest};
use connect_core::clock::WallClock;
use connect_core::{Error, ErrorKind, Method, Safety, Secret, Sent, TokenCache, Url};

use crate::builder::OAuthBuilder;
use crate::entropy::Entropy;
use crate::http::{Answer, Exchange, Http};
use crate::preset::{ClientAuthentication, Preset, Rotation};
use crate::tokens::Tokens;

/// An app at a provider. Clones share one.
///
/// | grant | method |
/// |---|---|
/// | authorization code with PKCE | [`OAuth::logins`] |
/// | device (RFC 8628) | [`OAuth::device_login`] |
/// | client credentials | [`OAuth::client_credentials`] |
/// | JWT bearer (RFC 7523) | [`OAuth::jwt_bearer`] |
/// | refresh | [`OAuth::refresh`]; [`Connections`](crate::Connections) does it when it is due, once |
///
/// Every request goes through connect-core's stack. An exchange that uses something up (a code, a refresh token that
/// rotates) is never repeated unless it was proven not sent. Refusals carry a [`Problem`](crate::Problem) in the error's
/// details, however the provider says them; no error and no log has a token, code or verifier.
///
/// ```
/// use connect_oauth::{OAuth, Preset};
/// let atlassian = OAuth::builder(Preset::find("atlassian").unwrap())
///     .client_id("app").client_secret("secret").redirect_uri("https://app.example/callback")
///     .build()?;
/// assert_eq!(atlassian.preset().name, "Atlassian");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct OAuth(Arc<App>);

pub(crate) struct App {
    pub(crate) preset: Preset,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) redirect_uri: Option<Url>,
    pub(crate) scopes: Vec<String>,
    pub(crate) http: Arc<Http>,
    pub(crate) clock: Arc<dyn WallClock>,
    pub(crate) entropy: Entropy,
    #[cfg(feature = "identity")]
    pub(crate) id_tokens: std::sync::OnceLock<crate::identity::IdTokenVerifier>,
}

/// The grant whose answer may be shaped in its own way.
const REFRESH: &str = "refresh_token";

/// One use of the token endpoint.
pub(crate) struct Grant<'a> {
    /// The last part of the operation's name.
    pub(crate) name: &'static str,
    pub(crate) safety: Safety,
    pub(crate) parameters: Vec<(&'a str, &'a str)>,
    /// Which of the parameters' values must not show up anywhere.
    pub(crate) secrets: Vec<&'a str>,
    /// The scopes to assume where the answer names none.
    pub(crate) asked: &'a [String],
}

impl From<App> for OAuth {
    fn from(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl OAuth {
    /// Starts an app at this provider.
    pub fn builder(preset: Preset) -> OAuthBuilder {
        OAuthBuilder::new(preset)
    }

    /// The provider's row.
    pub fn preset(&self) -> &Preset {
        &self.0.preset
    }

    /// The app's id.
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Where the provider sends the browser back to.
    pub fn redirect_uri(&self) -> Option<&Url> {
        self.0.redirect_uri.as_ref()
    }

    /// The scopes that are asked for when nobody names others.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// The next tokens for a refresh token. Where the provider rotates, the old refresh token is worth nothing
    /// afterwards: store the new one before using either. [`Connections`](crate::Connections) does all that.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] with [`ErrorCode::InvalidGrant`](crate::ErrorCode::InvalidGrant) if the refresh token is no
    /// longer good; one with [`Sent::Maybe`](connect_core::Sent::Maybe) if it may have been used up unheard.
    pub async fn refresh(&self, refresh: &Secret) -> Result<Tokens, Error> {
        let refresh = refresh.expose();
        self.exchange(Grant {
            name: REFRESH,
            safety: match self.0.preset.rotation {
                // It stays good, or for long enough: to ask again is harmless.
                Rotation::None | Rotation::Leeway { .. } => Safety::Idempotent,
                Rotation::Unknown | Rotation::SingleUse | Rotation::NoRefreshTokens => Safety::Unsafe,
            },
            parameters: vec![("grant_type", REFRESH), ("refresh_token", refresh)],
            secrets: vec![refresh],
            asked: &[],
        })
        .await
    }

    /// Tokens for the app itself, without a user. [`OAuth::client_credentials_cache`] keeps one alive for a client.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if id or secret are not accepted; [`ErrorKind::Config`] without a secret.
    pub async fn client_credentials(&self, scopes: &[&str]) -> Result<Tokens, Error> {
        if self.0.client_secret.is_none() {
            let message = "client credentials need a client secret: give it to the builder";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let asked = self.asked(scopes);
        let joined = self.0.preset.join_scopes(&asked);
        let mut parameters = vec![("grant_type", "client_credentials")];
        parameters.extend(scope(&joined));
        let safety = Safety::Idempotent; // nothing is used up
        self.exchange(Grant {
            name: "client_credentials",
            safety,
            parameters,
            secrets: Vec::new(),
            asked: &asked,
        })
        .await
    }

    /// Client credentials as a client takes them: `Credentials::tokens(cache)` of any provider crate.
    pub fn client_credentials_cache(&self, scopes: &[&str]) -> TokenCache {
        let (oauth, asked) = (self.clone(), self.asked(scopes));
        let name = format!("{} {} {}", self.0.preset.id, self.0.client_id, asked.join(" "));
        let fetch = move |_request: TokenRequest| {
            let (oauth, asked) = (oauth.clone(), asked.clone());
            async move {
                let scopes: Vec<&str> = asked.iter().map(String::as_str).collect();
                let tokens = oauth.client_credentials(&scopes).await?;
                Ok(tokens.to_token(oauth.now()))
            }
        };
        TokenCache::with_options(fetch, TokenOptions::default().with_account(name))
    }

    /// Tokens for a signed assertion (RFC 7523): Google's service accounts, Salesforce's server-to-server login. Make a
    /// fresh assertion for every call; a provider may accept each of them once.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if the assertion is not accepted: its key, audience, time or scope.
    pub async fn jwt_bearer(&self, assertion: &Secret, scopes: &[&str]) -> Result<Tokens, Error> {
        let asked: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let joined = self.0.preset.join_scopes(&asked);
        let assertion = assertion.expose();
        let mut parameters =
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
        parameters.extend(scope(&joined));
        let grant = Grant {
            name: "jwt_bearer",
            safety: Safety::Unsafe, // its id may be accepted once
            parameters,
            secrets: vec![assertion],
            asked: &asked,
        };
        self.exchange(grant).await
    }

    /// The JWT bearer grant as a client takes it; `assert` makes a fresh assertion each time one is needed.
    ///
    /// A service account of Google, which wants the scopes in the assertion:
    /// ```no_run
    /// # #[cfg(feature = "jwt")]
    /// # fn cache(oauth: connect_oauth::OAuth, email: String, pem: connect_core::Secret) -> Result<connect_core::TokenCache, connect_core::Error> {
    /// use std::sync::Arc;
    /// use connect_core::clock::{SystemClock, WallClock};
    /// use connect_oauth::jwt::{Assertion, RsaKey};
    /// let key = Arc::new(RsaKey::new(&pem)?); // `private_key` of the account's JSON file
    /// let cache = oauth.jwt_bearer_cache(&email.clone(), &[], move || {
    ///     let (key, email) = (Arc::clone(&key), email.clone());
    ///     async move {
    ///         Assertion::new(&email, "https://oauth2.googleapis.com/token")
    ///             .with_scope("https://www.googleapis.com/auth/drive.readonly")
    ///             .sign(&*key, SystemClock.now())
    ///             .await
    ///     }
    /// });
    /// # Ok(cache) }
    /// ```
    pub fn jwt_bearer_cache<F, Fut>(&self, account: &str, scopes: &[&str], assert: F) -> TokenCache
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Secret, Error>> + Send + 'static,
    {
        let oauth = self.clone();
        let asked: Arc<[String]> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let name = format!("{} {account} {}", self.0.preset.id, asked.join(" "));
        let fetch = move |_request: TokenRequest| {
            let (oauth, asked, assertion) = (oauth.clone(), Arc::clone(&asked), assert());
            async move {
                let scopes: Vec<&str> = asked.iter().map(String::as_str).collect();
                let tokens = oauth.jwt_bearer(&assertion.await?, &scopes).await?;
                Ok(tokens.to_token(oauth.now()))
            }
        };
        TokenCache::with_options(fetch, TokenOptions::default().with_account(name))
    }

    /// Gives a token back (RFC 7009). A token that is gone already is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the provider has no such endpoint; whatever else a call can fail with.
    pub async fn revoke(&self, token: &Secret) -> Result<(), Error> {
        let url = self.0.preset.revoke_url()?;
        let parameters = vec![("token", token.expose())];
        self.send("revoke", &url, Safety::Idempotent, parameters, vec![token.expose()]).await.map(drop)
    }

    /// Asks the token endpoint.
    pub(crate) async fn exchange(&self, grant: Grant<'_>) -> Result<Tokens, Error> {
        let url = self.0.preset.token_url()?;
        // The life counts from before the request: a token is never believed to live longer than it does.
        let asked_at = self.now();
        let Grant { name, safety, parameters, secrets, asked } = grant;
        let answer = self.send(name, &url, safety, parameters, secrets).await?;
        let is_refresh = name == REFRESH;
        let read = Tokens::read(answer, &self.0.preset, asked, is_refresh, asked_at);
        let mut tokens = read.map_err(|error| {
            let message = format!("{}: {}", self.operation(name), error.message());
            error.with_message(message).with_sent(Sent::Yes)
        })?;
        tokens.token_url = Some(url.into());
        Ok(tokens)
    }

    /// Sends as this client.
    pub(crate) async fn send<'a>(
        &'a self,
        name: &str,
        url: &Url,
        safety: Safety,
        mut parameters: Vec<(&'a str, &'a str)>,
        mut secrets: Vec<&'a str>,
    ) -> Result<Answer, Error> {
        let app = &*self.0;
        let mut authorization = None;
        match (&app.client_secret, app.preset.client_authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                authorization = Some(basic(&app.client_id, secret));
            }
            (Some(secret), ClientAuthentication::Body) => {
                parameters.push(("client_id", &app.client_id));
                parameters.push(("client_secret", secret.expose()));
            }
            (None, _) => parameters.push(("client_id", &app.client_id)),
        }
        secrets.extend(app.client_secret.as_ref().map(Secret::expose));
        app.http
            .send(Exchange {
                operation: self.operation(name),
                method: Method::POST,
                url,
                safety,
                authorization,
                body: Some((app.preset.token_body, parameters)),
                secrets,
            })
            .await
    }

    /// The scopes of a login: these, or the app's, or the preset's, and what a refresh token takes.
    pub(crate) fn login_scopes(&self, scopes: &[&str]) -> Vec<String> {
        self.0.preset.login_scopes(self.asked(scopes))
    }

    /// The scopes of a request: these, or the app's.
    pub(crate) fn asked(&self, scopes: &[&str]) -> Vec<String> {
        match scopes {
            [] => self.0.scopes.clone(),
            _ => scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    /// The name of an operation in logs, metrics and errors: `atlassian/refresh_token`.
    pub(crate) fn operation(&self, name: &str) -> String {
        format!("{}/{name}", self.0.preset.id)
    }

    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.0.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn WallClock> {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    #[cfg(feature = "identity")]
    pub(crate) fn id_tokens(&self) -> &std::sync::OnceLock<crate::identity::IdTokenVerifier> {
        &self.0.id_tokens
    }

    #[cfg(feature = "identity")]
    pub(crate) fn http(&self) -> &Arc<Http> {
        &self.0.http
    }
}

/// The parameter of the scopes, if there are any.
pub(crate) fn scope(joined: &str) -> Option<(&'static str, &str)> {
    (!joined.is_empty()).then_some(("scope", joined))
}

/// `Basic`, with id and secret encoded as a form first, as RFC 6749 2.3.1 says and as few clients do.
fn basic(id: &str, secret: &Secret) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose())))))
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("preset", &self.0.preset.id)
            .field("client_id", &self.0.client_id)
            .field("has_secret", &self.0.client_secret.is_some())
            .field("redirect_uri", &self.0.redirect_uri.as_ref().map(Url::as_str))
            .field("scopes", &self.0.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_encodes_what_would_break_it() {
        // RFC 6749 2.3.1: both are form-encoded before they are joined.
        let header = basic("a b:c", &Secret::new("p@ss:w/d"));
        assert_eq!(header.expose(), format!("Basic {}", STANDARD.encode("a+b%3Ac:p%40ss%3Aw%2Fd")));
    }
}
