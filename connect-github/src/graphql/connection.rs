//! A connection of a query as a list.

use std::fmt;

use connect_core::{
    Decoding, Endpoint, Error, ErrorKind, Operation, Paged, Paging, Request, Response, Safety,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::Errors;
use super::query::{Data, Query};
use crate::GitHubApi;

/// The nodes of a connection, page after page. Sent by itself, it is one page.
///
/// From [`Query::pages_by`], where the example is.
pub struct Connection<T> {
    query: Query<T>,
    operation: Operation,
    variable: &'static str,
    at: &'static str,
}

impl<T> Connection<T> {
    pub(super) fn new(query: Query<T>, variable: &'static str, at: &'static str) -> Self {
        let operation = query.row().clone().paged(Paging::Connection { at, variable });
        Self { query, operation, variable, at }
    }

    fn check(&self) -> Result<(), Error> {
        let (variable, at) = (self.variable, self.at);
        let message = if !at.starts_with('/') {
            format!("`{at}` is no pointer to a connection: use one like `/repository/issues`")
        } else if self.query.declares(variable) == Some(false) {
            // GitHub would ignore it, and answer the first page for ever.
            format!(
                "the query has no variable `${variable}`: declare it as `${variable}: String` and give it to `after`"
            )
        } else if self.operation.safety != Safety::Safe {
            "a list of pages takes a `query`: each page would do a mutation again".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Invalid, message))
    }
}

impl<T> Clone for Connection<T> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), operation: self.operation.clone(), ..*self }
    }
}

impl<T> fmt::Debug for Connection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("query", &self.query).field("at", &self.at).finish_non_exhaustive()
    }
}

impl<T> serde::Serialize for Connection<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.query.serialize(serializer)
    }
}

impl<T: DeserializeOwned + Send + 'static> Endpoint for Connection<T> {
    type Api = GitHubApi;
    type Output = Vec<T>;

    fn operation(&self) -> &Operation {
        &self.operation
    }

    fn request(&self) -> Result<Request, Error> {
        self.check()?;
        self.query.request_as(&self.operation)
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Vec<T>, Error> {
        if let Some(errors) = Errors::read(&response) {
            return Err(errors.into_error(&response, self.operation.safety));
        }
        let Data { data } = cx.json::<Data<Value>>(&response)?;
        let connection = data.pointer(self.at).unwrap_or(&Value::Null);
        let nodes: Option<Vec<&Value>> = match (connection.get("nodes"), connection.get("edges")) {
            (Some(Value::Array(nodes)), _) => Some(nodes.iter().collect()),
            (_, Some(Value::Array(edges))) => {
                Some(edges.iter().filter_map(|edge| edge.get("node")).collect())
            }
            _ => None,
        };
        let Some(mut nodes) = nodes else {
            let message =
                format!("the answer has no connection at `{}`, with `nodes` or with `edges`", self.at);
            return Err(Error::new(ErrorKind::Decode, message).with_sent(connect_core::Sent::Yes));
        };
        nodes.retain(|node| !node.is_null());
        // As text once more, so that a node of another shape is told by its path and not by its value.
        let text = serde_json::to_vec(&nodes).unwrap_or_default();
        cx.json(&response.with_body(text))
    }
}

impl<T: DeserializeOwned + Send + 'static> Paged for Connection<T> {
    type Item = T;

    fn beside(&self, page: &Response) -> Vec<Error> {
        let errors = Errors::read(page).map(|errors| {
            let status = page.status();
            errors.into_error(page, self.operation.safety).with_status(status)
        });
        errors.into_iter().collect()
    }
}
