//! Slack as a host sees it: identity and health.

use async_trait::async_trait;
use connect_core::quota::QuotaStatus;
use connect_core::{AuthKind, Connector, Context, Descriptor, Error, Health, Identity};
use tokio::time::Instant;

use crate::{Slack, auth};

const DESCRIPTOR: Descriptor = Descriptor::new(
    "slack",
    "Slack",
    env!("CARGO_PKG_VERSION"),
    &[AuthKind::Bearer],
    "https://docs.slack.dev/reference/methods",
);

#[async_trait]
impl Connector for Slack {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error> {
        let test = self.send(auth::Test::new()).context(cx).await?;
        Ok(Identity::new("slack", test.user_id).with_account(Some(format!("{} in {}", test.user, test.team))))
    }

    async fn health(&self, cx: &Context) -> Health {
        let begun = Instant::now();
        let result = self.send(auth::Test::new()).context(cx).await;
        Health::of(result, begun.elapsed())
    }

    fn quota(&self, _cx: &Context) -> Vec<QuotaStatus> {
        connect_core::Client::quota(self).status()
    }
}
