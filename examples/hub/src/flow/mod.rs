//! What happens on an event: one file per flow, and the choice between them.

mod failure;
mod github_to_slack;
mod jira_to_slack;
mod slack_thread;
mod slack_to_jira;

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use connect_flow::{Cx, Envelope, Failure, Handled, Handler};

use crate::settings::Settings;
use github_to_slack::GitHubToSlack;
use jira_to_slack::JiraToSlack;
use slack_to_jira::SlackToJira;

/// All flows of this hub; those whose services are not both configured are absent.
pub(crate) struct Flows {
    github_to_slack: Option<GitHubToSlack>,
    slack_to_jira: Option<SlackToJira>,
    jira_to_slack: Option<JiraToSlack>,
    /// Kinds of events that were reported as unknown: once each is enough.
    reported: Mutex<BTreeSet<String>>,
}

/// More kinds of unknown events than any provider has: beyond it they are only counted.
const MOST_REPORTED: usize = 1_000;

/// Per source, which event types have a flow, and where they go. The rows of one flow stand together.
const ROUTES: &[(&str, &str, &str)] = &[
    ("github", "pull_request", "slack"),
    ("github", "issues", "slack"),
    ("slack", "message_action", "jira"),
    ("jira", "jira:issue_updated", "slack"),
    ("jira", "comment_created", "slack"),
];

fn route(event: &Envelope) -> Option<&'static str> {
    ROUTES
        .iter()
        .find(|(source, kind, _)| *source == &*event.source && *kind == event.event_type)
        .map(|row| row.2)
}

/// From where to where the flows lead.
pub(crate) fn ways() -> Vec<(&'static str, &'static str)> {
    let mut ways: Vec<_> = ROUTES.iter().map(|&(source, _, target)| (source, target)).collect();
    ways.dedup();
    ways
}

impl Flows {
    pub(crate) fn new(settings: &Settings) -> Self {
        let slack = settings.slack.as_ref();
        let jira = settings.jira.as_ref();
        let github_to_slack = match (&settings.github, slack) {
            (Some(_), Some(slack)) => Some(GitHubToSlack::new(slack, settings)),
            _ => None,
        };
        let (mut slack_to_jira, mut jira_to_slack) = (None, None);
        if let (Some(slack), Some(jira)) = (slack, jira) {
            jira_to_slack = Some(JiraToSlack::new(slack, jira.client.clone(), settings));
            if let Some(project) = &jira.project {
                slack_to_jira = Some(SlackToJira::new(slack, jira.client.clone(), project.clone(), settings));
            }
        }
        Self { github_to_slack, slack_to_jira, jira_to_slack, reported: Mutex::default() }
    }

    fn unknown(&self, event: &Envelope) -> Handled {
        let kind = format!("{} {}", event.source, event.event_type);
        let mut reported = self.reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if reported.len() < MOST_REPORTED && reported.insert(kind.clone()) {
            tracing::warn!(kind, "no flow for events of this kind; they are accepted and counted");
        }
        Handled::Skipped(format!("no flow for {kind}"))
    }
}

#[async_trait]
impl Handler for Flows {
    async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        if &*event.source == "github" && event.event_type == "ping" {
            return Ok(Handled::Skipped("GitHub checked the endpoint".into()));
        }
        if route(event).is_none() {
            return Ok(self.unknown(event));
        }
        match (&*event.source, &self.github_to_slack, &self.slack_to_jira, &self.jira_to_slack) {
            ("github", Some(flow), _, _) => flow.handle(event, cx).await,
            ("slack", _, Some(flow), _) => flow.handle(event, cx).await,
            ("jira", _, _, Some(flow)) => flow.handle(event, cx).await,
            _ => Ok(Handled::Skipped(format!("the flow for {} needs a service that is off", event.source))),
        }
    }

    fn target(&self, event: &Envelope) -> &str {
        route(event).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flow_leads_one_way() {
        assert_eq!(ways(), [("github", "slack"), ("slack", "jira"), ("jira", "slack")]);
    }
}
