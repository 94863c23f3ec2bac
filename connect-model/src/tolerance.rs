//! A value of another type than a model has costs its field and not the whole object: for what cannot be asked for again.

use std::cell::Cell;

use serde_json::value::RawValue;

use crate::drift;
use crate::object::Model;

/// How deep objects may be in one another: each level reads all that is below it once more. Providers send ten levels.
const DEEPEST: u8 = 32;

thread_local! {
    /// How deep the object is that is being read; none outside.
    static DEPTH: Cell<Option<u8>> = const { Cell::new(None) };
}

/// Runs a decoding in which a field whose value is of another type is left at its default, and noted as
/// [drift](crate::drift). Only what is no object at all, and what is no JSON, fails.
///
/// It reads each value as often as it is deep, so try without it first. JSON only, from serde_json.
///
/// ```
/// use connect_model::{Deserializer, Field, Model, drift, required, tolerate};
///
/// #[derive(Default)]
/// struct Issue {
///     number: i64,
///     title: String,
/// }
///
/// impl Model for Issue {
///     const NAME: &'static str = "Issue";
///     const FIELDS: &'static [Field] = &[Field::required("number"), Field::required("title")];
///
///     fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {
///         match field {
///             0 => required(&mut self.number, value),
///             1 => required(&mut self.title, value),
///             _ => connect_model::skip(value),
///         }
///     }
/// }
/// connect_model::models!(Issue);
///
/// let text = r#"{"number": "seven", "title": "Rain"}"#;
/// assert!(serde_json::from_str::<Issue>(text).is_err());
/// let (issue, drift) = drift::watch(|| tolerate(|| serde_json::from_str::<Issue>(text)));
/// let issue = issue?;
/// assert_eq!((issue.number, issue.title.as_str()), (0, "Rain"));
/// assert_eq!(drift, ["Issue.number"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn tolerate<T>(decode: impl FnOnce() -> T) -> T {
    at_depth(Some(0), decode)
}

/// Is a decoding under way that is to be tolerated?
pub(crate) fn is_on() -> bool {
    DEPTH.get().is_some()
}

/// Reads a field if its value fits; false if it was `null` or did not.
pub(crate) fn read<T: Model>(model: &mut T, field: usize, value: &RawValue) -> bool {
    let depth = DEPTH.get().unwrap_or_default();
    let read = (depth < DEEPEST).then(|| {
        let mut value = serde_json::Deserializer::from_str(value.get());
        at_depth(Some(depth + 1), || model.read(field, &mut value))
    });
    match read {
        Some(Ok(is_there)) => is_there,
        None | Some(Err(_)) => {
            drift::note(T::NAME, T::FIELDS.get(field).map_or("", |field| field.name()));
            false
        }
    }
}

fn at_depth<T>(depth: Option<u8>, act: impl FnOnce() -> T) -> T {
    let restore = Restore(DEPTH.replace(depth));
    let value = act();
    drop(restore);
    value
}

/// Puts the depth back, also when the decoding panics.
struct Restore(Option<u8>);

impl Drop for Restore {
    fn drop(&mut self) {
        DEPTH.set(self.0);
    }
}
