//! The account a token belongs to.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;

use crate::JiraApi;
use crate::model::User;

/// `getCurrentUser`: the account the credentials belong to.
///
/// `GET /rest/api/3/myself` ·
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/#api-rest-api-3-myself-get>
///
/// ```
/// use connect_core::Endpoint;
/// assert_eq!(connect_jira::myself::GetCurrentUser::new().request()?.path_and_query(), "/rest/api/3/myself");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct GetCurrentUser {}

impl GetCurrentUser {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("getCurrentUser", Method::GET, "/rest/api/3/myself", Safety::Safe).docs(
            "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/#api-rest-api-3-myself-get",
        );

    /// Needs nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetCurrentUser {
    type Api = JiraApi;
    type Output = User;

    fn operation(&self) -> &Operation {
        static ROW: Operation = GetCurrentUser::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<User, Error> {
        cx.json(&response)
    }
}
