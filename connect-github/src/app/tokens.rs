//! Getting the token of an installation: the App proves who it is, and asks.
//!
//! Source: <https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app>.

use std::time::{Duration, SystemTime};

use connect_core::auth::{Token, TokenRequest};
use connect_core::{Error, HeaderMap, Method, Operation, Raw, Request, Safety, Secret, TokenCache, hint};
use connect_model::Timestamp;
use serde::Deserialize;

use super::AppId;
use super::jwt::Clock;
use super::refusal;
use super::scope::Scope;
use crate::GitHub;

/// What an installation token lives, should GitHub not say.
const LIFE: Duration = Duration::from_secs(3600);

/// How long GitHub may refuse a token that it has just made; octokit, GitHub's own client, goes by the same figure.
const SETTLING: Duration = Duration::from_secs(5);

/// Gets tokens for the installations of one App.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) app: AppId,
    /// Speaks as the App.
    pub(super) client: GitHub,
    pub(super) clock: Clock,
}

#[derive(Deserialize)]
struct Answer {
    token: Secret,
    #[serde(default)]
    expires_at: Timestamp,
}

impl Exchange {
    /// Tokens of this installation, narrowed down to this scope.
    pub(super) fn tokens(&self, installation: u64, scope: Scope) -> TokenCache {
        let name = format!("app {} installation {installation}{}", self.app, scope.describe());
        let options = self.clock.options().with_account(name).with_settling(SETTLING);
        let exchange = self.clone();
        let provider = move |_request: TokenRequest| {
            let (exchange, scope) = (exchange.clone(), scope.clone());
            async move {
                let token = exchange.token(installation, &scope).await;
                token.map_err(|error| refusal::of_token(error, &exchange.app, installation))
            }
        };
        TokenCache::with_options(provider, options)
    }

    async fn token(&self, installation: u64, scope: &Scope) -> Result<Token, Error> {
        let operation = Operation::raw(
            "apps/create-installation-access-token",
            Method::POST,
            "/app/installations/{installation_id}/access_tokens",
        )
        // A token that nobody uses does no harm: it ends by itself.
        .safety(Safety::Idempotent)
        // Known, so that it does not count as created content, as any `POST` might be.
        .docs("https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app");
        let request =
            Request::builder(&operation).path("installation_id", installation).json(scope).build()?;
        let reply = self.client.send(Raw::<_, Answer>::new(request)).response().await?;
        let life = life(&reply.value.expires_at, &reply.headers, self.clock.now());
        Ok(Token::new(reply.value.token).with_expires_in(life))
    }
}

/// How long a token lives, by GitHub's clock where the answer tells it.
fn life(expires_at: &Timestamp, headers: &HeaderMap, now: SystemTime) -> Duration {
    let by_their_clock = || {
        let epoch = u64::try_from(expires_at.unix_seconds()?).ok()?;
        hint::until_epoch(headers, epoch)
    };
    let by_ours = || expires_at.to_system_time().map(|end| end.duration_since(now).unwrap_or_default());
    by_their_clock().or_else(by_ours).unwrap_or(LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::HeaderValue;

    #[test]
    fn a_life_is_counted_by_githubs_clock_then_by_ours_and_is_an_hour_else() {
        let at = |text: &str| serde_json::from_value::<Timestamp>(text.into()).unwrap();
        let ends = at("1994-11-06T09:49:37Z"); // epoch 784115377
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Sun, 06 Nov 1994 09:19:37 GMT"));
        let wrong = SystemTime::UNIX_EPOCH;
        let ours = wrong + Duration::from_secs(784_115_377 - 600);
        let minutes = |count: u64| Duration::from_secs(60 * count);
        assert_eq!(life(&ends, &headers, wrong), minutes(30));
        assert_eq!(life(&ends, &HeaderMap::new(), ours), minutes(10));
        assert_eq!(life(&ends, &HeaderMap::new(), ours + minutes(20)), Duration::ZERO);
        assert_eq!(life(&at("soon"), &headers, ours), LIFE);
    }
}
