//! A configuration out of a file: any self-describing format of serde, read by the table of settings.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::Config;
use super::settings::SETTINGS;

impl<'de> Deserialize<'de> for Config {
    /// Settings that are absent keep their defaults.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut config = Self::default();
        deserializer.deserialize_map(Section { prefix: "", config: &mut config })?;
        Ok(config)
    }
}

/// The settings whose names begin with a prefix.
struct Section<'a> {
    prefix: &'a str,
    config: &'a mut Config,
}

impl<'de> DeserializeSeed<'de> for Section<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Section<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let name = format!("{}{key}", self.prefix);
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) {
                if let Some(text) = map.next_value::<Plain>()?.0 {
                    setting
                        .set(self.config, &text)
                        .map_err(|expected| A::Error::custom(format!("`{name}`: expected {expected}")))?;
                }
                continue;
            }
            let prefix = format!("{name}.");
            if !SETTINGS.iter().any(|setting| setting.name.starts_with(&prefix)) {
                let known: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
                let message = format!("there is no setting `{name}`; there are {}", known.join(", "));
                return Err(A::Error::custom(message));
            }
            map.next_value_seed(Section { prefix: &prefix, config: self.config })?;
        }
        Ok(())
    }
}

/// Text or a number, as text; nothing for `null`.
struct Plain(Option<String>);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain(Some(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Plain, E> {
        Ok(Plain(Some(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Plain, E> {
        Ok(Plain(Some(number.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_none<E: Error>(self) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(text: &str) -> Result<Config, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let config = read(
            r#"{"deadline": "2m", "retry": {"attempts": 7, "cap": "1s"}, "body_limit": 4096,
                "user_agent": "acme/1", "seed": null}"#,
        )
        .unwrap();
        assert_eq!((config.deadline, config.retry.attempts), (Duration::from_secs(120), 7));
        assert_eq!((config.retry.cap, config.body_limit_bytes), (Duration::from_secs(1), 4096));
        assert_eq!((config.user_agent.as_deref(), config.seed), (Some("acme/1"), None));
        assert_eq!(config.read_timeout, Config::default().read_timeout);
        assert_eq!(read("{}").unwrap().deadline, Config::default().deadline);
    }

    #[test]
    fn what_is_misspelt_or_malformed_is_named() {
        let cases = [
            (r#"{"deadlin": "2m"}"#, "`deadlin`"),
            (r#"{"retry": {"attemps": 2}}"#, "`retry.attemps`"),
            (r#"{"retry": {"base": {"x": 1}}}"#, "text or a whole number"),
            (r#"{"retry": 3}"#, "a table of settings"),
            (r#"{"deadline": 30}"#, "`deadline`: expected a duration"),
            (r#"{"body_limit": "16 apples"}"#, "`body_limit`: expected a size"),
            (r#"{"retry": {"attempts": -1}}"#, "`retry.attempts`"),
            (r#"{"seed": 1.5}"#, "text or a whole number"),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
