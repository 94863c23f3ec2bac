//! GitHub -> Slack: what happens to pull requests and issues becomes one readable message each.
//!
//! A post whose fate is unknown is looked for in the channel before it is repeated.

use std::collections::BTreeSet;

use connect_flow::{Cx, Envelope, Failure, Handled};
use connect_github::webhook::{Event, PullRequest, Repository, SimpleUser};
use connect_slack::mrkdwn;

use super::failure;
use super::slack_thread::{Place, Poster};
use crate::settings::{Settings, SlackSettings};

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
    poster: Poster,
    channel: String,
    /// Only these actions are announced; `None` is all of them.
    actions: Option<BTreeSet<String>>,
}

impl GitHubToSlack {
    pub(super) fn new(slack: &SlackSettings, settings: &Settings) -> Self {
        let poster = Poster::new(slack.client.clone(), settings.settle);
        Self { poster, channel: slack.channel.clone(), actions: settings.actions.clone() }
    }

    pub(super) async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        let parsed = Event::parse(&event.event_type, &event.payload).map_err(failure::of_payload)?;
        let (action, text) = match &parsed {
            Event::PullRequest(event) => {
                let what = pull_request(event.action.as_str(), &event.pull_request);
                (event.action.as_str(), message(&event.repository, &event.sender, &what))
            }
            Event::Issues(event) => {
                let link = link(event.issue.number, &event.issue.title, &event.issue.html_url);
                let what = format!("{} issue {link}", mrkdwn::escape(words(event.action.as_str())));
                (event.action.as_str(), message(&event.repository, &event.sender, &what))
            }
            other => return Ok(Handled::Skipped(format!("nothing to say about {}", other.name()))),
        };
        if self.actions.as_ref().is_some_and(|actions| !actions.contains(action)) {
            return Ok(Handled::Skipped(format!("the action {action} is not announced")));
        }
        let place = Place { channel: &self.channel, thread: None };
        let ts = self.poster.post(cx, "post-message", &event.dedupe_key, place, text).await?;
        Ok(Handled::Done(format!("posted {ts} to {}", self.channel)))
    }
}

fn message(repository: &Repository, sender: &SimpleUser, what: &str) -> String {
    let name = mrkdwn::escape(&repository.full_name);
    let who = if sender.login.is_empty() { "somebody".into() } else { mrkdwn::escape(&sender.login) };
    format!("*{name}* {who} {what}")
}

fn pull_request(action: &str, pull: &PullRequest) -> String {
    let verb = match action {
        "closed" if pull.merged == Some(true) => "merged",
        "opened" if pull.draft => "opened draft",
        _ => words(action),
    };
    let link = link(pull.number, &pull.title, &pull.html_url);
    if pull.head.r#ref.is_empty() || pull.base.r#ref.is_empty() {
        return format!("{} pull request {link}", mrkdwn::escape(verb));
    }
    let verb = mrkdwn::escape(verb);
    let (head, base) = (mrkdwn::escape(&pull.head.r#ref), mrkdwn::escape(&pull.base.r#ref));
    format!("{verb} pull request {link} (`{head}` → `{base}`)")
}

fn link(number: i64, title: &str, url: &str) -> String {
    mrkdwn::link(url, &format!("#{number} {title}"))
}

fn words(action: &str) -> &str {
    WORDS.iter().find(|(known, _)| *known == action).map_or(action, |(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(event: &str, payload: serde_json::Value) -> String {
        match Event::parse(event, payload.to_string().as_bytes()).unwrap() {
            Event::PullRequest(event) => message(
                &event.repository,
                &event.sender,
                &pull_request(event.action.as_str(), &event.pull_request),
            ),
            Event::Issues(event) => {
                let link = link(event.issue.number, &event.issue.title, &event.issue.html_url);
                message(
                    &event.repository,
                    &event.sender,
                    &format!("{} issue {link}", words(event.action.as_str())),
                )
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
