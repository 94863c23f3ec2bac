//! Operations by name: for command lines, tools and queues that know what to call only when they run (feature `by-name`).
//!
//! A client crate lists its operations in a [`Catalog`]. [`Named`] is an endpoint for any of them: the arguments are one
//! flat JSON object with the provider's names (a body that is no object is the argument `body`), they are checked against
//! the operation's row, and the request goes the way of the typed endpoint. The answer is the provider's own JSON.

use async_trait::async_trait;
use serde_json::Value;

use crate::connector::Connector;
use crate::context::Context;
use crate::error::Error;

mod call;
mod catalog;
mod check;
mod named;
mod nearest;

pub use call::call;
pub use catalog::{Catalog, Category, Decode, Entry, typed};
pub use named::Named;
pub use nearest::nearest;

/// Calls any operation of a connector by its name.
///
/// A trait of its own, so that the feature adds to [`Connector`] and changes nothing in it.
#[async_trait]
pub trait CallByName: Connector {
    /// The operations there are.
    fn catalog(&self) -> &'static Catalog;

    /// Calls one. `arguments` is one flat object with the provider's names; the answer is the provider's JSON, `null` for
    /// an empty one.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a name nobody knows (with the nearest right one), a missing
    /// argument or one of another type; else what the typed call fails with.
    async fn call(&self, cx: &Context, operation: &str, arguments: Value) -> Result<Value, Error>;
}
