//! Pairs of texts as a table in files: `variables = { domain = "acme.eu.auth0.com" }`.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserializer, Serializer};

use super::{List, Text};

pub(super) fn serialize<S: Serializer>(pairs: &List<(Text, Text)>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<List<(Text, Text)>, D::Error> {
    deserializer.deserialize_map(Pairs)
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = List<(Text, Text)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(Text, Text)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<Text, Text>()? {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("`{name}` is given twice")));
            }
            pairs.push((name, value));
        }
        Ok(pairs.into())
    }
}
