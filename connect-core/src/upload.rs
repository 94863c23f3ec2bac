//! Requests whose body is given beside the endpoint: a file, a stream, a form.
//!
//! A body that is made while it is sent takes as long as its size, so the time-out of an attempt does not end it; the
//! deadline of the call does, 60 s unless the call names another.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;

use crate::argument::Payload;
use crate::body::{Body, Multipart, Part};
use crate::builder::draw_seed;
use crate::decode::Decoding;
use crate::endpoint::{Endpoint, Upload};
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// A body with its content type, for [`Client::upload`](crate::Client::upload).
///
/// ```
/// use connect_core::{Body, HeaderValue};
/// use connect_core::upload::Content;
/// let bytes = Content::from(Body::from("a,b")); // the endpoint names the type
/// let table = Content::new(HeaderValue::from_static("text/csv"), Body::from("a,b"));
/// # let _ = (bytes, table);
/// ```
#[derive(Debug)]
pub struct Content {
    content_type: Option<HeaderValue>,
    file_name: Option<String>,
    body: Given,
}

#[derive(Debug)]
enum Given {
    Body(Body),
    /// A whole form, not a file for one.
    Form(Multipart),
}

impl Content {
    /// A body of this type.
    pub fn new(content_type: HeaderValue, body: impl Into<Body>) -> Self {
        Self { content_type: Some(content_type), ..Content::from(body.into()) }
    }

    /// The name of the file that it is, for operations that take it as a part of a form.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        Self { content_type: None, file_name: None, body: Given::Body(body) }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Body::from(bytes).into()
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Body::from(bytes).into()
    }
}

impl From<Multipart> for Content {
    /// What the endpoint's own arguments say joins it.
    fn from(form: Multipart) -> Self {
        Self { content_type: None, file_name: None, body: Given::Form(form) }
    }
}

/// An endpoint with the body it sends.
///
/// Made by [`Client::upload`](crate::Client::upload).
pub struct Uploading<E> {
    endpoint: E,
    /// In a lock that nobody waits for: a body that can be sent only once is taken out.
    content: Mutex<Option<Content>>,
}

impl<E: Upload> Uploading<E> {
    pub(crate) fn new(endpoint: E, content: Content) -> Self {
        Self { endpoint, content: Mutex::new(Some(content)) }
    }

    /// Changes the endpoint and keeps the body: for [`Call::with`](crate::Call::with).
    #[must_use]
    pub fn with(self, change: impl FnOnce(E) -> E) -> Self {
        Self { endpoint: change(self.endpoint), ..self }
    }
}

impl<E: Upload> Uploading<E> {
    fn with_fields(&self, form: Multipart) -> Multipart {
        self.endpoint.fields().into_iter().fold(form, |form, (name, text)| form.text(name, text))
    }
}

impl<E: fmt::Debug> fmt::Debug for Uploading<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Uploading").field(&self.endpoint).finish()
    }
}

impl<E: Upload> Endpoint for Uploading<E> {
    type Api = E::Api;
    type Output = E::Output;

    fn operation(&self) -> &Operation {
        self.endpoint.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Content { content_type, file_name, body }) = content else {
            let message = "this upload's body was handed over already: make a new call";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let payload = self.operation().payload;
        // A row that says nothing is a hand-written endpoint's.
        let takes_file = matches!(payload, Payload::File(_) | Payload::Multipart(_))
            || (payload == Payload::None && self.operation().parameters.is_empty());
        if !takes_file {
            let message = "the operation takes no file: its arguments make its body";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let own_type = || content_type.clone().unwrap_or_else(|| self.endpoint.content_type());
        let (content_type, body) = match (body, payload) {
            (Given::Body(body), Payload::Multipart(name)) => {
                let file = Part::new(name, body).file_name(file_name.unwrap_or_else(|| name.to_owned()));
                let file = match own_type().to_str() {
                    Ok(content_type) => file.content_type(content_type),
                    Err(_) => file,
                };
                self.with_fields(Multipart::new(draw_seed())).part(file).into_body()?
            }
            (Given::Body(body), _) => (own_type(), body),
            (Given::Form(form), _) => self.with_fields(form).into_body()?,
        };
        Ok(self.endpoint.request()?.with_body(content_type, body))
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<E::Output, Error> {
        self.endpoint.decode(response, cx)
    }
}
