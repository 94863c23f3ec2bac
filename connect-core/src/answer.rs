//! Other ways to read what an endpoint answers: another type, text, bytes, or nothing where nothing has changed.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::header::IF_NONE_MATCH;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;

use crate::decode::Decoding;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// The same endpoint, decoded into a type of the caller.
///
/// Made by [`Call::decode_as`](crate::Call::decode_as).
pub struct As<E, T> {
    endpoint: E,
    output: PhantomData<fn() -> T>,
}

impl<E, T> As<E, T> {
    /// Wraps an endpoint.
    pub fn new(endpoint: E) -> Self {
        Self { endpoint, output: PhantomData }
    }
}

impl<E: fmt::Debug, T> fmt::Debug for As<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("As").field(&self.endpoint).finish()
    }
}

impl<E: Endpoint, T: DeserializeOwned + Send + 'static> Endpoint for As<E, T> {
    type Api = E::Api;
    type Output = T;

    fn operation(&self) -> &Operation {
        self.endpoint.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.endpoint.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<T, Error> {
        match response.body().is_empty() {
            // `Option<T>` and `()` take an answer without a body.
            true => serde_json::from_str("null").or_else(|_| cx.json(&response)),
            false => cx.json(&response),
        }
    }
}

/// The same endpoint, whose answer is text: a diff, a rendered page, a log.
///
/// Made by [`Call::text`](crate::Call::text).
#[derive(Clone, Debug)]
pub struct AsText<E>(E);

impl<E> AsText<E> {
    /// Wraps an endpoint.
    pub fn new(endpoint: E) -> Self {
        Self(endpoint)
    }
}

impl<E: Endpoint> Endpoint for AsText<E> {
    type Api = E::Api;
    type Output = String;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<String, Error> {
        cx.text(&response)
    }
}

/// The same endpoint, whose answer is taken as it comes.
///
/// Made by [`Call::bytes`](crate::Call::bytes).
#[derive(Clone, Debug)]
pub struct AsBytes<E>(E);

impl<E> AsBytes<E> {
    /// Wraps an endpoint.
    pub fn new(endpoint: E) -> Self {
        Self(endpoint)
    }
}

impl<E: Endpoint> Endpoint for AsBytes<E> {
    type Api = E::Api;
    type Output = Bytes;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Bytes, Error> {
        cx.bytes(&response)
    }
}

/// The same endpoint, asked whether its answer has changed: `None` if it has not (304, RFC 9110 13.1.2).
///
/// Made by [`Call::if_changed`](crate::Call::if_changed).
#[derive(Clone, Debug)]
pub struct IfChanged<E> {
    endpoint: E,
    tag: HeaderValue,
}

impl<E> IfChanged<E> {
    /// Wraps an endpoint; the tag as it came, quotes included.
    pub fn new(endpoint: E, tag: HeaderValue) -> Self {
        Self { endpoint, tag }
    }
}

impl<E: Endpoint> Endpoint for IfChanged<E> {
    type Api = E::Api;
    type Output = Option<E::Output>;

    fn operation(&self) -> &Operation {
        self.endpoint.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        let mut request = self.endpoint.request()?;
        request.insert_header(IF_NONE_MATCH, self.tag.clone());
        Ok(request)
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.endpoint.decode(response, cx).map(Some)
    }
}
