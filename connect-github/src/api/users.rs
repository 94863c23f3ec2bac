//! Users.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;

use crate::GitHubApi;
use crate::model::PrivateUser;

/// `users/get-authenticated`: the account a token belongs to.
///
/// `GET /user` · <https://docs.github.com/rest/users/users#get-the-authenticated-user>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_github::users::GetAuthenticated::new().request()?;
/// assert_eq!(request.path_and_query(), "/user");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct GetAuthenticated {}

impl GetAuthenticated {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("users/get-authenticated", Method::GET, "/user", Safety::Safe)
            .docs("https://docs.github.com/rest/users/users#get-the-authenticated-user");

    /// Needs nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetAuthenticated {
    type Api = GitHubApi;
    type Output = PrivateUser;

    fn operation(&self) -> &Operation {
        static ROW: Operation = GetAuthenticated::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<PrivateUser, Error> {
        cx.json(&response)
    }
}
