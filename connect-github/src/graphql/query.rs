//! A query or mutation as an endpoint.

use std::fmt;
use std::marker::PhantomData;

use connect_core::{
    Decoding, Endpoint, Error, ErrorKind, Method, Operation, Origin, Request, Response, Safety,
};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::answer::PATH;
use super::connection::Connection;
use super::cost::{self, Cost};
use super::document::{Document, Kind};
use super::errors::Errors;
use super::partial::PartialQuery;
use crate::GitHubApi;

const ROW: Operation = Operation::new("graphql", Method::POST, PATH, Safety::Unsafe)
    .origin(Origin::Graphql)
    .draws(&["graphql"])
    .docs("https://docs.github.com/graphql");

/// Longer names of operations are no labels: somebody may make them up.
const LONGEST_NAME: usize = 64;

/// A GraphQL query or mutation, answered by `T`: the type of what stands in `data`.
///
/// A document whose operation is a `query` may be sent again; a `mutation`, and whatever cannot be read as either, is sent
/// once. In metrics it is `graphql`, or `graphql:Name` where the operation has a name.
///
/// ```
/// use connect_core::Endpoint;
/// use connect_github::graphql::Query;
/// use serde_json::{Value, json};
/// let query = Query::<Value>::new("query Owner($login: String!) { user(login: $login) { id } }")
///     .variables(json!({"login": "octo"}));
/// assert_eq!(query.operation().name, "graphql:Owner");
/// assert_eq!(
///     serde_json::to_value(&query)?,
///     json!({"query": "query Owner($login: String!) { user(login: $login) { id } }", "variables": {"login": "octo"}})
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Call::decode_as`](connect_core::Call::decode_as) looks at the whole answer, errors included: to read the data as
/// another type, name that type here.
pub struct Query<T> {
    query: String,
    variables: Value,
    operation_name: Option<String>,
    operation: Operation,
    /// The first thing that cannot be sent.
    mistake: Option<String>,
    output: PhantomData<fn() -> T>,
}

/// What a whole answer is.
#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

impl<T> Query<T> {
    /// A document.
    pub fn new(document: impl Into<String>) -> Self {
        Self {
            query: document.into(),
            variables: Value::Null,
            operation_name: None,
            operation: ROW,
            mistake: None,
            output: PhantomData,
        }
        .labelled()
    }

    /// The body that `graphql_client` builds, or anything else that has `query`, `variables` and `operationName`.
    ///
    /// ```
    /// use connect_core::Endpoint;
    /// use connect_github::graphql::Query;
    /// use serde_json::{Value, json};
    /// // let body = ViewerQuery::build_query(viewer_query::Variables {});
    /// let body = json!({"query": "query Viewer { viewer { login } }", "variables": {}, "operationName": "Viewer"});
    /// let query = Query::<Value>::from_body(&body); // Query::<viewer_query::ResponseData>
    /// assert_eq!(query.operation().name, "graphql:Viewer");
    /// ```
    pub fn from_body(body: &impl Serialize) -> Self {
        let Ok(Value::Object(mut body)) = serde_json::to_value(body) else {
            return Self::new("").mistaken("the body of the query cannot be written as a JSON object");
        };
        let Some(Value::String(document)) = body.remove("query") else {
            return Self::new("").mistaken("the body of the query has no text in `query`");
        };
        let mut query = Self::new(document).variables(body.remove("variables"));
        if let Some(Value::String(name)) = body.remove("operationName") {
            query = query.operation_name(name);
        }
        query
    }

    /// The values of the document's variables: an object, by a struct or by `json!`.
    pub fn variables(self, variables: impl Serialize) -> Self {
        match serde_json::to_value(variables) {
            Ok(variables @ (Value::Object(_) | Value::Null)) => Self { variables, ..self },
            Ok(_) => self.mistaken("the variables of a query are an object of names and values"),
            // Its own words may quote a value.
            Err(_) => self.mistaken("the variables of the query cannot be written as JSON"),
        }
    }

    /// Which operation of the document is meant, where it has several.
    pub fn operation_name(mut self, name: impl Into<String>) -> Self {
        self.operation_name = Some(name.into());
        self.labelled()
    }

    /// Takes data beside errors, instead of failing.
    ///
    /// ```no_run
    /// use connect_github::{GitHub, graphql::Query};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Both { a: Option<Repo>, b: Option<Repo> }
    /// #[derive(Deserialize)]
    /// struct Repo { id: String }
    ///
    /// # async fn example(github: GitHub) -> Result<(), connect_github::Error> {
    /// let query = r#"{ a: repository(owner: "o", name: "a") { id } b: repository(owner: "o", name: "b") { id } }"#;
    /// let both = github.send(Query::<Both>::new(query).partial()).await?;
    /// for error in &both.errors {
    ///     println!("{error}"); // "Could not resolve to a Repository (NOT_FOUND at b)"
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What leaves nothing of the data is an error here too, and so is a rate limit.
    pub fn partial(self) -> PartialQuery<T> {
        PartialQuery(self)
    }

    /// The nodes of one of its connections, as a list for [`Client::stream`](connect_core::Client::stream): `T` is a node,
    /// `variable` takes the cursor, and `connection` is where the connection stands in `data`.
    ///
    /// ```no_run
    /// use connect_github::{GitHub, graphql::Query};
    /// use futures_util::TryStreamExt;
    /// use serde::Deserialize;
    /// use serde_json::json;
    ///
    /// #[derive(Deserialize)]
    /// struct Issue { title: String }
    ///
    /// const ISSUES: &str = "query Issues($after: String) { repository(owner: \"o\", name: \"r\") {
    ///     issues(first: 100, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } } } }";
    ///
    /// # async fn example(github: GitHub) -> Result<(), connect_github::Error> {
    /// let query = Query::<Issue>::new(ISSUES).pages_by("after", "/repository/issues");
    /// let mut issues = github.stream(query);
    /// while let Some(issue) = issues.try_next().await? {
    ///     println!("{}", issue.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The query must ask for `pageInfo { hasNextPage endCursor }`. A page that has errors beside its nodes yields the nodes,
    /// then one `Err` with all of the errors and the page's data, and goes on. A query has one such variable: connections in
    /// each other are lists in lists, and take queries of their own.
    pub fn pages_by(self, variable: &'static str, connection: &'static str) -> Connection<T> {
        Connection::new(self, variable, connection)
    }

    /// What it costs, if that can be told; see [`cost`].
    pub fn cost(&self) -> Option<Cost> {
        cost::estimate(&self.query, self.operation_name.as_deref(), &self.variables)
    }

    fn mistaken(mut self, mistake: &str) -> Self {
        self.mistake.get_or_insert_with(|| mistake.to_owned());
        self
    }

    /// Safety and label, as the document says.
    fn labelled(mut self) -> Self {
        let document = Document::read(&self.query);
        let operation =
            document.as_ref().and_then(|document| document.operation(self.operation_name.as_deref()));
        self.operation.safety = match operation.map(|operation| operation.kind) {
            Some(Kind::Query) => Safety::Safe,
            // What cannot be read may write.
            Some(Kind::Mutation | Kind::Subscription) | None => Safety::Unsafe,
        };
        let name = operation.and_then(|operation| operation.name).filter(|name| name.len() <= LONGEST_NAME);
        self.operation.name = match name {
            Some(name) => format!("graphql:{name}").into(),
            None => "graphql".into(),
        };
        self
    }

    /// Refuses what GitHub would refuse, where that is plain from the document.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        if let Some(mistake) = &self.mistake {
            return refuse(mistake.clone());
        }
        let Some(document) = Document::read(&self.query) else { return Ok(()) };
        let Some(operation) = document.operation(self.operation_name.as_deref()) else {
            let names: Vec<&str> =
                document.operations.iter().filter_map(|operation| operation.name).collect();
            return refuse(match (self.operation_name.as_deref(), names.join(", ")) {
                _ if document.operations.is_empty() => "the document has no operation".to_owned(),
                (Some(_), names) => format!("the document has no operation of this name; it has: {names}"),
                (None, names) => {
                    format!("the document has several operations; say which with `operation_name`: {names}")
                }
            });
        };
        if operation.kind == Kind::Subscription {
            return refuse("GitHub has no subscriptions: receive its webhooks instead".to_owned());
        }
        match cost::of_operation(&document, operation, &self.variables) {
            Some(cost) => cost.check(),
            None => Ok(()),
        }
    }

    /// Does the operation declare this variable? `None` if that cannot be told.
    pub(super) fn declares(&self, variable: &str) -> Option<bool> {
        let document = Document::read(&self.query)?;
        let operation = document.operation(self.operation_name.as_deref())?;
        Some(operation.variables.contains_key(variable))
    }

    /// Its row, whatever `T` is.
    pub(super) fn row(&self) -> &Operation {
        &self.operation
    }

    pub(super) fn request_as(&self, operation: &Operation) -> Result<Request, Error> {
        self.check()?;
        Request::builder(operation).json(self).build()
    }
}

impl<T> Clone for Query<T> {
    fn clone(&self) -> Self {
        Self {
            query: self.query.clone(),
            variables: self.variables.clone(),
            operation_name: self.operation_name.clone(),
            operation: self.operation.clone(),
            mistake: self.mistake.clone(),
            output: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Query<T> {
    /// Without document and variables, whose values may be private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

impl<T> Serialize for Query<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("query", &self.query)?;
        if !self.variables.is_null() {
            map.serialize_entry("variables", &self.variables)?;
        }
        if let Some(name) = &self.operation_name {
            map.serialize_entry("operationName", name)?;
        }
        map.end()
    }
}

impl<T: DeserializeOwned + Send + 'static> Endpoint for Query<T> {
    type Api = GitHubApi;
    type Output = T;

    fn operation(&self) -> &Operation {
        &self.operation
    }

    fn request(&self) -> Result<Request, Error> {
        self.request_as(&self.operation)
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<T, Error> {
        match Errors::read(&response) {
            Some(errors) => Err(errors.into_error(&response, self.operation.safety)),
            None => cx.json::<Data<T>>(&response).map(|answer| answer.data),
        }
    }
}
