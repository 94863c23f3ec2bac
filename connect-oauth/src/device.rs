//! Device login, RFC 8628: the program shows a code, a person types it in on any device, the program asks until it is
//! confirmed.

use std::fmt;
use std::time::Duration;

use connect_core::{Error, ErrorKind, Safety, Secret, Sent};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::client::{Grant, OAuth, scope};
use crate::http::Answer;
use crate::problem::{ErrorCode, Problem};
use crate::tokens::Tokens;

/// RFC 8628 3.2: how often to ask where the provider does not say.
const INTERVAL: Duration = Duration::from_secs(5);

/// RFC 8628 3.5: how much slower to become when the provider says so.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// No provider asks for a slower pace, and none keeps a code for longer; more would be a broken or hostile answer.
const SLOWEST: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A device login that has begun: show [`user_code`](Self::user_code) and
/// [`verification_uri`](Self::verification_uri), then [`wait`](Self::wait).
///
/// `Debug` shows no code.
#[non_exhaustive]
pub struct DeviceLogin {
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it, for a link or a QR code, if the provider offers it.
    pub verification_uri_complete: Option<String>,
    /// How long the code is good for, from when it was made.
    pub expires_in: Duration,
    oauth: OAuth,
    device_code: Secret,
    interval: Duration,
    begun: Instant,
    scopes: Vec<String>,
}

impl OAuth {
    /// Begins a device login, for these scopes or the app's.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the provider has no device login;
    /// [`ErrorCode::DeviceFlowDisabled`] in the details if it is switched off for the app.
    pub async fn device_login(&self, scopes: &[&str]) -> Result<DeviceLogin, Error> {
        let url = self.preset().device_url()?;
        let asked = self.login_scopes(scopes);
        let joined = self.preset().join_scopes(&asked);
        let mut parameters = Vec::new();
        parameters.extend(scope(&joined));
        let begun = Instant::now();
        // A second code does no harm: the first runs out unused.
        let answer = self.send("device_code", &url, Safety::Idempotent, parameters, Vec::new()).await?;
        DeviceLogin::read(self, &answer, begun, asked)
    }
}

impl DeviceLogin {
    fn read(oauth: &OAuth, answer: &Answer, begun: Instant, scopes: Vec<String>) -> Result<Self, Error> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let wanted = |name: &str| {
            text(name).ok_or_else(|| {
                Error::new(ErrorKind::Decode, format!("the device endpoint's answer has no {name}"))
            })
        };
        let seconds = |name: &str| answer.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        Ok(Self {
            user_code: wanted("user_code")?.to_owned(),
            // Google wrote `verification_url` before there was an RFC.
            verification_uri: text("verification_url")
                .map_or_else(|| wanted("verification_uri"), Ok)?
                .to_owned(),
            verification_uri_complete: text("verification_uri_complete").map(str::to_owned),
            expires_in: seconds("expires_in").unwrap_or(Duration::from_secs(900)).min(LONGEST),
            device_code: Secret::new(wanted("device_code")?),
            interval: seconds("interval").unwrap_or(INTERVAL).clamp(Duration::from_secs(1), SLOWEST),
            oauth: oauth.clone(),
            begun,
            scopes,
        })
    }

    /// Asks, at the provider's pace, until the person has said yes or no or the code has expired.
    ///
    /// A connection that fails in between costs a round and not the login (RFC 8628 3.5 asks for a slower pace then).
    ///
    /// # Errors
    /// [`ErrorCode::AccessDenied`] or [`ErrorCode::ExpiredToken`] in the details; whatever else the provider refuses.
    pub async fn wait(self) -> Result<Tokens, Error> {
        let ends = self.begun + self.expires_in;
        let mut interval = self.interval;
        let mut next = Instant::now() + interval;
        loop {
            if next >= ends {
                let problem = Problem::new("expired_token", None);
                return Err(Error::new(ErrorKind::Auth, problem.to_string()).with_details(problem));
            }
            sleep_until(next).await;
            match self.ask().await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => interval = pace(&error, interval).ok_or(error)?,
            }
            next = Instant::now() + interval;
        }
    }

    async fn ask(&self) -> Result<Tokens, Error> {
        let code = self.device_code.expose();
        let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
        self.oauth
            .exchange(Grant {
                name: "device_token",
                safety: Safety::Unsafe, // the answer that has the tokens comes once
                parameters: vec![("grant_type", grant_type), ("device_code", code)],
                secrets: vec![code],
                asked: &self.scopes,
            })
            .await
    }
}

/// How long to wait after this error; `None` if it is the last word.
fn pace(error: &Error, interval: Duration) -> Option<Duration> {
    if let Some(problem) = error.details::<Problem>() {
        match problem.code {
            ErrorCode::AuthorizationPending => return Some(interval),
            ErrorCode::SlowDown => return Some((interval + SLOW_DOWN).min(SLOWEST)),
            ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable | ErrorCode::RateLimited => {}
            _ => return None,
        }
    }
    let may_pass = matches!(
        error.kind(),
        ErrorKind::Transport
            | ErrorKind::Timeout
            | ErrorKind::Unavailable
            | ErrorKind::RateLimited
            | ErrorKind::CircuitOpen
    ) || error.sent() == Sent::Maybe;
    may_pass.then(|| (interval * 2).min(SLOWEST))
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
