//! The arguments of a generated endpoint, and the request they make: one table per operation, one interpreter for all.
//!
//! A generated endpoint is a newtype round [`Arguments`]: its `new` takes what the provider insists on, its setters the
//! rest, both typed. Where each value goes stands in the operation's row ([`Operation::parameters`]), so a thousand
//! endpoints bring a thousand tables and not a thousand request builders, and an operation called by name goes the same
//! way as a typed one.
//!
//! Hand-written endpoints need none of this: [`Request::builder`] is there for them.
//!
//! ```
//! use connect_core::argument::{Arguments, Parameter, Payload, Shape};
//! use connect_core::{Method, Operation, Safety};
//!
//! const CREATE: &Operation =
//!     &Operation::new("issues/create", Method::POST, "/repos/{owner}/{repo}/issues", Safety::Unsafe).takes(
//!         Payload::Json("application/json"),
//!         &[
//!             Parameter::name("owner"),
//!             Parameter::name("repo"),
//!             Parameter::field("title", Shape::Text).required(),
//!             Parameter::field("labels", Shape::List),
//!         ],
//!     );
//!
//! let create = Arguments::new(CREATE).text("owner", "octo").text("repo", "hello").text("title", "Hi");
//! let request = create.clone().list("labels", ["bug"]).request()?;
//! assert_eq!(request.path_and_query(), "/repos/octo/hello/issues");
//! assert_eq!(request.body().as_bytes().unwrap().as_ref(), br#"{"title":"Hi","labels":["bug"]}"#);
//!
//! let slug = create.text("repo", "hello world").request().unwrap_err();
//! assert!(slug.to_string().contains("`repo`"));
//! # Ok::<(), connect_core::Error>(())
//! ```

use std::fmt;

use serde::{Serialize, Serializer};

use crate::operation::Operation;
#[cfg(doc)]
use crate::request::Request;
use crate::secret::Secret;

mod fill;
mod input;
mod parameter;

pub use input::{Fields, Input};
pub use parameter::{Parameter, Payload, Place, Shape, Style};

/// An operation and the values that were given for it. Shows and serialises as one flat object with the provider's
/// names; secrets as `[redacted]`.
///
/// The module's page has an example.
#[derive(Clone)]
pub struct Arguments {
    operation: &'static Operation,
    /// In the order they were given; each name once.
    values: Vec<(&'static str, Input)>,
    accept: Option<&'static str>,
}

impl Arguments {
    /// None yet.
    pub fn new(operation: &'static Operation) -> Self {
        let required = operation.parameters.iter().filter(|parameter| parameter.required).count();
        Self { operation, values: Vec::with_capacity(required), accept: None }
    }

    /// The operation's row.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The value that was given under this name.
    pub fn get(&self, name: &str) -> Option<&Input> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Gives a value, in place of an earlier one. Names are the provider's; one that the row does not list is refused by
    /// [`Arguments::request`].
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<Input>) -> Self {
        let value = value.into();
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.values.push((name, value)),
        }
        self
    }

    /// Gives a text.
    #[must_use]
    pub fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.set(name, Input::Text(value.into()))
    }

    /// Gives a text that nobody but the provider should see.
    #[must_use]
    pub fn secret(self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.set(name, Input::Secret(value.into()))
    }

    /// Gives a list.
    #[must_use]
    pub fn list(self, name: &'static str, values: impl IntoIterator<Item = impl Into<Input>>) -> Self {
        self.set(name, Input::List(values.into_iter().map(Into::into).collect()))
    }

    /// Asks for the answer in another media type than the client's.
    #[must_use]
    pub fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = Some(media_type);
        self
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(&self.operation.name);
        for (name, value) in &self.values {
            shown.field(name, value);
        }
        shown.finish()
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|(name, value)| (name, value)))
    }
}
