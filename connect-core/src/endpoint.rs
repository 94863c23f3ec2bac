//! An endpoint is a value: what to ask, and how to read the answer. No client inside, no IO.
//!
//! So it is unit-tested without HTTP, logged, queued and sent later, or called by name.

use http::HeaderValue;
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::decode::Decoding;
use crate::error::Error;
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// One operation of one provider with its arguments. Sending it with another provider's client does not compile.
///
/// The crate's front page shows a complete implementation.
pub trait Endpoint: Send + Sync + 'static {
    /// Whose operation it is.
    type Api: Api;
    /// What a successful answer holds.
    type Output: Send + 'static;

    /// The static row of facts.
    fn operation(&self) -> &Operation;

    /// The request, below the provider's origin.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the argument that cannot be sent.
    fn request(&self) -> Result<Request, Error>;

    /// Reads a successful answer. Takes `&self`, because some operations have several success statuses.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) with the path of what differs. Any other kind is what the provider
    /// says within a success, as GraphQL does, and carries the endpoint's own advice about sending it again.
    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error>;
}

/// A list that goes on: `client.stream(endpoint)` yields items, `client.pages(endpoint)` whole pages, as
/// [`Operation::paging`] says.
///
/// A trait of its own, so that streaming something that is not a list does not compile.
pub trait Paged: Endpoint {
    /// One item of the list.
    type Item: DeserializeOwned + Send + 'static;

    /// What went wrong beside the items of a page that arrived: GraphQL answers data and errors together. Each becomes one
    /// `Err` after the page's items; where the page has no list, the first of them says why.
    fn beside(&self, _page: &Response) -> Vec<Error> {
        Vec::new()
    }
}

/// An endpoint whose body is given beside it: `client.upload(endpoint, body)`. Its [`Endpoint::request`] makes everything
/// but the body.
///
/// A trait of its own, so that giving a body to an operation that takes none does not compile.
pub trait Upload: Endpoint {
    /// The type of a body that does not name its own. `application/octet-stream` unless the endpoint knows better.
    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static("application/octet-stream")
    }

    /// What stands beside the file, where the operation takes it as a part of a form.
    fn fields(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
