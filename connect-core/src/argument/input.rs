//! A value on its way to a provider: JSON, with secrets that show only on the wire.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

#[cfg(feature = "by-name")]
use crate::secret::REDACTED;
use crate::secret::Secret;

/// A value for a provider. `Debug` and `Serialize` show secrets as `[redacted]`; only a request carries them.
///
/// Made by `From`, out of what it says:
///
/// ```
/// use connect_core::Secret;
/// use connect_core::argument::Input;
/// let input = Input::from(vec![Input::from("a"), 7.into(), true.into(), Secret::new("canary").into()]);
/// assert_eq!(format!("{input:?}"), r#"["a", 7, true, [redacted]]"#);
/// assert_eq!(Input::from(serde_json::json!({"a": [1]})).to_json(), r#"{"a":[1]}"#);
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// `null`: providers that tell it from a missing value take it as "clear this".
    #[default]
    Null,
    /// `true`, `false`
    Flag(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// Text that nobody but the provider should see.
    Secret(Secret),
    /// Many values.
    List(Vec<Input>),
    /// Names and values, in this order.
    Object(Vec<(Cow<'static, str>, Input)>),
}

impl Input {
    /// The JSON text that goes on the wire, secrets included.
    pub fn to_json(&self) -> String {
        // Fails only for maps with keys that are no text and for types that refuse: there are none in here.
        serde_json::to_string(&Exposed(self)).unwrap_or_default()
    }

    /// Text as it is, numbers and flags as they are written; JSON text for lists and objects.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Secret(secret) => Cow::Borrowed(secret.expose()),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Null => Cow::Borrowed(""),
            Self::List(_) | Self::Object(_) => Cow::Owned(self.to_json()),
        }
    }

    /// Turns the texts at a dotted path into secrets; lists on the way are passed through.
    #[cfg(feature = "by-name")]
    pub(crate) fn conceal(&mut self, path: &str) -> Result<(), &'static str> {
        match self {
            Self::List(items) => items.iter_mut().try_for_each(|item| item.conceal(path)),
            // An endpoint that was written down has no secrets any more: sent like that, the placeholder would be the secret.
            Self::Text(text) if path.is_empty() && text == REDACTED => {
                Err("is the placeholder that stands where a secret was: give the secret itself")
            }
            Self::Text(text) if path.is_empty() => {
                *self = Self::Secret(Secret::new(std::mem::take(text)));
                Ok(())
            }
            Self::Null => Ok(()),
            _ if path.is_empty() => Err("is no text: it would be shown where secrets must not be"),
            Self::Object(fields) => {
                let (name, rest) = path.split_once('.').unwrap_or((path, ""));
                fields
                    .iter_mut()
                    .filter(|(known, _)| known == name)
                    .try_for_each(|(_, value)| value.conceal(rest))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => text.fmt(f),
            Self::Secret(secret) => secret.fmt(f),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Object(fields) => {
                f.debug_map().entries(fields.iter().map(|(name, value)| (name, value))).finish()
            }
        }
    }
}

impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(secret) => secret.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// For the wire.
pub(super) struct Exposed<'a>(pub(super) &'a Input);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Input::Secret(secret) => serializer.serialize_str(secret.expose()),
            Input::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Exposed(item))?;
                }
                list.end()
            }
            Input::Object(fields) => {
                let mut object = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    object.serialize_entry(name, &Exposed(value))?;
                }
                object.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

/// The fields of an object inside a body; generated types are newtypes round it.
///
/// ```
/// use connect_core::argument::{Fields, Input};
/// let config = Fields::new().set("url", "https://example.com").set("secret", connect_core::Secret::new("canary"));
/// assert!(!format!("{config:?}").contains("canary"));
/// assert_eq!(Input::from(config).to_json(), r#"{"url":"https://example.com","secret":"canary"}"#);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Vec<(Cow<'static, str>, Input)>);

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a value, in place of an earlier one.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<Input>) -> Self {
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
        self
    }

    /// Gives a list.
    #[must_use]
    pub fn list(self, name: &'static str, values: impl IntoIterator<Item = impl Into<Input>>) -> Self {
        self.set(name, Input::List(values.into_iter().map(Into::into).collect()))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
    }
}

impl From<Fields> for Input {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

impl From<bool> for Input {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Input {
            fn from(number: $integer) -> Self {
                Self::Number(number.into())
            }
        }
    )*};
}
from_integers!(i32, i64, u32, u64);

impl From<f64> for Input {
    /// What JSON cannot carry (infinities, not-a-number) is `null`.
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Input {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Secret> for Input {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl<T: Into<Input>> From<Vec<T>> for Input {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Input>> From<Option<T>> for Input {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<Value> for Input {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => items.into(),
            Value::Object(fields) => Self::Object(
                fields.into_iter().map(|(name, value)| (Cow::Owned(name), value.into())).collect(),
            ),
        }
    }
}
