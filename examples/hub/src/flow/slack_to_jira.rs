//! Slack -> Jira: a message shortcut becomes an issue, linked to the message's thread in both directions.
//!
//! Three effects: create the issue (found again by its label), remember the mapping, post the link into the thread (found
//! again by its metadata). Jira's search lags behind, so a fresh issue that is not found counts as absent only after the
//! settling time.

use std::time::Duration;

use connect_flow::clock::Timestamp;
use connect_flow::mapping::{Linked, Mapping};
use connect_flow::step::StepError;
use connect_flow::{Cx, Envelope, Failure, Handled, Policy};
use connect_jira::{Jira, adf, issue_search, issues};
use connect_slack::webhook::MessageAction;
use futures_util::TryStreamExt;
use serde_json::json;

use super::failure;
use super::slack_thread::{Place, Poster};
use crate::settings::{JiraProject, Settings, SlackSettings};

/// Jira's limit for one line.
const SUMMARY_CHARS: usize = 200;

pub(super) struct SlackToJira {
    jira: Jira,
    poster: Poster,
    project: JiraProject,
    settle: Duration,
}

impl SlackToJira {
    pub(super) fn new(slack: &SlackSettings, jira: Jira, project: JiraProject, settings: &Settings) -> Self {
        let poster = Poster::new(slack.client.clone(), settings.settle);
        Self { jira, poster, project, settle: settings.settle }
    }

    pub(super) async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        let action: MessageAction = serde_json::from_slice(&event.payload).map_err(|_| {
            failure::of_payload("the payload is no message shortcut: it lacks the channel or the message")
        })?;
        let (channel, ts) = (action.channel.id.as_str(), action.message.ts.as_str());
        let key = event.dedupe_key.as_str();
        let label = label(key);

        let policy = Policy::Probe { look: |_| self.find(&label), settle: self.settle };
        let issue = cx.step("create-issue", key, policy, || self.create(&action, &label)).await?;

        let mapping = Mapping {
            source_service: "slack".to_owned(),
            source_id: format!("{channel}/{ts}"),
            target_service: "jira".to_owned(),
            target_id: issue.clone(),
            created_at: Timestamp::from_micros(cx.now().as_micros()),
        };
        match cx.store().link(cx.tenant(), mapping).await {
            Ok(Linked::New | Linked::Same) => {}
            Ok(Linked::Conflict(other)) => {
                let message =
                    format!("{issue} was made, but the message is linked to {} already", other.target_id);
                return Err(Failure::permanent("mapping_conflict", message));
            }
            Err(error) => return Err(Failure::retry("store", error.to_string())),
        }

        let thread = action.message.thread_ts.as_deref().unwrap_or(ts);
        let text = format!("Created <{}/browse/{issue}|{issue}>", self.project.site);
        self.poster.post(cx, "post-link", key, Place { channel, thread: Some(thread) }, text).await?;
        Ok(Handled::Done(format!("created {issue} for {channel}/{ts}")))
    }

    async fn create(&self, action: &MessageAction, label: &str) -> Result<String, StepError> {
        let text = &action.message.text;
        let summary = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("A message without text");
        let summary: String = summary.chars().take(SUMMARY_CHARS).collect();
        let who = action.user.name.as_deref().or(action.user.username.as_deref()).unwrap_or(&action.user.id);
        let fields = json!({
            "project": {"key": self.project.key},
            "issuetype": {"name": self.project.issue_type},
            "summary": summary,
            "description": adf::text(&format!("{text}\n\nFrom Slack, by {who}.")),
            "labels": [label],
        });
        let created = self.jira.send(issues::CreateIssue::new(fields)).await;
        created.map(|created| created.key).map_err(|error| failure::of_write(&error))
    }

    /// Looks for the issue that an earlier attempt may have made.
    async fn find(&self, label: &str) -> Result<Option<String>, StepError> {
        let jql = format!("project = \"{}\" AND labels = \"{label}\"", self.project.key);
        let search = issue_search::Search::new(jql).fields(["summary"]).max_results(2);
        let mut found = self.jira.stream(search);
        let first = found.try_next().await.map_err(|error| StepError::unknown(failure::of_read(&error)))?;
        Ok(first.map(|issue| issue.key))
    }
}

/// The key as a label: Jira's labels have no blanks, and quotes would end the query's string.
fn label(key: &str) -> String {
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' }
    };
    format!("connect-{}", key.chars().map(safe).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_no_blanks_and_no_quotes() {
        assert_eq!(label("T1:C1:1700000000.000100"), "connect-T1-C1-1700000000.000100");
        assert_eq!(label("a \"b\" \\"), "connect-a--b---");
    }
}
