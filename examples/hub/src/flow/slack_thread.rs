//! Posts into a Slack channel or thread, once: the message carries metadata by which it is found again.

use std::time::Duration;

use connect_core::Paged;
use connect_flow::step::StepError;
use connect_flow::{Cx, Failure, Policy, Timestamp};
use connect_slack::model::Message;
use connect_slack::{Slack, SlackApi, chat, conversations};
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::sync::Mutex;

use super::failure;

/// The name of our metadata on Slack messages.
const METADATA: &str = "connect_event";

/// How much earlier than the first attempt a message may be dated: Slack's clock is not ours.
const SKEW: Duration = Duration::from_secs(600);

/// How many messages are looked through at most; beyond, the answer is "cannot tell" and never "not there".
const MOST_MESSAGES: usize = 20_000;

/// Where to post.
pub(super) struct Place<'a> {
    pub(super) channel: &'a str,
    /// The thread's first message; `None` for the channel itself.
    pub(super) thread: Option<&'a str>,
}

pub(super) struct Poster {
    slack: Slack,
    settle: Duration,
    /// One post at a time, in order of arrival: Slack takes about one a second per channel, so a burst sent at once
    /// would only compete for the same limit.
    turn: Mutex<()>,
}

impl Poster {
    pub(super) fn new(slack: Slack, settle: Duration) -> Self {
        Self { slack, settle, turn: Mutex::new(()) }
    }

    /// Posts, and yields the message's `ts`. `step` and `key` name the effect; see [`Cx::step`].
    pub(super) async fn post(
        &self,
        cx: &Cx,
        step: &str,
        key: &str,
        place: Place<'_>,
        text: String,
    ) -> Result<String, Failure> {
        let id = format!("{}/{step}/{key}", cx.tenant());
        let policy = Policy::Probe { look: |since| self.find(&place, &id, since), settle: self.settle };
        cx.step(step, key, policy, || async {
            let metadata = json!({"event_type": METADATA, "event_payload": {"id": id}});
            let mut post =
                chat::PostMessage::new(place.channel).text(text).unfurl_links(false).metadata(metadata);
            if let Some(thread) = place.thread {
                post = post.thread_ts(thread);
            }
            let _turn = self.turn.lock().await;
            self.slack.send(post).await.map(|posted| posted.ts).map_err(|error| failure::of_write(&error))
        })
        .await
    }

    /// Looks for the message that carries this id, from shortly before the first attempt until now.
    async fn find(&self, place: &Place<'_>, id: &str, since: Timestamp) -> Result<Option<String>, StepError> {
        let oldest =
            since.as_micros().saturating_sub(i64::try_from(SKEW.as_micros()).unwrap_or(i64::MAX)).max(0);
        let oldest = Timestamp::from_micros(oldest).to_string();
        match place.thread {
            Some(thread) => {
                let replies = conversations::Replies::new(place.channel, thread);
                self.search(replies.include_all_metadata(true).oldest(oldest), id).await
            }
            None => {
                let history = conversations::History::new(place.channel);
                self.search(history.include_all_metadata(true).oldest(oldest), id).await
            }
        }
    }

    async fn search<E>(&self, list: E, id: &str) -> Result<Option<String>, StepError>
    where
        E: Paged<Api = SlackApi, Item = Message>,
    {
        let mut messages = self.slack.stream(list);
        let mut seen = 0;
        while let Some(message) =
            messages.try_next().await.map_err(|error| StepError::unknown(failure::of_read(&error)))?
        {
            let carries = message.metadata.as_ref().is_some_and(|metadata| {
                metadata.event_type == METADATA && metadata.event_payload["id"] == id
            });
            if carries {
                return Ok(Some(message.ts));
            }
            seen += 1;
            if seen >= MOST_MESSAGES {
                let message = format!(
                    "{MOST_MESSAGES} messages came since; whether ours is among older ones is unknown"
                );
                return Err(StepError::unknown(Failure::retry("probe_incomplete", message)));
            }
        }
        Ok(None)
    }
}
