//! GitHub as a host sees it: identity and health.

use async_trait::async_trait;
use connect_core::quota::QuotaStatus;
use connect_core::{AuthKind, Connector, Context, Descriptor, Error, ErrorKind, Health, Identity, Raw};
use serde::Deserialize;
use tokio::time::Instant;

use crate::GitHub;

const DESCRIPTOR: Descriptor = Descriptor::new(
    "github",
    "GitHub",
    env!("CARGO_PKG_VERSION"),
    &[AuthKind::Anonymous, AuthKind::Bearer],
    "https://docs.github.com/rest",
);

/// What says who it is; lean, so that identity needs no category of endpoints.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    email: Option<String>,
}

#[async_trait]
impl Connector for GitHub {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error> {
        let user = self.send(Raw::<_, User>::get("/user")?).context(cx).await?;
        Ok(Identity::new("github", user.id.to_string()).with_account(Some(user.login)).with_email(user.email))
    }

    async fn health(&self, cx: &Context) -> Health {
        let begun = Instant::now();
        // Costs nothing from the primary limit, and works without a token.
        let limits = Raw::<_, serde_json::Value>::get("/rate_limit");
        let result = match limits {
            Ok(limits) => self.send(limits).context(cx).await,
            Err(error) => Err(error),
        };
        // Enterprise Server answers 404 while its rate limits are off: it is up all the same.
        let result = match result {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(serde_json::Value::Null),
            other => other,
        };
        Health::of(result, begun.elapsed())
    }

    fn quota(&self, _cx: &Context) -> Vec<QuotaStatus> {
        connect_core::Client::quota(self).status()
    }
}

#[cfg(feature = "by-name")]
#[async_trait]
impl connect_core::by_name::CallByName for GitHub {
    fn catalog(&self) -> &'static connect_core::by_name::Catalog {
        &crate::CATALOG
    }

    async fn call(
        &self,
        cx: &Context,
        operation: &str,
        arguments: serde_json::Value,
    ) -> Result<serde_json::Value, Error> {
        connect_core::by_name::call(self, &crate::CATALOG, cx, operation, arguments).await
    }
}
