//! The token by which an App proves that it is itself: signed here, good for nine minutes, shared until a minute before
//! its end.
//!
//! Source: <https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use connect_core::auth::{Token, TokenOptions, TokenRequest};
use connect_core::clock::{Skew, WallClock};
use connect_core::{Error, TokenCache};
use connect_oauth::jwt::{Signer, sign_claims};
use serde_json::Map;

use super::AppId;

/// How far `iat` is put back: GitHub's own advice against clocks that differ.
const PUT_BACK: Duration = Duration::from_secs(60);

/// How long it lives from now on. GitHub takes ten minutes and counts by its own clock.
const LIFE: Duration = Duration::from_secs(9 * 60);

/// A call that is under way must not outlive its token.
const RENEWED_BEFORE_ITS_END: Duration = Duration::from_secs(60);

/// The time of day at GitHub, as near as its answers have told.
#[derive(Clone)]
pub(super) struct Clock {
    pub(super) ours: Arc<dyn WallClock>,
    pub(super) skew: Skew,
}

impl Clock {
    pub(super) fn now(&self) -> SystemTime {
        self.skew.now(&*self.ours)
    }

    /// Options of a cache whose answers tell the skew.
    pub(super) fn options(&self) -> TokenOptions {
        let ours = Arc::clone(&self.ours);
        TokenOptions::default().with_skew(self.skew.clone()).with_clock(move || ours.now())
    }
}

/// The App's tokens, signed as they are needed.
pub(super) fn tokens(id: AppId, signer: Arc<dyn Signer>, clock: &Clock) -> TokenCache {
    let options =
        clock.options().with_account(format!("app {id}")).with_early_refresh(RENEWED_BEFORE_ITS_END);
    let clock = clock.clone();
    let provider = move |_request: TokenRequest| {
        let (id, signer, clock) = (id.clone(), Arc::clone(&signer), clock.clone());
        async move { sign(&id, &*signer, clock.now()).await }
    };
    TokenCache::with_options(provider, options)
}

async fn sign(id: &AppId, signer: &dyn Signer, now: SystemTime) -> Result<Token, Error> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut claims = Map::new();
    claims.insert("iss".into(), id.as_str().into());
    claims.insert("iat".into(), now.saturating_sub(PUT_BACK).as_secs().into());
    claims.insert("exp".into(), now.saturating_add(LIFE).as_secs().into());
    let token = sign_claims(signer, &claims).await.map_err(|error| {
        let message = format!("App {id} cannot sign: {}", error.message());
        error.with_message(message)
    })?;
    Ok(Token::new(token).with_expires_in(LIFE))
}
