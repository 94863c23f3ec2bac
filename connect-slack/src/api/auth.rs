//! Who a token is.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety};
use serde::Serialize;

use crate::SlackApi;
use crate::model::AuthTest;

/// `auth.test`: the workspace and the account a token belongs to. Changes nothing.
///
/// <https://docs.slack.dev/reference/methods/auth.test>
///
/// ```
/// use connect_core::Endpoint;
/// assert_eq!(connect_slack::auth::Test::new().request()?.path_and_query(), "/auth.test");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct Test {}

impl Test {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new("auth.test", Method::POST, "/auth.test", Safety::Safe)
        .docs("https://docs.slack.dev/reference/methods/auth.test");

    /// Needs nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for Test {
    type Api = SlackApi;
    type Output = AuthTest;

    fn operation(&self) -> &Operation {
        static ROW: Operation = Test::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<AuthTest, Error> {
        cx.json(&response)
    }
}
