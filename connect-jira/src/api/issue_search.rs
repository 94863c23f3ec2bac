//! Search by JQL.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Paged, Paging, Request, Response, Safety};
use serde::Serialize;

use crate::JiraApi;
use crate::model::{Issue, SearchResults};

/// Jira's own default is the id alone, which surprises everybody; these fill [`IssueFields`](crate::model::IssueFields).
const DEFAULT_FIELDS: &[&str] = &[
    "summary",
    "status",
    "issuetype",
    "priority",
    "project",
    "assignee",
    "reporter",
    "labels",
    "created",
    "updated",
];

/// `searchAndReconsileIssuesUsingJqlPost`: issues that a query finds. A POST that changes nothing, so it may be replayed.
///
/// The index lags behind: a fresh issue may be missing for a while.
///
/// `POST /rest/api/3/search/jql` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-post>
///
/// ```
/// use connect_core::Endpoint;
/// use connect_jira::issue_search::Search;
/// let request = Search::new(r#"labels = "connect-1""#).fields(["summary"]).request()?;
/// assert_eq!(
///     request.body().as_bytes().unwrap().as_ref(),
///     br#"{"jql":"labels = \"connect-1\"","fields":["summary"]}"#,
/// );
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    jql: String,
    fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_results: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconcile_issues: Option<Vec<u64>>,
}

impl Search {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "searchAndReconsileIssuesUsingJqlPost",
        Method::POST,
        "/rest/api/3/search/jql",
        Safety::Safe,
    )
    .paged(Paging::Cursor {
        items: "/issues",
        next: "/nextPageToken",
        param: "nextPageToken",
        last: Some("/isLast"),
    })
    .docs("https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/");

    /// The issues this query finds, with the fields that [`IssueFields`](crate::model::IssueFields) has. Jira refuses
    /// a query without any restriction.
    pub fn new(jql: impl Into<String>) -> Self {
        Self {
            jql: jql.into(),
            fields: DEFAULT_FIELDS.iter().map(|&field| field.to_owned()).collect(),
            max_results: None,
            next_page_token: None,
            expand: None,
            reconcile_issues: None,
        }
    }

    /// The fields to send, instead of the default ones; `*all`, `*navigable`, `-comment` work too.
    pub fn fields(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Issues per page: 50 unless set; Jira may send fewer.
    pub fn max_results(mut self, max_results: u32) -> Self {
        self.max_results = Some(max_results);
        self
    }

    /// The token to begin with; it lives seven days. Streams go on from there by themselves.
    pub fn next_page_token(mut self, token: impl Into<String>) -> Self {
        self.next_page_token = Some(token.into());
        self
    }

    /// What to expand, comma-separated: `names`, `renderedFields`, `changelog`.
    pub fn expand(mut self, expand: impl Into<String>) -> Self {
        self.expand = Some(expand.into());
        self
    }

    /// Ids of up to 50 issues to look at freshly, round the lagging index.
    pub fn reconcile_issues(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.reconcile_issues = Some(ids.into_iter().collect());
        self
    }
}

impl Endpoint for Search {
    type Api = JiraApi;
    type Output = SearchResults;

    fn operation(&self) -> &Operation {
        static ROW: Operation = Search::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).json(self).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<SearchResults, Error> {
        cx.json(&response)
    }
}

impl Paged for Search {
    type Item = Issue;
}
