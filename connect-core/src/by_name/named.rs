//! An endpoint that is any operation of a catalogue.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::check::arguments;
use super::{Catalog, Entry};
use crate::api::Api;
use crate::argument::{Arguments, Payload};
use crate::decode::{Decoding, text};
use crate::endpoint::{Endpoint, Paged, Upload};
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// An operation by its name, with arguments out of JSON. The answer is the provider's JSON as it came: `null` for an empty
/// one, a string for text that is no JSON.
///
/// ```
/// use connect_core::by_name::{Catalog, Category, Entry, Named};
/// use connect_core::argument::{Parameter, Payload, Shape};
/// use connect_core::{Api, Endpoint, Method, Operation, Response, Safety, Verdict};
/// use serde_json::json;
///
/// # enum Weather {}
/// # impl Api for Weather {
/// #     const ID: &'static str = "weather";
/// #     const BASE_URL: &'static str = "https://weather.example";
/// #     type Handle = connect_core::Client<Weather>;
/// #     fn classify(response: &Response) -> Verdict { Verdict::from_status(response) }
/// # }
/// const TODAY: &Operation = &Operation::new("today", Method::GET, "/today/{city}", Safety::Safe)
///     .takes(Payload::None, &[Parameter::name("city"), Parameter::query("units", Shape::Text)]);
/// static CATALOG: Catalog = Catalog::new("weather", &[Category::new("days", &[Entry::new(TODAY, "{}")])]);
///
/// let today = Named::<Weather>::new(&CATALOG, "today", json!({"city": "Oslo"}))?;
/// assert_eq!(today.request()?.path_and_query(), "/today/Oslo");
/// let slip = Named::<Weather>::new(&CATALOG, "today", json!({"citi": "Oslo"})).unwrap_err();
/// assert!(slip.to_string().contains("did you mean `city`?"), "{slip}");
/// # Ok::<(), connect_core::Error>(())
/// ```
pub struct Named<A> {
    arguments: Arguments,
    api: PhantomData<fn() -> A>,
}

impl<A: Api> Named<A> {
    /// The operation of this name, with one flat object of arguments in the provider's names.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], naming what is unknown (with the nearest right name), missing or of another type.
    pub fn new(catalog: &Catalog, operation: &str, arguments: Value) -> Result<Self, Error> {
        Self::of(catalog.find(operation)?, arguments)
    }

    /// An operation that was found already.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], naming what is unknown, missing or of another type.
    pub fn of(entry: &Entry, given: Value) -> Result<Self, Error> {
        let operation = entry.operation;
        match arguments(operation, given) {
            Ok(arguments) => Ok(Self { arguments, api: PhantomData }),
            Err(error) => Err(error.with_operation(A::ID, operation.name.clone())),
        }
    }
}

impl<A> Clone for Named<A> {
    fn clone(&self) -> Self {
        Self { arguments: self.arguments.clone(), api: PhantomData }
    }
}

impl<A> fmt::Debug for Named<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arguments.fmt(f)
    }
}

impl<A> Serialize for Named<A> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.arguments.serialize(serializer)
    }
}

impl<A: Api> Endpoint for Named<A> {
    type Api = A;
    type Output = Box<RawValue>;

    fn operation(&self) -> &Operation {
        self.arguments.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.arguments.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        if response.body().is_empty() {
            return Ok(RawValue::NULL.to_owned());
        }
        let is_json = response.header("content-type").is_none_or(|media_type| media_type.contains("json"));
        if is_json {
            return cx.json(&response);
        }
        // An archive, a picture: no text and no JSON.
        let text = text(response.body()).map_err(|error| {
            let message = "the answer is neither JSON nor text: download it with the typed endpoint";
            Error::new(ErrorKind::Unsupported, message).with_source(error)
        })?;
        serde_json::value::to_raw_value(text).map_err(|error| {
            Error::new(ErrorKind::Decode, "the answer cannot be written as JSON").with_source(error)
        })
    }
}

impl<A: Api> Paged for Named<A> {
    type Item = Box<RawValue>;
}

impl<A: Api> Upload for Named<A> {
    fn content_type(&self) -> crate::HeaderValue {
        match self.arguments.operation().payload {
            Payload::File(media_type) => crate::HeaderValue::from_static(media_type),
            _ => crate::HeaderValue::from_static("application/octet-stream"),
        }
    }

    fn fields(&self) -> Vec<(String, String)> {
        self.arguments.form()
    }
}
