//! GraphQL, as far as a script goes: the answers that a test lined up, in order.
//!
//! A request needs a token and a text `query`; it costs one point of the resource `graphql`. The script's answer is sent as
//! it is, with 200, as GitHub sends errors too; behind the end of the script the answer is an error that says so.
//! Not a GraphQL server: no query is understood.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::FakeGitHub;
use super::answer::{Failure, Success};
use super::issues::body;
use super::routes::{Access, Call, Route};
use super::state::State;

pub(super) const ROUTES: &[Route] = &[Route::new("graphql", Method::POST, "/graphql", Access::Token, answer)
    .fields(&["query", "variables", "operationName"])];

impl FakeGitHub {
    /// The next answer to a GraphQL request; several are given in order.
    pub fn script_graphql(&self, answer: Value) {
        self.provider.state.with(|state| state.graphql.push_back(answer));
    }
}

fn answer(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let fields = body(call)?;
    if !fields.get("query").is_some_and(Value::is_string) {
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "A query attribute must be specified and must be a string.",
        ));
    }
    let beyond = || json!({ "errors": [{ "message": "The fake has no answer to this query: script one." }] });
    Ok(Success::ok(state.graphql.pop_front().unwrap_or_else(beyond)))
}
