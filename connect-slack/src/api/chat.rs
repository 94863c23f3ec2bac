//! Messages.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;
use serde_json::Value;

use crate::SlackApi;
use crate::api::JSON;
use crate::model::{Permalink, PostedMessage};

/// `chat.postMessage`: a message into a channel, or into a thread. Not idempotent: after
/// [`Sent::Maybe`](connect_core::Sent::Maybe) look for it in the channel's history before posting it again.
///
/// <https://docs.slack.dev/reference/methods/chat.postMessage>
///
/// ```
/// use connect_core::Endpoint;
/// let post = connect_slack::chat::PostMessage::new("C0123456789").text("hi").thread_ts("1700000000.000100");
/// assert_eq!(
///     post.request()?.body().as_bytes().unwrap().as_ref(),
///     br#"{"channel":"C0123456789","text":"hi","thread_ts":"1700000000.000100"}"#,
/// );
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct PostMessage {
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_broadcast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_links: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_media: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_emoji: Option<String>,
}

impl PostMessage {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("chat.postMessage", Method::POST, "/chat.postMessage", Safety::Unsafe)
            .docs("https://docs.slack.dev/reference/methods/chat.postMessage");

    /// A message for this channel (an id; Slack also takes `#name` for public channels).
    pub fn new(channel: impl Into<String>) -> Self {
        Self {
            channel: channel.into(),
            text: None,
            markdown_text: None,
            blocks: None,
            metadata: None,
            thread_ts: None,
            reply_broadcast: None,
            unfurl_links: None,
            unfurl_media: None,
            username: None,
            icon_emoji: None,
        }
    }

    /// The text in Slack's markup; escape foreign text with [`mrkdwn::escape`](crate::mrkdwn::escape). With blocks it
    /// is the fallback for notifications.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The text in Markdown, up to 12,000 characters; excludes `text` and `blocks`.
    pub fn markdown_text(mut self, text: impl Into<String>) -> Self {
        self.markdown_text = Some(text.into());
        self
    }

    /// Blocks: a JSON array.
    pub fn blocks(mut self, blocks: Value) -> Self {
        self.blocks = Some(blocks);
        self
    }

    /// Data for apps: `{"event_type": .., "event_payload": {..}}`. Every app in the channel can read it.
    pub fn metadata(mut self, metadata: Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Posts into the thread of this first message (never of a reply).
    pub fn thread_ts(mut self, ts: impl Into<String>) -> Self {
        self.thread_ts = Some(ts.into());
        self
    }

    /// Shows a reply in the channel too.
    pub fn reply_broadcast(mut self, broadcast: bool) -> Self {
        self.reply_broadcast = Some(broadcast);
        self
    }

    /// Shows previews of links to text.
    pub fn unfurl_links(mut self, unfurl: bool) -> Self {
        self.unfurl_links = Some(unfurl);
        self
    }

    /// Shows previews of links to media.
    pub fn unfurl_media(mut self, unfurl: bool) -> Self {
        self.unfurl_media = Some(unfurl);
        self
    }

    /// Posts under another name (needs the scope `chat:write.customize`).
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Posts with another icon, `:name:` (needs the scope `chat:write.customize`).
    pub fn icon_emoji(mut self, emoji: impl Into<String>) -> Self {
        self.icon_emoji = Some(emoji.into());
        self
    }
}

impl Endpoint for PostMessage {
    type Api = SlackApi;
    type Output = PostedMessage;

    fn operation(&self) -> &Operation {
        static ROW: Operation = PostMessage::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).json_as(JSON, self).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<PostedMessage, Error> {
        cx.json(&response)
    }
}

/// `chat.getPermalink`: the address of a message, for people.
///
/// <https://docs.slack.dev/reference/methods/chat.getPermalink>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_slack::chat::GetPermalink::new("C1", "1.2").request()?;
/// assert_eq!(request.path_and_query(), "/chat.getPermalink?channel=C1&message_ts=1.2");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct GetPermalink {
    channel: String,
    message_ts: String,
}

impl GetPermalink {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("chat.getPermalink", Method::GET, "/chat.getPermalink", Safety::Safe)
            .docs("https://docs.slack.dev/reference/methods/chat.getPermalink");

    /// The message with this `ts` in this channel.
    pub fn new(channel: impl Into<String>, message_ts: impl Into<String>) -> Self {
        Self { channel: channel.into(), message_ts: message_ts.into() }
    }
}

impl Endpoint for GetPermalink {
    type Api = SlackApi;
    type Output = Permalink;

    fn operation(&self) -> &Operation {
        static ROW: Operation = GetPermalink::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .query("channel", Some(&self.channel))
            .query("message_ts", Some(&self.message_ts))
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Permalink, Error> {
        cx.json(&response)
    }
}
