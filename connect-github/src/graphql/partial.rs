//! Data and errors together, for queries that can live with a part.

use std::fmt;

use connect_core::{Decoding, Endpoint, Error, Operation, Request, Response};
use serde::de::DeserializeOwned;

use super::errors::{Errors, QueryError};
use super::query::{Data, Query};
use crate::GitHubApi;

/// A query's data, and what is missing from it.
///
/// From [`Query::partial`].
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Partial<T> {
    /// The data: what could not be had is `null` there, so those fields are `Option`s.
    pub data: T,
    /// Why something is missing; empty if nothing is.
    pub errors: Vec<QueryError>,
}

/// A [`Query`] that takes data beside errors.
///
/// From [`Query::partial`], where the example is.
pub struct PartialQuery<T>(pub(super) Query<T>);

impl<T> Clone for PartialQuery<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for PartialQuery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PartialQuery").field(&self.0).finish()
    }
}

impl<T> serde::Serialize for PartialQuery<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: DeserializeOwned + Send + 'static> Endpoint for PartialQuery<T> {
    type Api = GitHubApi;
    type Output = Partial<T>;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Partial<T>, Error> {
        let errors = Errors::read(&response);
        match (cx.json::<Data<T>>(&response), errors) {
            (Ok(Data { data }), errors) => {
                Ok(Partial { data, errors: errors.map(|errors| errors.errors).unwrap_or_default() })
            }
            // Too little came for the type; the errors say why.
            (Err(_), Some(errors)) => Err(errors.into_error(&response, self.operation().safety)),
            (Err(error), None) => Err(error),
        }
    }
}
