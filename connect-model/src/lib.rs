//! What the models of the `connect` family are made of: lean, tolerant, and honest about what was missing.
//!
//! Providers' descriptions promise more than their answers keep, and both change every week. A model that insists turns
//! a missing field into a failed call; a model in which everything is optional says nothing. So a field is plain where
//! the provider promises it and keeps the promise in all its own examples; when it is missing all the same, it decodes
//! to its default, and that is noted as *drift*: connect-core reports it to the observer, and tests refuse it.
//!
//! - [`Model`]: an object, field by field. Unknown fields are skipped.
//! - [`words!`](crate::words): a set of words that may grow; a word that nobody knows stays readable.
//! - [`Union`]: one of several shapes, told apart by what is there; an unknown one stays JSON.
//! - [`tolerate`]: a value of another type costs its field only, for what cannot be asked for again.
//! - [`Timestamp`], [`Link`]: text as it came, read as a time or a URL only when somebody asks.
//!
//! Generated code does the calling, so users of a client hardly meet this crate. It is apart from connect-core because
//! typed webhooks need it and must not bring an HTTP stack.
//!
//! ```
//! use connect_model::{Deserializer, Field, Model, drift, optional, required};
//!
//! #[derive(Clone, Debug, Default)]
//! struct Label {
//!     name: String,
//!     color: Option<String>,
//! }
//!
//! impl Model for Label {
//!     const NAME: &'static str = "Label";
//!     const FIELDS: &'static [Field] = &[Field::required("name"), Field::optional("color")];
//!
//!     fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {
//!         match field {
//!             0 => required(&mut self.name, value),
//!             1 => optional(&mut self.color, value),
//!             _ => connect_model::skip(value),
//!         }
//!     }
//! }
//! connect_model::models!(Label);
//!
//! let (label, missing) = drift::watch(|| serde_json::from_str::<Label>(r#"{"brand_new": 1, "color": "ff0000"}"#));
//! let label = label?;
//! assert_eq!((label.name.as_str(), label.color.as_deref()), ("", Some("ff0000")));
//! assert_eq!(missing, ["Label.name"]);
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod drift;
mod link;
mod object;
mod timestamp;
mod tolerance;
mod union;
mod words;

pub use link::Link;
pub use object::{Field, Model, deserialize, optional, required, skip};
pub use timestamp::Timestamp;
pub use tolerance::tolerate;
pub use union::{Kind, Union, Variant, deserialize_union};
pub use words::{Words, deserialize_words};

// What generated code names, so that it needs no second version of it.
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use serde_json::Value;
pub use serde_json::value::RawValue;
