//! Jira as a host sees it: identity and health.

use async_trait::async_trait;
use connect_core::quota::QuotaStatus;
use connect_core::{AuthKind, Connector, Context, Descriptor, Error, Health, Identity};
use tokio::time::Instant;

use crate::{Jira, myself};

const DESCRIPTOR: Descriptor = Descriptor::new(
    "jira",
    "Jira",
    env!("CARGO_PKG_VERSION"),
    &[AuthKind::Basic, AuthKind::Bearer],
    "https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/",
);

#[async_trait]
impl Connector for Jira {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error> {
        let user = self.send(myself::GetCurrentUser::new()).context(cx).await?;
        Ok(Identity::new("jira", user.account_id)
            .with_account(Some(user.display_name))
            .with_email(user.email_address))
    }

    async fn health(&self, cx: &Context) -> Health {
        let begun = Instant::now();
        let result = self.send(myself::GetCurrentUser::new()).context(cx).await;
        Health::of(result, begun.elapsed())
    }

    fn quota(&self, _cx: &Context) -> Vec<QuotaStatus> {
        connect_core::Client::quota(self).status()
    }
}
