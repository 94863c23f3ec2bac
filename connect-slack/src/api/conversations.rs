//! Channels, private channels, group and direct messages.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Paged, Paging, Request, Response, Safety};
use serde::Serialize;

use crate::SlackApi;
use crate::model::{Conversation, ConversationList, Message, MessageList};

/// `conversations.list`: the conversations of a workspace.
///
/// <https://docs.slack.dev/reference/methods/conversations.list>
///
/// ```
/// use connect_core::Endpoint;
/// let list = connect_slack::conversations::List::new().types("public_channel,private_channel");
/// assert_eq!(
///     list.request()?.path_and_query(),
///     "/conversations.list?limit=200&types=public_channel%2Cprivate_channel",
/// );
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct List {
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude_archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<String>,
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("conversations.list", Method::GET, "/conversations.list", Safety::Safe)
            .paged(Paging::Cursor {
                items: "/channels",
                next: "/response_metadata/next_cursor",
                param: "cursor",
                last: None,
            })
            .docs("https://docs.slack.dev/reference/methods/conversations.list");

    /// All public channels, 200 a page.
    pub fn new() -> Self {
        Self { cursor: None, exclude_archived: None, limit: Some(200), team_id: None, types: None }
    }

    /// The cursor to begin with; streams go on from there by themselves.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Leaves closed ones out.
    pub fn exclude_archived(mut self, exclude_archived: bool) -> Self {
        self.exclude_archived = Some(exclude_archived);
        self
    }

    /// Conversations per page, at most 999; Slack advises 100 to 200.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The workspace, for an organisation's token.
    pub fn team_id(mut self, team_id: impl Into<String>) -> Self {
        self.team_id = Some(team_id.into());
        self
    }

    /// Comma-separated: `public_channel` (the default), `private_channel`, `mpim`, `im`.
    pub fn types(mut self, types: impl Into<String>) -> Self {
        self.types = Some(types.into());
        self
    }
}

impl Endpoint for List {
    type Api = SlackApi;
    type Output = ConversationList;

    fn operation(&self) -> &Operation {
        static ROW: Operation = List::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .query("cursor", self.cursor.as_deref())
            .query("exclude_archived", self.exclude_archived)
            .query("limit", self.limit)
            .query("team_id", self.team_id.as_deref())
            .query("types", self.types.as_deref())
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<ConversationList, Error> {
        cx.json(&response)
    }
}

impl Paged for List {
    type Item = Conversation;
}

/// `conversations.history`: the messages of a channel, newest first; replies in threads are not among them.
///
/// <https://docs.slack.dev/reference/methods/conversations.history>
///
/// ```
/// use connect_core::Endpoint;
/// let history = connect_slack::conversations::History::new("C1").oldest("1700000000.000000");
/// assert_eq!(
///     history.request()?.path_and_query(),
///     "/conversations.history?channel=C1&limit=200&oldest=1700000000.000000",
/// );
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct History {
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_all_metadata: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
}

impl History {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("conversations.history", Method::GET, "/conversations.history", Safety::Safe)
            .paged(Paging::Cursor {
                items: "/messages",
                next: "/response_metadata/next_cursor",
                param: "cursor",
                last: None,
            })
            .docs("https://docs.slack.dev/reference/methods/conversations.history");

    /// The messages of this channel, 200 a page.
    pub fn new(channel: impl Into<String>) -> Self {
        Self {
            channel: channel.into(),
            cursor: None,
            include_all_metadata: None,
            inclusive: None,
            latest: None,
            limit: Some(200),
            oldest: None,
        }
    }

    /// The cursor to begin with; streams go on from there by themselves.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Sends the metadata that apps attached.
    pub fn include_all_metadata(mut self, include_all_metadata: bool) -> Self {
        self.include_all_metadata = Some(include_all_metadata);
        self
    }

    /// Includes messages at `oldest` and `latest` themselves.
    pub fn inclusive(mut self, inclusive: bool) -> Self {
        self.inclusive = Some(inclusive);
        self
    }

    /// Only messages before this `ts`.
    pub fn latest(mut self, latest: impl Into<String>) -> Self {
        self.latest = Some(latest.into());
        self
    }

    /// Messages per page, at most 999 (15 for unlisted commercial apps).
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only messages after this `ts`.
    pub fn oldest(mut self, oldest: impl Into<String>) -> Self {
        self.oldest = Some(oldest.into());
        self
    }
}

impl Endpoint for History {
    type Api = SlackApi;
    type Output = MessageList;

    fn operation(&self) -> &Operation {
        static ROW: Operation = History::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .query("channel", Some(&self.channel))
            .query("cursor", self.cursor.as_deref())
            .query("include_all_metadata", self.include_all_metadata)
            .query("inclusive", self.inclusive)
            .query("latest", self.latest.as_deref())
            .query("limit", self.limit)
            .query("oldest", self.oldest.as_deref())
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<MessageList, Error> {
        cx.json(&response)
    }
}

impl Paged for History {
    type Item = Message;
}

/// `conversations.replies`: a thread, its first message included, oldest first.
///
/// <https://docs.slack.dev/reference/methods/conversations.replies>
///
/// ```
/// use connect_core::Endpoint;
/// let replies = connect_slack::conversations::Replies::new("C1", "1700000000.000100");
/// assert_eq!(
///     replies.request()?.path_and_query(),
///     "/conversations.replies?channel=C1&ts=1700000000.000100&limit=200",
/// );
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Replies {
    channel: String,
    ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_all_metadata: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
}

impl Replies {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("conversations.replies", Method::GET, "/conversations.replies", Safety::Safe)
            .paged(Paging::Cursor {
                items: "/messages",
                next: "/response_metadata/next_cursor",
                param: "cursor",
                last: None,
            })
            .docs("https://docs.slack.dev/reference/methods/conversations.replies");

    /// The thread of this first message, 200 a page.
    pub fn new(channel: impl Into<String>, ts: impl Into<String>) -> Self {
        Self {
            channel: channel.into(),
            ts: ts.into(),
            cursor: None,
            include_all_metadata: None,
            inclusive: None,
            latest: None,
            limit: Some(200),
            oldest: None,
        }
    }

    /// The cursor to begin with; streams go on from there by themselves.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Sends the metadata that apps attached.
    pub fn include_all_metadata(mut self, include_all_metadata: bool) -> Self {
        self.include_all_metadata = Some(include_all_metadata);
        self
    }

    /// Includes messages at `oldest` and `latest` themselves.
    pub fn inclusive(mut self, inclusive: bool) -> Self {
        self.inclusive = Some(inclusive);
        self
    }

    /// Only messages before this `ts`.
    pub fn latest(mut self, latest: impl Into<String>) -> Self {
        self.latest = Some(latest.into());
        self
    }

    /// Messages per page, at most 999 (15 for unlisted commercial apps).
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only messages after this `ts`.
    pub fn oldest(mut self, oldest: impl Into<String>) -> Self {
        self.oldest = Some(oldest.into());
        self
    }
}

impl Endpoint for Replies {
    type Api = SlackApi;
    type Output = MessageList;

    fn operation(&self) -> &Operation {
        static ROW: Operation = Replies::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .query("channel", Some(&self.channel))
            .query("ts", Some(&self.ts))
            .query("cursor", self.cursor.as_deref())
            .query("include_all_metadata", self.include_all_metadata)
            .query("inclusive", self.inclusive)
            .query("latest", self.latest.as_deref())
            .query("limit", self.limit)
            .query("oldest", self.oldest.as_deref())
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<MessageList, Error> {
        cx.json(&response)
    }
}

impl Paged for Replies {
    type Item = Message;
}
