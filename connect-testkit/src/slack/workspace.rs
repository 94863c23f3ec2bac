//! What the fake Slack remembers: one workspace, its channels and its messages.
//!
//! Everything starts empty and lives as long as the fake. Timestamps are unique and increase over the whole
//! workspace, as text of the form `seconds.micros` that is never read as a floating-point number.
//! Not persistent and never trimmed: a fake serves one test.

use serde_json::{Value, json};

/// Ids of the one team and the one app, in Slack's form.
pub(crate) const TEAM: &str = "T0TESTKIT";
pub(crate) const TEAM_NAME: &str = "Testkit";
pub(crate) const APP: &str = "A0TESTKIT";
pub(crate) const BOT: &str = "B0TESTKIT";
pub(crate) const BOT_USER: &str = "U0TESTKITBOT";
pub(crate) const BOT_NAME: &str = "testkit-bot";
/// Who wrote the messages that a test adds by hand.
pub(crate) const HUMAN: &str = "U0TESTKITMONA";

pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: u64,
}

/// A message as the fake holds it, for assertions.
///
/// Look it up with [`FakeSlack::messages`](crate::FakeSlack::messages).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Id of the channel.
    pub channel: String,
    /// The timestamp that names the message in its channel.
    pub ts: String,
    /// The text; empty when only blocks were sent.
    pub text: String,
    /// Id of the user who wrote it.
    pub user: String,
    /// Id of the bot that wrote it, if it was one.
    pub bot_id: Option<String>,
    /// The timestamp of the message that the thread hangs on, for replies.
    pub thread_ts: Option<String>,
    /// Whether a reply is shown in the channel too.
    pub reply_broadcast: bool,
    /// The metadata, as JSON however it was sent.
    pub metadata: Option<Value>,
    /// The blocks, as JSON however they were sent.
    pub blocks: Option<Value>,
    /// The attachments, as JSON however they were sent.
    pub attachments: Option<Value>,
}

impl Message {
    /// Whether it is shown in the channel itself.
    pub(crate) fn is_in_channel(&self) -> bool {
        self.thread_ts.is_none() || self.reply_broadcast
    }
}

pub(crate) struct Workspace {
    pub(crate) channels: Vec<Channel>,
    pub(crate) messages: Vec<Message>,
    last_micros: u64,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self { channels: Vec::new(), messages: Vec::new(), last_micros: 0 }
    }

    /// Adds a channel, or renames the one that has this id.
    pub(crate) fn add_channel(&mut self, id: &str, name: &str, now: u64) {
        let name = name.trim_start_matches('#').to_owned();
        match self.channels.iter_mut().find(|channel| channel.id == id) {
            Some(channel) => channel.name = name,
            None => self.channels.push(Channel { id: id.to_owned(), name, created: now }),
        }
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// Posting still takes names, with or without `#`.
    pub(crate) fn channel_by_id_or_name(&self, id_or_name: &str) -> Option<&Channel> {
        let name = id_or_name.trim_start_matches('#');
        self.channel(id_or_name).or_else(|| self.channels.iter().find(|channel| channel.name == name))
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.channel == channel && message.ts == ts)
    }

    pub(crate) fn replies(&self, root: &Message) -> Vec<&Message> {
        self.messages
            .iter()
            .filter(|message| {
                message.channel == root.channel && message.thread_ts.as_deref() == Some(root.ts.as_str())
            })
            .collect()
    }

    /// The next free timestamp: now, or just behind the last one.
    pub(crate) fn next_ts(&mut self, now: u64) -> String {
        self.last_micros = now.saturating_mul(1_000_000).max(self.last_micros).saturating_add(1);
        format!("{}.{:06}", self.last_micros / 1_000_000, self.last_micros % 1_000_000)
    }

    /// The message as Slack writes it; a thread's parent also says what hangs on it.
    pub(crate) fn json(&self, message: &Message, with_metadata: bool) -> Value {
        let mut json = json!({
            "type": "message",
            "ts": message.ts,
            "text": message.text,
            "user": message.user,
            "team": TEAM,
        });
        if let Some(bot) = &message.bot_id {
            json["bot_id"] = bot.as_str().into();
            json["app_id"] = APP.into();
            json["bot_profile"] = json!({
                "id": bot, "app_id": APP, "team_id": TEAM, "name": BOT_NAME, "deleted": false, "updated": 0,
                "icons": {},
            });
        }
        let documents = [("blocks", &message.blocks), ("attachments", &message.attachments)];
        let metadata = with_metadata.then_some(("metadata", &message.metadata));
        for (name, document) in documents.into_iter().chain(metadata) {
            if let Some(document) = document {
                json[name] = document.clone();
            }
        }
        if let Some(thread) = &message.thread_ts {
            json["thread_ts"] = thread.as_str().into();
            if let Some(root) = self.message(&message.channel, thread) {
                json["parent_user_id"] = root.user.as_str().into();
            }
            if message.reply_broadcast {
                json["subtype"] = "thread_broadcast".into();
            }
        } else {
            self.describe_thread(message, &mut json);
        }
        json
    }

    fn describe_thread(&self, parent: &Message, json: &mut Value) {
        let replies = self.replies(parent);
        let Some(latest) = replies.last() else { return };
        let mut users: Vec<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        json["thread_ts"] = parent.ts.as_str().into();
        json["reply_count"] = replies.len().into();
        json["reply_users_count"] = users.len().into();
        json["reply_users"] = users.into();
        json["latest_reply"] = latest.ts.as_str().into();
        json["is_locked"] = false.into();
        json["subscribed"] = false.into();
    }
}

/// A timestamp in microseconds; `None` when it is no `seconds` or `seconds.micros`.
pub(crate) fn micros(ts: &str) -> Option<u64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_the_same_second_increase() {
        let mut workspace = Workspace::new();
        let now = 1_700_000_000;
        assert_eq!(workspace.next_ts(now), "1700000000.000001");
        assert_eq!(workspace.next_ts(now), "1700000000.000002");
        assert_eq!(workspace.next_ts(now - 5), "1700000000.000003");
        assert_eq!(workspace.next_ts(now + 1), "1700000001.000001");
    }

    #[test]
    fn timestamps_are_read_without_floating_point() {
        let cases = [
            ("1503435956.000247", Some(1_503_435_956_000_247)),
            ("1503435956", Some(1_503_435_956_000_000)),
            ("0", Some(0)),
            ("1.5", Some(1_500_000)),
            ("1.", Some(1_000_000)),
            ("-1", None),
            ("1.2345678", None),
            ("99999999999999999999", None),
            ("now", None),
        ];
        for (text, expected) in cases {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
