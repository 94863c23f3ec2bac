//! What happens on an event: one file per flow, and the choice between them.

mod github_to_slack;

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use connect_flow::handler::{Failure, Handled};
use connect_flow::{Envelope, Handler};

use crate::settings::Settings;
use github_to_slack::GitHubToSlack;

/// All flows of this hub.
pub(crate) struct Flows {
    github_to_slack: Option<GitHubToSlack>,
    /// Kinds of events that were reported as unknown: once each is enough.
    reported: Mutex<BTreeSet<String>>,
}

/// More kinds of unknown events than any provider has: beyond it they are only counted.
const MOST_REPORTED: usize = 1_000;

impl Flows {
    pub(crate) fn new(settings: &Settings) -> Self {
        let github_to_slack = match (&settings.github, &settings.slack) {
            (Some(_), Some(slack)) => Some(GitHubToSlack::new(
                slack.client.clone(),
                slack.channel.clone(),
                settings.actions.clone(),
            )),
            _ => None,
        };
        Self { github_to_slack, reported: Mutex::default() }
    }

    fn unknown(&self, envelope: &Envelope) -> Handled {
        let kind = format!("{} {}", envelope.source, envelope.event_type);
        let mut reported = self.reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if reported.len() < MOST_REPORTED && reported.insert(kind.clone()) {
            tracing::warn!(kind, "no flow for events of this kind; they are accepted and counted");
        }
        Handled::Skipped(format!("no flow for {kind}"))
    }
}

#[async_trait]
impl Handler for Flows {
    async fn handle(&self, envelope: &Envelope) -> Result<Handled, Failure> {
        match (&*envelope.source, envelope.event_type.as_str(), &self.github_to_slack) {
            ("github", "pull_request" | "issues", Some(flow)) => flow.handle(envelope).await,
            ("github", "ping", _) => Ok(Handled::Skipped("GitHub checked the endpoint".into())),
            _ => Ok(self.unknown(envelope)),
        }
    }
}
