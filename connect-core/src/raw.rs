//! The escape hatch: any request, any answer, still through the whole stack.
//!
//! For an operation this family has no endpoint for yet, or a field it does not know.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::decode::Decoding;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// A request made by hand, answered as `T` (any `Deserialize`; `serde_json::Value` to look around).
///
/// ```
/// use connect_core::{Endpoint, Method, Operation, Raw, Request, Safety};
/// # use connect_core::{Api, Client, Response, Verdict};
/// # enum GitHubApi {}
/// # impl Api for GitHubApi {
/// #     const ID: &'static str = "github"; const BASE_URL: &'static str = "https://api.github.com";
/// #     type Handle = Client<Self>;
/// #     fn classify(r: &Response) -> Verdict { Verdict::from_status(r) }
/// # }
/// // The safety follows from the method; say so where the method does not tell (this POST only reads).
/// let operation = Operation::raw("graphql/viewer", Method::POST, "/graphql").safety(Safety::Safe);
/// let request = Request::builder(&operation).json(&serde_json::json!({"query": "{ viewer { login } }"})).build()?;
/// let raw: Raw<GitHubApi, serde_json::Value> = Raw::new(request);
/// assert_eq!(raw.operation().name, "graphql/viewer");
/// # Ok::<(), connect_core::Error>(())
/// ```
pub struct Raw<A, T> {
    request: Request,
    kind: PhantomData<fn() -> (A, T)>,
}

impl<A: Api, T> Raw<A, T> {
    /// Sends this request as it is.
    pub fn new(request: Request) -> Self {
        Self { request, kind: PhantomData }
    }

    /// A GET of a path below the API's base URL; the path must be percent-encoded already.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the path holds a `{placeholder}`.
    pub fn get(path: &str) -> Result<Self, Error> {
        Request::builder(&Operation::raw("raw/get", http::Method::GET, path)).build().map(Self::new)
    }

    /// A POST of a JSON value; never replayed unless it was proven not sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the path holds a `{placeholder}` or the value cannot be written as JSON.
    pub fn post(path: &str, value: &impl Serialize) -> Result<Self, Error> {
        Request::builder(&Operation::raw("raw/post", http::Method::POST, path))
            .json(value)
            .build()
            .map(Self::new)
    }
}

impl<A, T> fmt::Debug for Raw<A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raw").field(&self.request).finish()
    }
}

impl<A: Api, T: DeserializeOwned + Send + 'static> Endpoint for Raw<A, T> {
    type Api = A;
    type Output = T;

    fn operation(&self) -> &Operation {
        self.request.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.request.replay().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "this request's body can be sent only once: make a new request",
            )
        })
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<T, Error> {
        cx.json(&response)
    }
}
