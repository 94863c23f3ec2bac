//! Options of a command line: `--name value`, `--name=value`, `--flag`, and words.

use std::ffi::OsString;

use connect_core::by_name::nearest;
use lexopt::Arg;

use crate::Failure;

/// Options without a value.
const FLAGS: &[&str] = &["device", "explain", "help", "idle", "json", "version"];

/// Options that take a value.
const WITH_VALUE: &[&str] = &[
    "args",
    "audience",
    "base-url",
    "body",
    "category",
    "db",
    "event",
    "header",
    "issuer",
    "keys",
    "method",
    "name",
    "now",
    "operation",
    "pages",
    "presets",
    "redirect-uri",
    "scheme",
    "scope",
    "service-account",
    "set",
    "status",
    "tenant",
    "topic",
    "url",
    "webhook-id",
];

/// What was written, until a command has taken it.
///
/// What nobody knows is named by its option, never by its value: people type secrets where none belong, and standard
/// error ends in logs.
#[derive(Debug)]
pub(crate) struct Arguments {
    words: Vec<String>,
    flags: Vec<String>,
    values: Vec<(String, String)>,
}

impl Arguments {
    pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Self, Failure> {
        let usage = |error: lexopt::Error| {
            Failure::Usage(match error {
                lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
                other => other.to_string(),
            })
        };
        let text = |value: OsString| {
            value.into_string().map_err(|_| Failure::Usage("an argument is not UTF-8 text".to_owned()))
        };
        let mut parsed = Self { words: Vec::new(), flags: Vec::new(), values: Vec::new() };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(usage)? {
            match argument {
                Arg::Value(word) => parsed.words.push(text(word)?),
                Arg::Short('h') => parsed.flags.push("help".to_owned()),
                Arg::Short(other) => return Err(Failure::Usage(format!("there is no option -{other}"))),
                Arg::Long(name) => {
                    let name = name.to_owned();
                    if WITH_VALUE.contains(&name.as_str()) {
                        let value = text(parser.value().map_err(usage)?)?;
                        parsed.values.push((name, value));
                    } else if FLAGS.contains(&name.as_str()) {
                        parsed.flags.push(name);
                    } else {
                        return Err(Failure::Usage(unknown_option(&name)));
                    }
                }
            }
        }
        parsed.words.reverse();
        Ok(parsed)
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Option<String> {
        self.words.pop()
    }

    /// Is an option there that takes a value?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(known, _)| known == name)
    }

    /// Was this flag there?
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.flags.len();
        self.flags.retain(|flag| flag != name);
        self.flags.len() < before
    }

    /// The value of an option that is there once at most.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let mut values = self.values(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Failure::Usage(format!("--{name} is there more than once"))),
        }
    }

    /// The values of an option that may be there more than once.
    pub(crate) fn values(&mut self, name: &str) -> Vec<String> {
        let (found, rest) =
            std::mem::take(&mut self.values).into_iter().partition(|(known, _)| known == name);
        self.values = rest;
        let found: Vec<(String, String)> = found;
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// Refuses whatever no one has taken.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let values = self.values.into_iter().map(|(name, _)| name);
        match (self.flags.into_iter().chain(values).next(), self.words.len()) {
            (Some(option), _) => Err(Failure::Usage(format!("--{option} means nothing here; see --help"))),
            (None, 0) => Ok(()),
            (None, 1) => Err(Failure::Usage("there is one word too many; see --help".to_owned())),
            (None, more) => Err(Failure::Usage(format!("there are {more} words too many; see --help"))),
        }
    }
}

/// What to say about a word that nobody knows, with the nearest one that somebody does.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(known) => format!("there is no {what} `{word}`; did you mean `{known}`?"),
        None => format!("there is no {what} `{word}`; there are {}", known.join(", ")),
    }
}

/// What to say about an option that no command has.
fn unknown_option(name: &str) -> String {
    let advice = match nearest(name, FLAGS.iter().chain(WITH_VALUE).copied()) {
        Some(known) => format!("did you mean --{known}?"),
        None if name.starts_with("client-") => {
            "the app's id and secret come from the environment: see `connect auth --help`".to_owned()
        }
        None => "see --help".to_owned(),
    };
    format!("there is no option --{name}; {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_named() {
        assert!(unknown("command", "aut", &["auth", "help"]).contains("did you mean `auth`"));
        assert!(unknown("preset", "gihtub", &["gitlab", "github"]).contains("`github`"));
        assert!(unknown("command", "zzzzzzzz", &["auth", "help"]).contains("auth, help"));
    }
}
