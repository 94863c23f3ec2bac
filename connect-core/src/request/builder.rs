//! The builder that endpoints make a request with: every value goes where it belongs, encoded, or is refused by name.

use std::fmt::{self, Write};
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{FORM, Head, JSON, Request, Target, unserializable};
use crate::body::{Body, Multipart};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::secret::Secret;

/// Everything but RFC 3986's unreserved characters is encoded: a slash in a value stays inside its segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same for a value of several segments.
const SEGMENTS: &AsciiSet = &SEGMENT.remove(b'/');

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
    pub(super) fn new(operation: &Operation) -> Self {
        Self {
            target: String::with_capacity(operation.path.len() + 32),
            filled: 0,
            has_query: false,
            operation: operation.clone(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            error: None,
        }
    }

    /// Fills the next placeholder of the path template; the name must be the placeholder's.
    pub fn path(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if self.error.is_none() {
            self.error = self.fill(name, &value).err();
        }
        self
    }

    fn fill(&mut self, name: &'static str, value: &dyn fmt::Display) -> Result<(), Error> {
        self.fill_with(name, value, SEGMENT)
    }

    fn fill_with(
        &mut self,
        name: &'static str,
        value: &dyn fmt::Display,
        encoded: &'static AsciiSet,
    ) -> Result<(), Error> {
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
        let _ = write!(Encode(&mut self.target, encoded), "{value}");
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

    /// Fills the next placeholder with several segments: slashes stay, everything else is encoded. A leading slash is dropped.
    pub fn tail(mut self, name: &'static str, value: &str) -> Self {
        if self.error.is_none() {
            self.error = self.fill_tail(name, value).err();
        }
        self
    }

    /// Leaves the placeholder at the end of the template out, and the slash before it: what is above it is meant.
    pub fn without_tail(mut self, name: &'static str) -> Self {
        let rest = &self.operation.path[self.filled..];
        match rest.split_once('{').filter(|(_, after)| after.strip_suffix('}') == Some(name)) {
            Some((literal, _)) => {
                self.target.push_str(literal.strip_suffix('/').unwrap_or(literal));
                self.filled = self.operation.path.len();
            }
            None => {
                let message = format!("`{name}` is not the end of the path {}", self.operation.path);
                self.error.get_or_insert_with(|| Error::new(ErrorKind::Invalid, message));
            }
        }
        self
    }

    fn fill_tail(&mut self, name: &'static str, value: &str) -> Result<(), Error> {
        let value = value.strip_prefix('/').unwrap_or(value);
        if value.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, format!("path parameter `{name}` is empty")));
        }
        for segment in value.split('/') {
            let mistake = match segment {
                "" => "an empty segment",
                "." | ".." => "a relative path segment, which would address something else",
                _ => continue,
            };
            return Err(Error::new(ErrorKind::Invalid, format!("path parameter `{name}` has {mistake}")));
        }
        self.fill_with(name, &value, SEGMENTS)
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

    /// Sets a header whose value nobody should see: it is marked sensitive, and no redirect carries it elsewhere.
    pub fn secret_header(mut self, name: HeaderName, value: &Secret) -> Self {
        self = self.header(name.clone(), value.expose());
        if let Some(value) = self.headers.get_mut(&name) {
            value.set_sensitive(true);
        }
        self
    }

    /// Sends a value as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        self.json_as(JSON, value)
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
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        self.body = Body::from(form.finish());
        self
    }

    /// Sends a body as it is.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Body>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = body.into();
        self
    }

    /// Sends a form with files in it.
    pub fn multipart(mut self, form: Multipart) -> Self {
        match form.into_body() {
            Ok((content_type, body)) => self.body(content_type, body),
            Err(error) => {
                self.error.get_or_insert(error);
                self
            }
        }
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
            has_key: false,
        };
        Ok(Request {
            head: Arc::new(head),
            body: self.body,
            context: Context::default(),
            credential: None,
            signature: Vec::new(),
        })
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

struct Encode<'a>(&'a mut String, &'static AsciiSet);

impl Write for Encode<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, self.1));
        Ok(())
    }
}
