//! Which places of which answers mean the same thing.

use serde::Deserialize;

use crate::facts::Type;
use crate::import::ImportError;

/// A type that several answers share: a row of the table that the caller gives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The type's name; without one, what the row says holds for each of the places itself.
    #[serde(default)]
    pub name: String,
    /// Places as `METHOD.path`: `conversations.list.channels[]`. A leading `*` is any method; elsewhere `*` is any one
    /// name, and `**` any number of names, also none. A method without a path is its whole answer; a row with a `*` is
    /// never about whole answers, because `lists.**.list` would fit the name of the method `lists.items.list`.
    pub at: Vec<String>,
    /// Why these are the same, or why `shape` is given.
    pub reason: String,
    /// What it is, where samples cannot show it. Otherwise all objects that were seen in these places make it up.
    #[serde(default, rename = "type")]
    pub shape: Option<Type>,
    /// The fields that are always there, where samples show more than an answer has: many are filled up with every field
    /// that the provider's own model knows. Otherwise those that all samples have in all places.
    #[serde(default)]
    pub required: Option<Vec<String>>,
}

impl Share {
    pub(super) fn says_nothing(&self) -> bool {
        self.name.is_empty() && self.shape.is_none() && self.required.is_none()
    }
}

/// Reads a table of shared types: TOML, with a `[[share]]` for each.
///
/// # Errors
/// It is no such table.
pub fn shares(table: &str) -> Result<Vec<Share>, ImportError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        share: Vec<Share>,
    }
    let table: Table = toml::from_str(table)?;
    Ok(table.share)
}

/// A place in an answer.
pub(super) struct Place<'a> {
    method: Vec<&'a str>,
    path: Vec<String>,
}

impl<'a> Place<'a> {
    pub(super) fn of(method: &'a str) -> Self {
        Self { method: method.split('.').collect(), path: Vec::new() }
    }

    /// Acts at a field of what is here.
    pub(super) fn at_field<T>(&mut self, name: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.to_owned());
        let result = act(self);
        self.path.pop();
        result
    }

    /// Acts at an item of the list that is here.
    pub(super) fn at_item<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let whole = self.path.pop().unwrap_or_default();
        self.path.push(format!("{whole}[]"));
        let result = act(self);
        self.path.pop();
        self.path.push(whole);
        result
    }

    pub(super) fn matches(&self, pattern: &str) -> bool {
        let wanted: Vec<&str> = pattern.split('.').collect();
        if self.path.is_empty() && pattern.contains('*') {
            return false;
        }
        let path = self.path.iter().map(String::as_str);
        match wanted.split_first() {
            Some((&"*", rest)) => fits(rest, &path.collect::<Vec<_>>()),
            _ => fits(&wanted, &self.method.iter().copied().chain(path).collect::<Vec<_>>()),
        }
    }
}

fn fits(wanted: &[&str], names: &[&str]) -> bool {
    match (wanted, names) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=names.len()).any(|skip| fits(rest, &names[skip..])),
        ([first, wanted @ ..], [name, names @ ..]) => (*first == "*" || first == name) && fits(wanted, names),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_fits_something_in_an_answer_and_never_the_name_of_a_method() {
        let mut place = Place::of("lists.items.list");
        for pattern in ["lists.**.list", "lists.*.list", "**.list", "**", "*"] {
            assert!(!place.matches(pattern), "{pattern}");
        }
        assert!(place.matches("lists.items.list"));
        place.at_field("list", |place| {
            for pattern in
                ["lists.**.list", "lists.items.list.*", "lists.**", "*.list", "lists.items.list.list"]
            {
                assert!(place.matches(pattern), "{pattern}");
            }
            assert!(!place.matches("lists.items.list"));
        });
    }
}
