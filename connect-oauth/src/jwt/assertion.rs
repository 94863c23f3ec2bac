//! The token of the JWT bearer grant: who asks, for whom, at whom, and for how short a time.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::{Error, ErrorKind, Secret};
use serde_json::{Map, Value};

use super::{Signer, sign_claims};

/// What `exp` is ahead of `iat`. Salesforce takes no more than three minutes; Google takes an hour, GitHub ten minutes.
const LIFETIME: Duration = Duration::from_secs(180);

/// How far `iat` is put back. A server whose clock is a little behind ours would take a fresh token for one out of the
/// future; half a minute is more than clocks under NTP differ, and leaves most of the life.
const PUT_BACK: Duration = Duration::from_secs(30);

/// Claims that have methods of their own.
const REGISTERED: &[&str] = &["iss", "sub", "aud", "scope", "iat", "exp", "jti"];

/// An assertion for the JWT bearer grant (RFC 7523), or for a client that authenticates with a key (section 2.2).
///
/// Signed anew for each exchange: it has an id of its own and a short life.
///
/// ```
/// use std::time::SystemTime;
/// use connect_core::clock::{SystemClock, WallClock};
/// use connect_oauth::jwt::{Assertion, Signer};
/// async fn exchange(key: &dyn Signer) -> Result<(), connect_core::Error> {
///     let assertion = Assertion::new("robot@project.iam.example", "https://oauth2.googleapis.com/token")
///         .with_subject("ada@acme.example")
///         .with_scope("https://www.googleapis.com/auth/drive.readonly")
///         .sign(key, SystemClock.now())
///         .await?;
///     println!("{} bytes", assertion.expose().len());
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Assertion {
    issuer: String,
    audience: String,
    subject: Option<String>,
    scope: Option<String>,
    id: Option<String>,
    lifetime: Duration,
    claims: Map<String, Value>,
}

impl Assertion {
    /// An assertion of this issuer (the service account or client id) for this audience (usually the token endpoint's
    /// URL; Salesforce wants `https://login.salesforce.com`).
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            subject: None,
            scope: None,
            id: None,
            lifetime: LIFETIME,
            claims: Map::new(),
        }
    }

    /// On whose behalf. Without it there is no `sub`, which most providers read as the issuer itself.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The scopes as a claim, for providers that want them in here (Google).
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// How long it lives, from an `iat` that lies 30 seconds back. The default is 180 seconds.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Its id (`jti`), for a test that compares; by default a random one for each signature.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A further claim. Those with a method of their own are refused by [`sign`](Self::sign).
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// The finished token. `now` is the time at the provider, as near as it is known: see
    /// [`Skew`](connect_core::clock::Skew).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a life that is over before it begins, and for claims that contradict each other;
    /// whatever the signer fails with.
    pub async fn sign(&self, signer: &dyn Signer, now: SystemTime) -> Result<Secret, Error> {
        sign_claims(signer, &self.claims(now)?).await
    }

    fn claims(&self, now: SystemTime) -> Result<Map<String, Value>, Error> {
        if let Some(name) = REGISTERED.iter().find(|name| self.claims.contains_key(**name)) {
            let message = format!("the claim {name} has a method of its own: use that instead of with_claim");
            return Err(Error::new(ErrorKind::Config, message));
        }
        if self.lifetime <= PUT_BACK {
            let message =
                format!("the assertion is over at once: let it live longer than {} s", PUT_BACK.as_secs());
            return Err(Error::new(ErrorKind::Config, message));
        }
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let issued = now.saturating_sub(PUT_BACK.as_secs());
        let mut claims = self.claims.clone();
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("aud".into(), self.audience.as_str().into());
        claims.insert("iat".into(), issued.into());
        claims.insert("exp".into(), issued.saturating_add(self.lifetime.as_secs()).into());
        claims.insert("jti".into(), self.id.clone().map_or_else(draw_id, Ok)?.into());
        for (name, value) in [("sub", &self.subject), ("scope", &self.scope)] {
            if let Some(value) = value {
                claims.insert(name.into(), value.as_str().into());
            }
        }
        Ok(claims)
    }
}

/// 128 bits, so that two are never the same.
fn draw_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Config, "the operating system gives no random numbers").with_source(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
