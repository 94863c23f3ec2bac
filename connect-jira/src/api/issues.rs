//! Issues and their transitions.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;
use serde_json::Value;

use crate::JiraApi;
use crate::model::{CreatedIssue, Issue, Transitions};

/// `getIssue`: one issue.
///
/// `GET /rest/api/3/issue/{issueIdOrKey}` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-get>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_jira::issues::GetIssue::new("OPS-7").fields(["summary", "status"]).request()?;
/// assert_eq!(request.path_and_query(), "/rest/api/3/issue/OPS-7?fields=summary%2Cstatus");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct GetIssue {
    #[serde(rename = "issueIdOrKey")]
    issue_id_or_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<String>,
}

impl GetIssue {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("getIssue", Method::GET, "/rest/api/3/issue/{issueIdOrKey}", Safety::Safe)
            .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/");

    /// The issue with this id or key, with all its fields.
    pub fn new(issue_id_or_key: impl Into<String>) -> Self {
        Self { issue_id_or_key: issue_id_or_key.into(), fields: None, expand: None }
    }

    /// Only these fields.
    pub fn fields(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// What to expand, comma-separated: `names`, `renderedFields`, `changelog`.
    pub fn expand(mut self, expand: impl Into<String>) -> Self {
        self.expand = Some(expand.into());
        self
    }
}

impl Endpoint for GetIssue {
    type Api = JiraApi;
    type Output = Issue;

    fn operation(&self) -> &Operation {
        static ROW: Operation = GetIssue::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("issueIdOrKey", &self.issue_id_or_key)
            .query("fields", self.fields.as_ref().map(|fields| fields.join(",")))
            .query("expand", self.expand.as_deref())
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Issue, Error> {
        cx.json(&response)
    }
}

/// `createIssue`: a new issue. Not idempotent: after [`Sent::Maybe`](connect_core::Sent::Maybe) look for it first (a
/// label of your own makes that possible).
///
/// `POST /rest/api/3/issue` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post>
///
/// ```
/// use connect_core::Endpoint;
/// use serde_json::json;
/// let create = connect_jira::issues::CreateIssue::new(json!({"summary": "S"}));
/// assert_eq!(create.request()?.body().as_bytes().unwrap().as_ref(), br#"{"fields":{"summary":"S"}}"#);
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct CreateIssue {
    fields: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Value>,
}

impl CreateIssue {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("createIssue", Method::POST, "/rest/api/3/issue", Safety::Unsafe)
            .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/");

    /// An issue with these fields: at least `project`, `issuetype` and `summary`. Rich text is a document, see
    /// [`adf`](crate::adf).
    pub fn new(fields: Value) -> Self {
        Self { fields, update: None, properties: None }
    }

    /// Operations on fields, for what `fields` cannot say.
    pub fn update(mut self, update: Value) -> Self {
        self.update = Some(update);
        self
    }

    /// Properties for apps: an array of `{"key": .., "value": ..}`.
    pub fn properties(mut self, properties: Value) -> Self {
        self.properties = Some(properties);
        self
    }
}

impl Endpoint for CreateIssue {
    type Api = JiraApi;
    type Output = CreatedIssue;

    fn operation(&self) -> &Operation {
        static ROW: Operation = CreateIssue::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).json(self).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<CreatedIssue, Error> {
        cx.json(&response)
    }
}

/// `getTransitions`: the ways out of an issue's status.
///
/// `GET /rest/api/3/issue/{issueIdOrKey}/transitions` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-transitions-get>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_jira::issues::GetTransitions::new("OPS-7").request()?;
/// assert_eq!(request.path_and_query(), "/rest/api/3/issue/OPS-7/transitions");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct GetTransitions {
    #[serde(rename = "issueIdOrKey")]
    issue_id_or_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<String>,
}

impl GetTransitions {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "getTransitions",
        Method::GET,
        "/rest/api/3/issue/{issueIdOrKey}/transitions",
        Safety::Safe,
    )
    .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/");

    /// The ways out of this issue's status.
    pub fn new(issue_id_or_key: impl Into<String>) -> Self {
        Self { issue_id_or_key: issue_id_or_key.into(), expand: None }
    }

    /// What to expand: `transitions.fields` shows which fields a transition asks for.
    pub fn expand(mut self, expand: impl Into<String>) -> Self {
        self.expand = Some(expand.into());
        self
    }
}

impl Endpoint for GetTransitions {
    type Api = JiraApi;
    type Output = Transitions;

    fn operation(&self) -> &Operation {
        static ROW: Operation = GetTransitions::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("issueIdOrKey", &self.issue_id_or_key)
            .query("expand", self.expand.as_deref())
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Transitions, Error> {
        cx.json(&response)
    }
}

/// `doTransition`: takes an issue to another status. A second one fails or does it again, so it is not replayed.
///
/// `POST /rest/api/3/issue/{issueIdOrKey}/transitions` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-transitions-post>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_jira::issues::DoTransition::new("OPS-7", "31").request()?;
/// assert_eq!(request.body().as_bytes().unwrap().as_ref(), br#"{"transition":{"id":"31"}}"#);
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct DoTransition {
    #[serde(rename = "issueIdOrKey")]
    issue_id_or_key: String,
    #[serde(flatten)]
    payload: DoTransitionPayload,
}

#[derive(Clone, Debug, Serialize)]
struct DoTransitionPayload {
    transition: TransitionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Value>,
}

#[derive(Clone, Debug, Serialize)]
struct TransitionId {
    id: String,
}

impl DoTransition {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "doTransition",
        Method::POST,
        "/rest/api/3/issue/{issueIdOrKey}/transitions",
        Safety::Unsafe,
    )
    .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/");

    /// Takes this issue through the transition with this id; [`GetTransitions`] lists them.
    pub fn new(issue_id_or_key: impl Into<String>, transition_id: impl Into<String>) -> Self {
        let transition = TransitionId { id: transition_id.into() };
        let payload = DoTransitionPayload { transition, fields: None, update: None };
        Self { issue_id_or_key: issue_id_or_key.into(), payload }
    }

    /// Fields that the transition asks for.
    pub fn fields(mut self, fields: Value) -> Self {
        self.payload.fields = Some(fields);
        self
    }

    /// Operations on fields, for example a comment.
    pub fn update(mut self, update: Value) -> Self {
        self.payload.update = Some(update);
        self
    }
}

impl Endpoint for DoTransition {
    type Api = JiraApi;
    type Output = ();

    fn operation(&self) -> &Operation {
        static ROW: Operation = DoTransition::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("issueIdOrKey", &self.issue_id_or_key)
            .json(&self.payload)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<(), Error> {
        cx.nothing(&response)
    }
}
