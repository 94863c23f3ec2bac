//! Webhooks to Slack: each verified event of GitHub becomes one message.
//!
//! The handler only reads the event and puts a line into a queue, so GitHub is answered at once; a task posts one line after
//! the other. A delivery that comes again (GitHub keeps its id) is answered and dropped. A full queue is answered 503: the
//! delivery then shows as failed at GitHub, from where it can be asked for again.
//!
//! Queue and memory end with the process: what was answered and not yet posted is lost. The hub (`examples/hub`) is the
//! durable one: there a 2xx means that the event is on disk.

use std::time::Duration;

use connect_github::webhook::{Event, Received};
use connect_slack::{Slack, chat, mrkdwn};
use connect_webhook::{BuildError, Deduplicating, Endpoint, HandlerError, Receiver, Router, Verifier};
use futures_util::future::ready;
use tokio::sync::mpsc::{Receiver as Lines, Sender, channel, error::TrySendError};

use crate::command::complain;

/// How many messages may wait. Slack takes about one a second into a channel, so this is minutes.
const MOST_WAITING: usize = 256;

/// When a delivery that found the queue full may come again.
const WHEN_FULL: Duration = Duration::from_secs(30);

/// The receiver for `POST /webhooks/github`, and the lines that it makes.
///
/// # Errors
/// As [`Receiver::builder`].
pub fn receiver(verifier: Verifier) -> Result<(Receiver, Lines<String>), BuildError> {
    let (sender, lines) = channel(MOST_WAITING);
    let router =
        Router::new().on_any("github", move |received: Received| ready(take(&sender, &received.event)));
    let receiver = Receiver::builder()
        .endpoint(Endpoint::new("default", "github", verifier))
        .sink(Deduplicating::new(router))
        .build()?;
    Ok((receiver, lines))
}

fn take(sender: &Sender<String>, event: &Event) -> Result<(), HandlerError> {
    let Some(line) = line(event) else { return Ok(()) };
    sender.try_send(line).map_err(|refusal| match refusal {
        TrySendError::Full(_) => HandlerError::retry_after(WHEN_FULL, "too many messages wait for Slack"),
        TrySendError::Closed(_) => HandlerError::transient("nobody posts any more: the program is ending"),
    })
}

/// What is said about an event; `None` about those that this program has no words for.
fn line(event: &Event) -> Option<String> {
    let (action, repository, sender, what, link) = match event {
        Event::Issues(event) => {
            let (issue, action) = (&event.issue, event.action.as_str());
            let link = (issue.number, &issue.title, issue.html_url.to_string());
            (action, &event.repository.full_name, &event.sender.login, "issue", link)
        }
        Event::PullRequest(event) => {
            let (pull, action) = (&event.pull_request, event.action.as_str());
            let link = (pull.number, &pull.title, pull.html_url.to_string());
            (action, &event.repository.full_name, &event.sender.login, "pull request", link)
        }
        _ => return None,
    };
    // What people wrote is text to Slack, and no markup.
    let (repository, sender) = (mrkdwn::escape(repository), mrkdwn::escape(sender));
    let (number, title, url) = link;
    let link = mrkdwn::link(&url, &format!("#{number} {title}"));
    Some(format!("*{repository}* {sender} {} {what} {link}", mrkdwn::escape(&action.replace('_', " "))))
}

/// Posts the lines one by one, until there are no more senders. A line that Slack refuses is told and left out; one whose
/// fate is unknown is not posted again, because a message that is missing is better than one that is doubled.
pub async fn post(slack: &Slack, channel: &str, mut lines: Lines<String>) {
    while let Some(line) = lines.recv().await {
        if let Err(error) = slack.send(chat::PostMessage::new(channel).text(line)).await {
            complain(format_args!("a message was not posted: {error:#}"));
        }
    }
}
