//! GitHub as a host sees it: identity and health.

use async_trait::async_trait;
use connect_core::quota::QuotaStatus;
use connect_core::{AuthKind, Connector, Context, Descriptor, Error, ErrorKind, Health, Identity, Raw};
use tokio::time::Instant;

use crate::GitHub;
use crate::identity::RATE_LIMIT;

/// What this build can do.
const AUTH: &[AuthKind] = &[
    AuthKind::Anonymous,
    AuthKind::Bearer,
    #[cfg(feature = "app")]
    AuthKind::SigningKey,
    #[cfg(feature = "login")]
    AuthKind::Login,
];

const DESCRIPTOR: Descriptor =
    Descriptor::new("github", "GitHub", env!("CARGO_PKG_VERSION"), AUTH, "https://docs.github.com/rest");

#[async_trait]
impl Connector for GitHub {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error> {
        crate::identity::identity(self, cx).await
    }

    async fn health(&self, cx: &Context) -> Health {
        let begun = Instant::now();
        // Costs nothing from the primary limit, and works without a token; an App itself has its own page instead.
        let question = crate::identity::cheap_question(self);
        let limits = Raw::<_, serde_json::Value>::get(question);
        let result = match limits {
            Ok(limits) => self.send(limits).context(cx).await,
            Err(error) => Err(error),
        };
        // Enterprise Server answers 404 while its rate limits are off: it is up all the same. An App that is not found is not.
        let result = match result {
            Err(error) if error.kind() == ErrorKind::NotFound && question == RATE_LIMIT => {
                Ok(serde_json::Value::Null)
            }
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
