//! A request as the stack sees it, and the builder that endpoints make it with.
//!
//! A [`Request`] is two reference counts and a small context, so a replay costs next to nothing. The builder fills the
//! operation's path template: every value is percent-encoded as one segment, and an empty value, `.` or `..` is refused
//! by name, because each of them would silently address something else.

use std::fmt;
use std::sync::Arc;

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    PROXY_AUTHORIZATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::operation::{Operation, Safety};
use crate::origins::Origins;

mod builder;

pub use builder::RequestBuilder;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// One request on its way through the stack. Cheap to replay; `Debug` shows no credential, query or body.
///
/// Made by [`Request::builder`]; layers read it and pass it on.
pub struct Request {
    head: Arc<Head>,
    body: Body,
    context: Context,
    /// Attached per attempt by the Auth layer and never part of the shared head, so a credential cannot outlive its
    /// attempt.
    credential: Option<(HeaderName, HeaderValue)>,
    /// Further headers of a signature, for the same attempt.
    signature: Vec<(HeaderName, HeaderValue)>,
}

/// What all attempts of a request share: the operation's row, the URL, the headers.
///
/// Behind an [`Arc`], because it never changes between attempts.
#[derive(Clone)]
pub struct Head {
    operation: Operation,
    target: Target,
    headers: HeaderMap,
    /// The client's headers, shared, where the endpoint set none of its own; `headers` is empty then.
    defaults: Option<Arc<HeaderMap>>,
    /// Does it carry an idempotency key?
    has_key: bool,
}

#[derive(Clone)]
enum Target {
    /// Percent-encoded path and query below one of the client's origins.
    Relative(String),
    Absolute(Url),
}

impl Head {
    /// The operation's row.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The absolute URL, once a client has placed the request.
    pub fn url(&self) -> Option<&Url> {
        match &self.target {
            Target::Absolute(url) => Some(url),
            Target::Relative(_) => None,
        }
    }

    /// The headers, without the credential.
    pub fn headers(&self) -> &HeaderMap {
        self.defaults.as_deref().unwrap_or(&self.headers)
    }
}

impl Request {
    /// Starts a request for an operation: fill its path template, then add query, headers and body.
    ///
    /// ```
    /// use connect_core::{Method, Operation, Request, Safety};
    /// const GET: Operation =
    ///     Operation::new("issues/get", Method::GET, "/repos/{owner}/{repo}/issues/{issue_number}", Safety::Safe);
    /// let request = Request::builder(&GET)
    ///     .path("owner", "rust-lang").path("repo", "a b/c").path("issue_number", 7)
    ///     .query("state", Some("open")).query("labels", None::<&str>)
    ///     .build()?;
    /// assert_eq!(request.path_and_query(), "/repos/rust-lang/a%20b%2Fc/issues/7?state=open");
    /// # Ok::<(), connect_core::Error>(())
    /// ```
    pub fn builder(operation: &Operation) -> RequestBuilder {
        RequestBuilder::new(operation)
    }

    /// What all attempts share.
    pub fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn share_head(&self) -> Arc<Head> {
        Arc::clone(&self.head)
    }

    /// The operation's row.
    pub fn operation(&self) -> &Operation {
        &self.head.operation
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.head.operation.method
    }

    /// The absolute URL: `None` until a client has placed the request on one of its origins, so `Some` in every layer.
    pub fn url(&self) -> Option<&Url> {
        self.head.url()
    }

    /// Path and query, percent-encoded: below the origin before the client placed the request, below the host after.
    pub fn path_and_query(&self) -> &str {
        match &self.head.target {
            Target::Relative(path) => path,
            Target::Absolute(url) => &url[url::Position::BeforePath..url::Position::AfterQuery],
        }
    }

    /// May this request be sent twice? As its operation says; but a keyed operation without a key is a plain write.
    pub fn safety(&self) -> Safety {
        match self.operation().safety {
            Safety::Keyed if !self.head.has_key => Safety::Unsafe,
            safety => safety,
        }
    }

    /// Gives a keyed operation its key, unless the endpoint has set one.
    pub(crate) fn set_idempotency_key(
        &mut self,
        header: &'static str,
        key: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        let head = Arc::make_mut(&mut self.head);
        head.has_key = true;
        let name = HeaderName::try_from(header).map_err(|_| {
            Error::new(ErrorKind::Config, "the provider's header for idempotency keys is no name of a header")
        })?;
        if !head.headers.contains_key(&name) {
            let value =
                HeaderValue::try_from(key()).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Invalid,
                        "the idempotency key is empty or has characters a header cannot carry",
                    )
                })?;
            head.headers.insert(name, value);
        }
        Ok(())
    }

    /// The headers, without the credential.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Tenant, deadline and options of the call.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// For layers that set the deadline or the tenant.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// The header that carries the credential of this attempt, marked sensitive.
    pub fn credential(&self) -> Option<(&HeaderName, &HeaderValue)> {
        self.credential.as_ref().map(|(name, value)| (name, value))
    }

    /// Attaches the credential of this attempt; the value is marked sensitive.
    pub fn set_credential(&mut self, name: HeaderName, mut value: HeaderValue) {
        value.set_sensitive(true);
        self.credential = Some((name, value));
    }

    /// Adds a header that only this attempt carries, as signatures need them beside the credential; the value is marked
    /// sensitive.
    pub fn add_signature_header(&mut self, name: HeaderName, mut value: HeaderValue) {
        value.set_sensitive(true);
        self.signature.push((name, value));
    }

    /// Takes everything off that says who sends it, before it goes to a host that must not know.
    pub fn strip_credential(&mut self) {
        self.credential = None;
        self.signature.clear();
    }

    /// The headers of this attempt that are not among [`Request::headers`]: credential and signature.
    pub fn attempt_headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.credential.iter().chain(&self.signature).map(|(name, value)| (name, value))
    }

    /// Sets a header of all attempts from here on.
    pub fn insert_header(&mut self, name: HeaderName, value: HeaderValue) {
        let head = Arc::make_mut(&mut self.head);
        if let Some(defaults) = head.defaults.take() {
            head.headers = HeaderMap::clone(&defaults);
        }
        head.headers.insert(name, value);
    }

    /// The same request once more; `None` if its body can be sent only once. The credential is not copied: each
    /// attempt gets a fresh one.
    pub fn replay(&self) -> Option<Self> {
        Some(Self {
            head: Arc::clone(&self.head),
            body: self.body.replay()?,
            context: self.context.clone(),
            credential: None,
            signature: Vec::new(),
        })
    }

    /// The same request within the same attempt, with its credential; `false` if the body is left out because it can be
    /// sent only once.
    pub(crate) fn duplicate(&self) -> (Self, bool) {
        let body = self.body.replay();
        let whole = body.is_some();
        let copy = Self {
            head: Arc::clone(&self.head),
            body: body.unwrap_or_default(),
            context: self.context.clone(),
            credential: self.credential.clone(),
            signature: self.signature.clone(),
        };
        (copy, whole)
    }

    /// Turns to another URL: by a GET without the body if that is asked for, and without anything that says who sends it
    /// unless the URL may know.
    pub(crate) fn redirect(&mut self, url: Url, by_get: bool, may_know: bool) {
        let head = Arc::make_mut(&mut self.head);
        head.target = Target::Absolute(url);
        if (by_get || !may_know)
            && let Some(defaults) = head.defaults.take()
        {
            head.headers = HeaderMap::clone(&defaults);
        }
        if by_get {
            head.operation.method = Method::GET;
            self.body = Body::empty();
            for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                head.headers.remove(name);
            }
        }
        if !may_know {
            let private: Vec<HeaderName> = head
                .headers
                .iter()
                .filter(|(name, value)| {
                    value.is_sensitive() || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
                })
                .map(|(name, _)| name.clone())
                .collect();
            for name in private {
                head.headers.remove(name);
            }
            self.strip_credential();
        }
    }

    /// The same request with another body.
    pub(crate) fn with_body(mut self, content_type: HeaderValue, body: Body) -> Self {
        self.insert_header(CONTENT_TYPE, content_type);
        self.body = body;
        self
    }

    /// Takes the body out, for the transport.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// Puts the request on its origin and adds the client's headers where the endpoint set none.
    pub(crate) fn place(mut self, origins: &Origins, defaults: &Arc<HeaderMap>) -> Result<Self, Error> {
        // Copies only a head that somebody else holds too: a raw call sent again.
        let head = Arc::make_mut(&mut self.head);
        match &head.target {
            Target::Relative(path) => {
                head.target = Target::Absolute(origins.join(head.operation.origin, path)?);
            }
            Target::Absolute(url) if origins.contains(url) => {}
            Target::Absolute(_) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "the URL is on a foreign origin, where credentials must not go: \
                     add it to the client's origins if it is meant",
                ));
            }
        }
        if head.headers.is_empty() {
            head.defaults = Some(Arc::clone(defaults));
        } else {
            let own = std::mem::replace(&mut head.headers, HeaderMap::clone(defaults));
            head.headers.extend(own);
        }
        self.strip_credential();
        Ok(self)
    }

    /// The same request for another absolute URL (a next-page link, a redirect), without its credential; `None` if its
    /// body can be sent only once. Layers below see to it that credentials go to the client's own origins only.
    pub fn at(&self, url: Url) -> Option<Self> {
        let mut head = Head::clone(&self.head);
        head.target = Target::Absolute(url);
        self.with_head(head, self.body.replay()?)
    }

    /// One parameter, from where [`Request::with_parameter`] sets it.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pair = |pairs: &[u8]| {
            form_urlencoded::parse(pairs)
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        match (self.body.as_bytes(), content_type(self.headers())) {
            (Some(bytes), kind) if kind.starts_with(JSON) => {
                let object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_slice(bytes).ok()?;
                object.get(name).map(plain)
            }
            (Some(bytes), kind) if kind.starts_with(FORM) => pair(bytes),
            _ => pair(self.path_and_query().split_once('?')?.1.as_bytes()),
        }
    }

    /// The same request with one parameter set: in the JSON or form body if there is one, else in the query. `None` if
    /// its body can be sent only once.
    pub(crate) fn with_parameter(
        &self,
        name: &str,
        value: impl Into<serde_json::Value>,
    ) -> Result<Option<Self>, Error> {
        let value = value.into();
        let text = plain(&value);
        let mut head = Head::clone(&self.head);
        let body = match (self.body.as_bytes(), content_type(self.headers())) {
            (Some(bytes), kind) if kind.starts_with(JSON) => {
                let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes)
                    .map_err(|_| {
                        Error::new(ErrorKind::Invalid, "paging needs a request body that is a JSON object")
                    })?;
                object.insert(name.to_owned(), value);
                Some(Body::from(serde_json::to_vec(&object).map_err(unserializable)?))
            }
            (Some(bytes), kind) if kind.starts_with(FORM) => {
                Some(Body::from(replace_pair(bytes, name, &text)))
            }
            _ => {
                match &mut head.target {
                    Target::Relative(path) => {
                        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
                        *path = format!("{bare}?{}", replace_pair(query.as_bytes(), name, &text));
                    }
                    Target::Absolute(url) => {
                        let query = replace_pair(url.query().unwrap_or_default().as_bytes(), name, &text);
                        url.set_query(Some(&query));
                    }
                }
                self.body.replay()
            }
        };
        Ok(body.and_then(|body| self.with_head(head, body)))
    }

    /// One variable of a GraphQL query that is text, from where [`Request::with_variable`] sets it.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let query: serde_json::Value = serde_json::from_slice(self.body.as_bytes()?).ok()?;
        query.get("variables")?.get(name)?.as_str().map(str::to_owned)
    }

    /// The same request with one variable of its GraphQL query set.
    pub(crate) fn with_variable(&self, name: &str, value: &str) -> Result<Option<Self>, Error> {
        let no_query = || Error::new(ErrorKind::Invalid, "the body is no GraphQL query with its variables");
        let bytes = self.body.as_bytes().ok_or_else(no_query)?;
        let mut query: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).map_err(|_| no_query())?;
        let variables = query.entry("variables").or_insert(serde_json::Value::Null);
        if variables.is_null() {
            *variables = serde_json::Value::Object(serde_json::Map::new());
        }
        let variables = variables.as_object_mut().ok_or_else(no_query)?;
        variables.insert(name.to_owned(), value.into());
        let body = Body::from(serde_json::to_vec(&query).map_err(unserializable)?);
        Ok(self.with_head(Head::clone(&self.head), body))
    }

    fn with_head(&self, head: Head, body: Body) -> Option<Self> {
        Some(Self {
            head: Arc::new(head),
            body,
            context: self.context.clone(),
            credential: None,
            signature: Vec::new(),
        })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path_and_query();
        f.debug_struct("Request")
            .field("operation", &self.operation().name)
            .field("method", self.method())
            .field("path", &path.split_once('?').map_or(path, |(path, _)| path))
            .field("body_bytes", &self.body.content_length())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A value as a form or query writes it: text without its quotes.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Sets one pair of a form or query, keeping the others in their order.
fn replace_pair(pairs: &[u8], name: &str, value: &str) -> String {
    let mut out = form_urlencoded::Serializer::new(String::with_capacity(pairs.len() + value.len() + 16));
    out.extend_pairs(form_urlencoded::parse(pairs).filter(|(known, _)| known != name));
    out.append_pair(name, value).finish()
}

fn unserializable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, "the arguments cannot be written as JSON").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Operation = Operation::new("get", Method::GET, "/repos/{owner}/{repo}/labels", Safety::Safe);

    fn target(owner: &str, repo: &str) -> Result<String, Error> {
        let request = Request::builder(&GET).path("owner", owner).path("repo", repo).build()?;
        Ok(request.path_and_query().to_owned())
    }

    #[test]
    fn every_value_stays_inside_its_segment() {
        let cases = [
            (("o", "r/../../user"), "/repos/o/r%2F..%2F..%2Fuser/labels"),
            (("o", "a b"), "/repos/o/a%20b/labels"),
            (("o", "r?x=1#y"), "/repos/o/r%3Fx%3D1%23y/labels"),
            (("o", "%2e%2e"), "/repos/o/%252e%252e/labels"),
            (("ü", "r"), "/repos/%C3%BC/r/labels"),
        ];
        for ((owner, repo), expected) in cases {
            assert_eq!(target(owner, repo).unwrap(), expected);
        }
    }

    #[test]
    fn values_that_would_address_something_else_are_refused_by_name() {
        for repo in ["", ".", ".."] {
            let error = target("o", repo).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("`repo`"), "{error}");
        }
    }

    #[test]
    fn a_missing_or_misplaced_path_parameter_is_named() {
        let missing = Request::builder(&GET).path("owner", "o").query("q", Some("x")).build().unwrap_err();
        assert!(missing.to_string().contains("`repo`"), "{missing}");
        let misplaced = Request::builder(&GET).path("repo", "r").build().unwrap_err();
        assert!(misplaced.to_string().contains("`repo`"), "{misplaced}");
    }

    #[test]
    fn a_header_value_with_a_line_break_is_refused_by_name() {
        let operation = Operation::raw("raw", Method::GET, "/");
        let error =
            Request::builder(&operation).header(http::header::ACCEPT, "a\r\nb: c").build().unwrap_err();
        assert!(error.to_string().contains("accept"), "{error}");
    }

    #[test]
    fn a_parameter_goes_where_the_request_keeps_its_arguments() {
        let list = Operation::raw("list", Method::GET, "/list");
        let query =
            Request::builder(&list).query("cursor", Some("a=")).query("x", Some("1 2")).build().unwrap();
        let next = query.with_parameter("cursor", "b=").unwrap().unwrap();
        assert_eq!(next.path_and_query(), "/list?x=1+2&cursor=b%3D");

        let form = Request::builder(&list).form([("x", Some("1".into())), ("y", None)]).build().unwrap();
        let next = form.with_parameter("cursor", "b=").unwrap().unwrap();
        assert_eq!(next.body().as_bytes().unwrap().as_ref(), b"x=1&cursor=b%3D");

        let json = Request::builder(&list).json(&serde_json::json!({"jql": "x"})).build().unwrap();
        let next = json.with_parameter("nextPageToken", "t").unwrap().unwrap();
        assert_eq!(next.body().as_bytes().unwrap().as_ref(), br#"{"jql":"x","nextPageToken":"t"}"#);
        let next = json.with_parameter("startAt", 50).unwrap().unwrap();
        assert_eq!(next.body().as_bytes().unwrap().as_ref(), br#"{"jql":"x","startAt":50}"#);

        assert_eq!(next.parameter("startAt").as_deref(), Some("50"));
        assert_eq!(form.parameter("x").as_deref(), Some("1"));
        assert_eq!(query.parameter("cursor").as_deref(), Some("a="));
        assert_eq!(query.parameter("y"), None);
    }

    #[test]
    fn a_variable_goes_among_the_variables_of_a_graphql_query() {
        let ask = Operation::raw("graphql", Method::POST, "/graphql");
        let cases = [
            (serde_json::json!({"query": "q"}), r#"{"query":"q","variables":{"after":"a"}}"#),
            (
                serde_json::json!({"query": "q", "variables": null}),
                r#"{"query":"q","variables":{"after":"a"}}"#,
            ),
            (
                serde_json::json!({"query": "q", "variables": {"n": 1, "after": "z"}}),
                r#"{"query":"q","variables":{"after":"a","n":1}}"#,
            ),
        ];
        for (body, expected) in cases {
            let request = Request::builder(&ask).json(&body).build().unwrap();
            let next = request.with_variable("after", "a").unwrap().unwrap();
            let sent: serde_json::Value = serde_json::from_slice(next.body().as_bytes().unwrap()).unwrap();
            assert_eq!(sent, serde_json::from_str::<serde_json::Value>(expected).unwrap());
            assert_eq!(next.variable("after").as_deref(), Some("a"));
        }
        for odd in [serde_json::json!([]), serde_json::json!({"variables": 7})] {
            let request = Request::builder(&ask).json(&odd).build().unwrap();
            assert_eq!(request.with_variable("after", "a").unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn debug_shows_neither_query_nor_credential() {
        let list = Operation::raw("list", Method::GET, "/list");
        let mut request = Request::builder(&list).query("q", Some("canary")).build().unwrap();
        request.set_credential(http::header::AUTHORIZATION, HeaderValue::from_static("canary"));
        assert!(!format!("{request:?}").contains("canary"));
        assert!(!format!("{:?}", request.credential()).contains("canary"));
    }
}
