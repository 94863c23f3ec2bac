//! Slack -> Jira: a message shortcut becomes an issue, linked to the message's thread in both directions.
//!
//! Three effects: create the issue (found again by its label), remember the mapping, post the link into the thread (found
//! again by its metadata). Jira's search lags behind, so a fresh issue that is not found counts as absent only after the
//! settling time.

use std::time::Duration;

use connect_flow::clock::Timestamp;
use connect_flow::mapping::{Linked, Mapping, MappingFilter};
use connect_flow::step::StepError;
use connect_flow::{Cx, Envelope, Failure, Handled, Policy, Slice};
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
        let label = label(cx.tenant(), key);

        // A message that has its issue needs no second one, whoever hands it in again.
        let issue = match linked(cx, &format!("{channel}/{ts}")).await? {
            Some(issue) => issue,
            None => {
                let policy = Policy::Probe { look: |_| self.find(&label), settle: self.settle };
                cx.step("create-issue", key, policy, || self.create(&action, &label)).await?
            }
        };

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

/// Tenant and key as a label: readable where they are short, and told apart by a hash, because Jira's labels have no
/// blanks and an end, and quotes would end the query's string.
fn label(tenant: &str, key: &str) -> String {
    const READABLE_CHARS: usize = 64;
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' }
    };
    let readable: String = key.chars().take(READABLE_CHARS).map(safe).collect();
    format!("connect-{readable}-{:016x}", fingerprint([tenant, key]))
}

/// FNV-1a: the same in every version of this program, as a label must be. A length goes before each part, so that ("a",
/// "bc") is not ("ab", "c").
fn fingerprint(parts: [&str; 2]) -> u64 {
    let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
    let bytes = parts.iter().zip(&lengths).flat_map(|(part, length)| length.iter().chain(part.as_bytes()));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The issue that a message is linked to.
async fn linked(cx: &Cx, message: &str) -> Result<Option<String>, Failure> {
    let filter = MappingFilter {
        source_service: Some("slack".to_owned()),
        source_id: Some(message.to_owned()),
        target_service: Some("jira".to_owned()),
        target_id: None,
    };
    let slice = Slice { offset: 0, limit: 1 };
    let found = cx.store().mappings(cx.tenant(), &filter, slice).await;
    let found = found.map_err(|error| Failure::retry("store", error.to_string()))?;
    Ok(found.rows.into_iter().next().map(|mapping| mapping.target_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_and_safe_and_belongs_to_one_tenant_and_key() {
        let labels = [
            label("acme", "T1:C1:1700000000.000100"),
            label("zeta", "T1:C1:1700000000.000100"),
            label("acme", "T1-C1-1700000000.000100"),
            label("acme", "a \"b\" \\"),
            label("acme", &"x".repeat(255)),
            label("acme", &"x".repeat(254)),
        ];
        assert!(labels[0].starts_with("connect-T1-C1-1700000000.000100-"));
        let is_safe = |label: &String| {
            label.len() < 100 && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        assert!(labels.iter().all(is_safe), "{labels:?}");
        let different: std::collections::HashSet<_> = labels.iter().collect();
        assert_eq!(different.len(), labels.len());
    }
}
