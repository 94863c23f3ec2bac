//! Requests whose body is given beside the endpoint: a file, a stream, a form.
//!
//! A body that is made while it is sent takes as long as its size, so the time-out of an attempt does not end it; the
//! deadline of the call does, 60 s unless the call names another.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;

use crate::body::{Body, Multipart};
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
    body: Result<Body, Error>,
}

impl Content {
    /// A body of this type.
    pub fn new(content_type: HeaderValue, body: impl Into<Body>) -> Self {
        Self { content_type: Some(content_type), body: Ok(body.into()) }
    }
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        Self { content_type: None, body: Ok(body) }
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
    /// A mistake in the form is the error of the call.
    fn from(form: Multipart) -> Self {
        match form.into_body() {
            Ok((content_type, body)) => Self::new(content_type, body),
            Err(error) => Self { content_type: None, body: Err(error) },
        }
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
        let Some(Content { content_type, body }) = content else {
            let message = "this upload's body was handed over already: make a new call";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let content_type = content_type.unwrap_or_else(|| self.endpoint.content_type());
        Ok(self.endpoint.request()?.with_body(content_type, body?))
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<E::Output, Error> {
        self.endpoint.decode(response, cx)
    }
}
