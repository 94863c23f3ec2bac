//! Comments on issues.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;
use serde_json::Value;

use crate::JiraApi;
use crate::model::Comment;

/// `addComment`: a comment on an issue. Not idempotent.
///
/// `POST /rest/api/3/issue/{issueIdOrKey}/comment` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/#api-rest-api-3-issue-issueidorkey-comment-post>
///
/// ```
/// use connect_core::Endpoint;
/// use connect_jira::{adf, issue_comments};
/// let request = issue_comments::AddComment::new("OPS-7", adf::text("Fixed.")).request()?;
/// assert_eq!(request.path_and_query(), "/rest/api/3/issue/OPS-7/comment");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct AddComment {
    #[serde(rename = "issueIdOrKey")]
    issue_id_or_key: String,
    #[serde(flatten)]
    payload: AddCommentPayload,
}

#[derive(Clone, Debug, Serialize)]
struct AddCommentPayload {
    body: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<Value>,
}

impl AddComment {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "addComment",
        Method::POST,
        "/rest/api/3/issue/{issueIdOrKey}/comment",
        Safety::Unsafe,
    )
    .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/");

    /// A comment with this document; [`adf::text`](crate::adf::text) makes one from plain text.
    pub fn new(issue_id_or_key: impl Into<String>, body: Value) -> Self {
        let payload = AddCommentPayload { body, properties: None, visibility: None };
        Self { issue_id_or_key: issue_id_or_key.into(), payload }
    }

    /// Properties for apps: an array of `{"key": .., "value": ..}`.
    pub fn properties(mut self, properties: Value) -> Self {
        self.payload.properties = Some(properties);
        self
    }

    /// Who may read it: `{"type": "role", "value": "Administrators"}`.
    pub fn visibility(mut self, visibility: Value) -> Self {
        self.payload.visibility = Some(visibility);
        self
    }
}

impl Endpoint for AddComment {
    type Api = JiraApi;
    type Output = Comment;

    fn operation(&self) -> &Operation {
        static ROW: Operation = AddComment::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("issueIdOrKey", &self.issue_id_or_key)
            .json(&self.payload)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Comment, Error> {
        cx.json(&response)
    }
}
