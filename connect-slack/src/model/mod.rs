//! What Slack answers with: lean and tolerant. Ids and timestamps stay strings (a message's `ts` must never become a
//! float); unknown fields are ignored.

use serde::Deserialize;

/// What `auth.test` answers.
///
/// <https://docs.slack.dev/reference/methods/auth.test>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuthTest {
    /// The workspace's address.
    #[serde(default)]
    pub url: String,
    /// The workspace's name.
    #[serde(default)]
    pub team: String,
    /// The workspace's id (`T...`).
    #[serde(default)]
    pub team_id: String,
    /// The account's name.
    #[serde(default)]
    pub user: String,
    /// The account's id (`U...`).
    #[serde(default)]
    pub user_id: String,
    /// The bot's id (`B...`), for a bot token.
    pub bot_id: Option<String>,
    /// Does the token belong to a whole organisation?
    #[serde(default)]
    pub is_enterprise_install: bool,
}

/// What `chat.postMessage` answers.
///
/// <https://docs.slack.dev/reference/methods/chat.postMessage>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PostedMessage {
    /// The channel's id, even if a name was given.
    pub channel: String,
    /// The message's id within its channel; also the thread's, for replies.
    pub ts: String,
    /// The message as Slack keeps it.
    #[serde(default)]
    pub message: Message,
}

/// What `chat.getPermalink` answers.
///
/// <https://docs.slack.dev/reference/methods/chat.getPermalink>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Permalink {
    /// The channel's id.
    #[serde(default)]
    pub channel: String,
    /// The message's address, for people.
    #[serde(default)]
    pub permalink: String,
}

/// A message.
///
/// <https://docs.slack.dev/reference/events/message>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Message {
    /// Always `message`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// What kind of message: `bot_message`, `channel_join`; absent for what people write.
    pub subtype: Option<String>,
    /// The id within its channel.
    #[serde(default)]
    pub ts: String,
    /// The text, in Slack's markup.
    #[serde(default)]
    pub text: String,
    /// Who wrote it.
    pub user: Option<String>,
    /// Which bot wrote it.
    pub bot_id: Option<String>,
    /// The thread it belongs to: the id of the thread's first message.
    pub thread_ts: Option<String>,
    /// How many replies, on a thread's first message.
    #[serde(default)]
    pub reply_count: u64,
    /// What an app attached to it.
    pub metadata: Option<Metadata>,
}

/// Data an app attached to a message; every app in the channel can read it.
///
/// <https://docs.slack.dev/messaging/message-metadata>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Metadata {
    /// The app's own name for it.
    #[serde(default)]
    pub event_type: String,
    /// Any JSON object.
    #[serde(default)]
    pub event_payload: serde_json::Value,
}

/// A channel, private channel, group message or direct message.
///
/// <https://docs.slack.dev/reference/objects/conversation-object>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Conversation {
    /// The id; its length may grow.
    pub id: String,
    /// The name without `#`; direct messages have none.
    pub name: Option<String>,
    /// Is it a public or private channel?
    #[serde(default)]
    pub is_channel: bool,
    /// Is it private?
    #[serde(default)]
    pub is_private: bool,
    /// Is it closed?
    #[serde(default)]
    pub is_archived: bool,
    /// Is the token's account in it?
    #[serde(default)]
    pub is_member: bool,
}

/// A page of conversations.
///
/// <https://docs.slack.dev/reference/methods/conversations.list>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ConversationList {
    /// The conversations of this page.
    #[serde(default)]
    pub channels: Vec<Conversation>,
    /// Where the list goes on.
    #[serde(default)]
    pub response_metadata: ResponseMetadata,
}

/// A page of messages.
///
/// <https://docs.slack.dev/reference/methods/conversations.history>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MessageList {
    /// The messages of this page, newest first (replies: oldest first).
    #[serde(default)]
    pub messages: Vec<Message>,
    /// Are there more?
    #[serde(default)]
    pub has_more: bool,
    /// Where the list goes on.
    #[serde(default)]
    pub response_metadata: ResponseMetadata,
}

/// Where a list goes on.
///
/// Part of every list; streams follow it by themselves.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResponseMetadata {
    /// The cursor of the next page; empty on the last one.
    #[serde(default)]
    pub next_cursor: String,
}
