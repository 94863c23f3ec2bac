//! Slack as a host sees it: identity and health.

use async_trait::async_trait;
use connect_core::quota::QuotaStatus;
use connect_core::{
    AuthKind, Connector, Context, Descriptor, Error, Health, Identity, Method, Operation, Raw, Request,
    Safety,
};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{Slack, SlackApi};

const DESCRIPTOR: Descriptor = Descriptor::new(
    "slack",
    "Slack",
    env!("CARGO_PKG_VERSION"),
    &[AuthKind::Bearer],
    "https://docs.slack.dev/reference/methods",
);

/// `auth.test`, lean and without its category of endpoints, so that identity needs none.
fn auth_test() -> Result<Raw<SlackApi, Tested>, Error> {
    let row = Operation::raw("auth.test", Method::POST, "/auth.test").safety(Safety::Safe);
    Request::builder(&row).build().map(Raw::new)
}

/// What says who it is.
#[derive(Deserialize)]
struct Tested {
    user_id: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    team: String,
}

#[async_trait]
impl Connector for Slack {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error> {
        let test = self.send(auth_test()?).context(cx).await?;
        Ok(Identity::new("slack", test.user_id).with_account(Some(format!("{} in {}", test.user, test.team))))
    }

    async fn health(&self, cx: &Context) -> Health {
        let begun = Instant::now();
        let result = match auth_test() {
            Ok(test) => self.send(test).context(cx).await,
            Err(error) => Err(error),
        };
        Health::of(result, begun.elapsed())
    }

    fn quota(&self, _cx: &Context) -> Vec<QuotaStatus> {
        connect_core::Client::quota(self).status()
    }
}

#[cfg(feature = "by-name")]
#[async_trait]
impl connect_core::by_name::CallByName for Slack {
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
