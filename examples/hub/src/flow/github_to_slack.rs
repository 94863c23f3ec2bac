//! GitHub -> Slack: what happens to pull requests and issues becomes one readable message each.
//!
//! The message carries the delivery's id as metadata, so that it can be found again in the channel's history. A post
//! whose fate is unknown is not repeated: a missing message is cheaper than a double one, and the failure says so.

use std::collections::BTreeSet;

use connect_flow::Envelope;
use connect_flow::handler::{Failure, Handled};
use connect_github::model::{PullRequest, Repository, SimpleUser};
use connect_github::webhook::Event;
use connect_slack::{ErrorKind, Sent, Slack, chat, mrkdwn};
use serde_json::json;
use tokio::sync::Mutex;

/// The name of our metadata on Slack messages.
const METADATA: &str = "connect_event";

/// What GitHub calls it, and what people say. Anything else is said in GitHub's words.
const WORDS: &[(&str, &str)] = &[
    ("converted_to_draft", "made a draft of"),
    ("edited", "edited"),
    ("labeled", "labeled"),
    ("opened", "opened"),
    ("ready_for_review", "asks to review"),
    ("reopened", "reopened"),
    ("review_requested", "requested a review of"),
    ("synchronize", "pushed to"),
];

pub(super) struct GitHubToSlack {
    slack: Slack,
    channel: String,
    /// Only these actions are announced; `None` is all of them.
    actions: Option<BTreeSet<String>>,
    /// One post at a time, in order of arrival: Slack takes about one a second per channel, so a burst sent at once
    /// would only compete for the same limit.
    turn: Mutex<()>,
}

impl GitHubToSlack {
    pub(super) fn new(slack: Slack, channel: String, actions: Option<BTreeSet<String>>) -> Self {
        Self { slack, channel, actions, turn: Mutex::new(()) }
    }

    pub(super) async fn handle(&self, envelope: &Envelope) -> Result<Handled, Failure> {
        let event = Event::parse(&envelope.event_type, &envelope.payload)
            .map_err(|error| Failure::new("payload", error.to_string()))?;
        let (action, text) = match &event {
            Event::PullRequest(event) => {
                let what = pull_request(&event.action, &event.pull_request);
                (&event.action, message(&event.repository, &event.sender, &what))
            }
            Event::Issues(event) => {
                let link = link(event.issue.number, &event.issue.title, &event.issue.html_url);
                let what = format!("{} issue {link}", mrkdwn::escape(words(&event.action)));
                (&event.action, message(&event.repository, &event.sender, &what))
            }
            other => return Ok(Handled::Skipped(format!("nothing to say about {}", other.name()))),
        };
        if self.actions.as_ref().is_some_and(|actions| !actions.contains(action)) {
            return Ok(Handled::Skipped(format!("the action {action} is not announced")));
        }
        let post = chat::PostMessage::new(&self.channel).text(text).unfurl_links(false).metadata(json!({
            "event_type": METADATA,
            "event_payload": {"source": &*envelope.source, "id": envelope.dedupe_key},
        }));
        let _turn = self.turn.lock().await;
        match self.slack.send(post).await {
            Ok(posted) => Ok(Handled::Done(format!("posted {} to {}", posted.ts, posted.channel))),
            Err(error) => {
                // Refused or never sent: GitHub's "redeliver" may try the same delivery again.
                let nothing_done = error.sent() == Sent::No || error.kind() == ErrorKind::RateLimited;
                Err(Failure::new(error.kind().name(), error.to_string()).with_nothing_done(nothing_done))
            }
        }
    }
}

fn message(repository: &Repository, sender: &SimpleUser, what: &str) -> String {
    let name = mrkdwn::escape(&repository.full_name);
    let who = if sender.login.is_empty() { "somebody".into() } else { mrkdwn::escape(&sender.login) };
    format!("*{name}* {who} {what}")
}

fn pull_request(action: &str, pull: &PullRequest) -> String {
    let verb = match action {
        "closed" if pull.merged => "merged",
        "opened" if pull.draft => "opened draft",
        _ => words(action),
    };
    let link = link(pull.number, &pull.title, &pull.html_url);
    if pull.head.name.is_empty() || pull.base.name.is_empty() {
        return format!("{} pull request {link}", mrkdwn::escape(verb));
    }
    let verb = mrkdwn::escape(verb);
    let (head, base) = (mrkdwn::escape(&pull.head.name), mrkdwn::escape(&pull.base.name));
    format!("{verb} pull request {link} (`{head}` → `{base}`)")
}

fn link(number: u64, title: &str, url: &str) -> String {
    mrkdwn::link(url, &format!("#{number} {title}"))
}

fn words(action: &str) -> &str {
    WORDS.iter().find(|(known, _)| *known == action).map_or(action, |(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: &str, payload: serde_json::Value) -> String {
        match Event::parse(event, payload.to_string().as_bytes()).unwrap() {
            Event::PullRequest(event) => {
                message(&event.repository, &event.sender, &pull_request(&event.action, &event.pull_request))
            }
            Event::Issues(event) => {
                let link = link(event.issue.number, &event.issue.title, &event.issue.html_url);
                message(&event.repository, &event.sender, &format!("{} issue {link}", words(&event.action)))
            }
            other => other.name().to_owned(),
        }
    }

    fn pull(action: &str, title: &str, more: serde_json::Value) -> serde_json::Value {
        let mut pull = json!({
            "id": 1, "number": 7, "title": title, "html_url": "https://github.example/octo/hello/pull/7",
            "head": {"ref": "door"}, "base": {"ref": "main"}
        });
        pull.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"action": action, "pull_request": pull, "repository": {"id": 1, "full_name": "octo/hello"},
               "sender": {"id": 2, "login": "mona"}})
    }

    #[test]
    fn a_message_reads_like_a_sentence() {
        assert_eq!(
            text("pull_request", pull("opened", "Fix the door", json!({}))),
            "*octo/hello* mona opened pull request <https://github.example/octo/hello/pull/7|#7 Fix the door> \
             (`door` → `main`)"
        );
        assert!(
            text("pull_request", pull("closed", "x", json!({"merged": true}))).contains("mona merged pull")
        );
        assert!(text("pull_request", pull("closed", "x", json!({}))).contains("mona closed pull"));
        assert!(text("pull_request", pull("invented", "x", json!({}))).contains("mona invented pull"));
    }

    #[test]
    fn a_title_cannot_wake_the_channel() {
        let text = text("pull_request", pull("opened", "<!channel> & <https://evil.example|x>", json!({})));
        assert!(!text.contains("<!channel>") && !text.contains("<https://evil"), "{text}");
        let text = self::text("pull_request", pull("<!here>", "x", json!({})));
        assert!(!text.contains("<!here>"), "{text}");
    }
}
