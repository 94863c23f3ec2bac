//! Sets of words that may grow: providers add a word without notice, and a closed enum would fail the whole answer.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Visitor};

/// A set of words, made by [`words!`](crate::words).
pub trait Words: Sized {
    /// The value for a word; one that nobody knows is kept as it is.
    fn from_word(word: Cow<'_, str>) -> Self;
}

/// Reads a word.
///
/// # Errors
/// The deserializer's, for what is no text.
pub fn deserialize_words<'de, T: Words, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Word).map(T::from_word)
}

struct Word;

impl<'de> Visitor<'de> for Word {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(word))
    }

    fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(word.to_owned()))
    }
}

/// Defines a set of words that may grow.
///
/// ```
/// connect_model::words! {
///     /// `open` or `closed`.
///     State { Open "open", Closed "closed" }
/// }
/// let states: Vec<State> = serde_json::from_str(r#"["open", "brand_new"]"#)?;
/// assert_eq!(states, [State::Open, State::Unknown("brand_new".into())]);
/// assert_eq!(states[1].as_str(), "brand_new");
/// assert_eq!(State::from("closed"), State::Closed);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
            /// A word that this version does not know, as it came.
            Unknown(::std::string::String),
        }

        impl $name {
            /// The provider's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl $crate::Words for $name {
            fn from_word(word: ::std::borrow::Cow<'_, str>) -> Self {
                match &*word {
                    $($word => Self::$variant,)*
                    _ => Self::Unknown(word.into_owned()),
                }
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self::Unknown(::std::string::String::new())
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(word: &str) -> Self {
                $crate::Words::from_word(::std::borrow::Cow::Borrowed(word))
            }
        }

        impl ::core::convert::From<::std::string::String> for $name {
            fn from(word: ::std::string::String) -> Self {
                $crate::Words::from_word(::std::borrow::Cow::Owned(word))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<'de> $crate::Deserialize<'de> for $name {
            fn deserialize<D: $crate::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::deserialize_words(deserializer)
            }
        }

        impl $crate::Serialize for $name {
            fn serialize<S: $crate::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "what the macro makes is public where it is used")]

    words! {
        /// Test.
        Color { Red "red", PlusOne "+1" }
    }

    #[test]
    fn words_are_read_and_written_as_they_are() {
        let colors: Vec<Color> = serde_json::from_str(r#"["red", "+1", "gr\u00fcn"]"#).unwrap();
        assert_eq!(colors, [Color::Red, Color::PlusOne, Color::Unknown("grün".into())]);
        assert_eq!(serde_json::to_string(&colors).unwrap(), r#"["red","+1","grün"]"#);
        assert_eq!(format!("{:>4}|", Color::Red), " red|");
        assert!(serde_json::from_str::<Color>("1").is_err());
        assert_eq!(Color::default().as_str(), "");
    }
}
