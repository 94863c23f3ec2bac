//! What every connector's [`CallByName`](super::CallByName) does.

use serde_json::Value;

use super::{Catalog, Named};
use crate::api::Api;
use crate::argument::Payload;
use crate::client::Client;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};

/// Calls an operation of the catalogue and yields its answer as a value: for connectors that implement
/// [`CallByName`](super::CallByName).
///
/// # Errors
/// [`ErrorKind::Invalid`] for a wrong name or argument, [`ErrorKind::Unsupported`] for an operation whose body is a file;
/// else what the call fails with.
pub async fn call<A: Api>(
    client: &Client<A>,
    catalog: &Catalog,
    cx: &Context,
    operation: &str,
    arguments: Value,
) -> Result<Value, Error> {
    let named = Named::<A>::new(catalog, operation, arguments)?;
    if let Payload::File(_) = named.operation().payload {
        let message = "its body is a file: send it with `client.upload(Named::new(..)?, file)`";
        let name = named.operation().name.clone();
        return Err(Error::new(ErrorKind::Unsupported, message).with_operation(A::ID, name));
    }
    let answer = client.send(named).context(cx).await?;
    serde_json::from_str(answer.get()).map_err(|error| {
        Error::new(ErrorKind::Decode, "the answer cannot be kept as a JSON value").with_source(error)
    })
}
