//! A request as the stack sees it, and the builder that endpoints make it with.
//!
//! A [`Request`] is two reference counts and a small context, so a replay costs next to nothing. The builder fills the
//! operation's path template: every value is percent-encoded as one segment, and an empty value, `.` or `..` is refused
//! by name, because each of them would silently address something else.

use std::fmt::{self, Write};
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::origins::Origins;

/// Everything but RFC 3986's unreserved characters is encoded: a slash in a value stays inside its segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
}

#[derive(Clone)]
enum Target {
    /// Percent-encoded path and query below one of the client's origins.
    Relative(String),
    Absolute(Url),
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
        RequestBuilder {
            target: String::with_capacity(operation.path.len() + 32),
            filled: 0,
            has_query: false,
            operation: operation.clone(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            error: None,
        }
    }

    /// What all attempts share.
    pub fn head(&self) -> &Head {
        &self.head
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
        match &self.head.target {
            Target::Absolute(url) => Some(url),
            Target::Relative(_) => None,
        }
    }

    /// Path and query, percent-encoded: below the origin before the client placed the request, below the host after.
    pub fn path_and_query(&self) -> &str {
        match &self.head.target {
            Target::Relative(path) => path,
            Target::Absolute(url) => &url[url::Position::BeforePath..url::Position::AfterQuery],
        }
    }

    /// The headers, without the credential.
    pub fn headers(&self) -> &HeaderMap {
        self.head.defaults.as_deref().unwrap_or(&self.head.headers)
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

    /// The same request once more; `None` if its body can be sent only once. The credential is not copied: each
    /// attempt gets a fresh one.
    pub fn replay(&self) -> Option<Self> {
        Some(Self {
            head: Arc::clone(&self.head),
            body: self.body.replay()?,
            context: self.context.clone(),
            credential: None,
        })
    }

    /// Takes the body out, for the transport.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// Puts the request on its origin and adds the client's headers where the endpoint set none.
    pub(crate) fn place(
        mut self,
        origins: &Origins,
        defaults: &Arc<HeaderMap>,
        context: Context,
    ) -> Result<Self, Error> {
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
        Ok(Self { context, credential: None, ..self })
    }

    /// The same request for another absolute URL (a next-page link).
    pub(crate) fn at(&self, url: Url) -> Option<Self> {
        let mut head = Head::clone(&self.head);
        head.target = Target::Absolute(url);
        self.with_head(head, self.body.replay()?)
    }

    /// The same request with one parameter set: in the JSON or form body if there is one, else in the query.
    pub(crate) fn with_parameter(&self, name: &str, value: &str) -> Result<Option<Self>, Error> {
        let mut head = Head::clone(&self.head);
        let content_type =
            head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body = match self.body.as_bytes() {
            Some(bytes) if content_type.starts_with("application/json") => {
                let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes)
                    .map_err(|_| {
                        Error::new(ErrorKind::Invalid, "paging needs a request body that is a JSON object")
                    })?;
                object.insert(name.to_owned(), value.into());
                Some(Body::from(serde_json::to_vec(&object).map_err(unserializable)?))
            }
            Some(bytes) if content_type.starts_with("application/x-www-form-urlencoded") => {
                Some(Body::from(replace_pair(bytes, name, value)))
            }
            _ => {
                match &mut head.target {
                    Target::Relative(path) => {
                        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
                        *path = format!("{bare}?{}", replace_pair(query.as_bytes(), name, value));
                    }
                    Target::Absolute(url) => {
                        let query = replace_pair(url.query().unwrap_or_default().as_bytes(), name, value);
                        url.set_query(Some(&query));
                    }
                }
                self.body.replay()
            }
        };
        Ok(body.and_then(|body| self.with_head(head, body)))
    }

    fn with_head(&self, head: Head, body: Body) -> Option<Self> {
        Some(Self { head: Arc::new(head), body, context: self.context.clone(), credential: None })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path_and_query();
        f.debug_struct("Request")
            .field("operation", &self.operation().name)
            .field("method", self.method())
            .field("path", &path.split_once('?').map_or(path, |(path, _)| path))
            .field("body_bytes", &self.body.as_bytes().map_or(0, bytes::Bytes::len))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("operation", &self.operation.name).finish_non_exhaustive()
    }
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

/// Fills an operation's path template and collects query, headers and body. The first mistake is kept and returned by
/// [`RequestBuilder::build`], so that the calls chain.
///
/// Made by [`Request::builder`], where the example is.
#[must_use = "a builder does nothing until `build` is called"]
pub struct RequestBuilder {
    operation: Operation,
    target: String,
    /// How much of the template is already written to `target`.
    filled: usize,
    has_query: bool,
    headers: HeaderMap,
    body: Body,
    error: Option<Error>,
}

impl RequestBuilder {
    /// Fills the next placeholder of the path template; the name must be the placeholder's.
    pub fn path(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if self.error.is_none() {
            self.error = self.fill(name, &value).err();
        }
        self
    }

    fn fill(&mut self, name: &'static str, value: &dyn fmt::Display) -> Result<(), Error> {
        let rest = &self.operation.path[self.filled..];
        let mismatch = || {
            let template = &self.operation.path;
            Error::new(
                ErrorKind::Invalid,
                format!("`{name}` is not the next parameter of the path {template}"),
            )
        };
        let (literal, after) = rest.split_once('{').ok_or_else(mismatch)?;
        let (placeholder, _) = after.split_once('}').ok_or_else(mismatch)?;
        if placeholder != name {
            return Err(mismatch());
        }
        let consumed = literal.len() + placeholder.len() + 2;
        self.target.push_str(literal);
        let start = self.target.len();
        // Encoding as it is written: a number or an id needs no string of its own.
        let _ = write!(Encode(&mut self.target), "{value}");
        match &self.target[start..] {
            "" => Err(Error::new(ErrorKind::Invalid, format!("path parameter `{name}` is empty"))),
            "." | ".." => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "path parameter `{name}` is a relative path segment, which would address something else"
                ),
            )),
            _ => {
                self.filled += consumed;
                Ok(())
            }
        }
    }

    /// Adds a query parameter, unless the value is `None`.
    pub fn query(mut self, name: &str, value: Option<impl fmt::Display>) -> Self {
        let Some(value) = value else { return self };
        self.finish_path();
        self.target.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.target.extend(form_urlencoded::byte_serialize(name.as_bytes()));
        self.target.push('=');
        let text = value.to_string();
        self.target.extend(form_urlencoded::byte_serialize(text.as_bytes()));
        self
    }

    /// Sets a header; a value that HTTP cannot carry (a line break) is an error that names the header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(_) => {
                self.error.get_or_insert_with(|| {
                    Error::new(
                        ErrorKind::Invalid,
                        format!("header {name}: the value has characters HTTP cannot carry"),
                    )
                });
            }
        }
        self
    }

    /// Sends a value as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        self.json_as("application/json", value)
    }

    /// Sends a value as JSON under another content type (Slack wants the charset named).
    pub fn json_as(mut self, content_type: &'static str, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => {
                self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                self.body = Body::from(bytes);
            }
            Err(error) => {
                self.error.get_or_insert(unserializable(error));
            }
        }
        self
    }

    /// Sends name-value pairs as a form; pairs without a value are left out.
    pub fn form<'a>(
        mut self,
        pairs: impl IntoIterator<Item = (&'a str, Option<std::borrow::Cow<'a, str>>)>,
    ) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            if let Some(value) = value {
                form.append_pair(name, &value);
            }
        }
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.body = Body::from(form.finish());
        self
    }

    /// Sends a body as it is.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Body>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = body.into();
        self
    }

    /// The finished request.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], naming the parameter: empty or relative path value, missing path parameter, header value
    /// with a line break, arguments that cannot be written as JSON.
    pub fn build(mut self) -> Result<Request, Error> {
        self.finish_path();
        if let Some(error) = self.error {
            return Err(error);
        }
        let head = Head {
            operation: self.operation,
            target: Target::Relative(self.target),
            headers: self.headers,
            defaults: None,
        };
        Ok(Request { head: Arc::new(head), body: self.body, context: Context::default(), credential: None })
    }

    fn finish_path(&mut self) {
        if self.filled == self.operation.path.len() {
            return;
        }
        let rest = &self.operation.path[self.filled..];
        match rest.split_once('{').and_then(|(_, after)| after.split_once('}')) {
            Some((missing, _)) => {
                let message = format!("path parameter `{missing}` is missing");
                self.error.get_or_insert_with(|| Error::new(ErrorKind::Invalid, message));
            }
            None => self.target.push_str(rest),
        }
        self.filled = self.operation.path.len();
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

struct Encode<'a>(&'a mut String);

impl Write for Encode<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, SEGMENT));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Safety;

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
