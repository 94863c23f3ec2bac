//! Names of owners and repositories, judged before anything is sent.
//!
//! Only what would address something else is refused. Which of the other names exist is GitHub's to say: its rules
//! differ between installations.

use connect_core::{Error, ErrorKind};

/// The two parts of `owner/name`.
pub(super) fn split(full_name: &str) -> Result<(&str, &str), Error> {
    full_name.split_once('/').ok_or_else(|| invalid("full name", "no slash: it is `owner/name`"))
}

/// Refuses what is no name of an account or a repository.
pub(super) fn check(what: &str, name: &str) -> Result<(), Error> {
    let mistake = match name.chars().find(|c| c.is_whitespace() || c.is_control() || "/\\?#%".contains(*c)) {
        _ if name.is_empty() => "nothing in it",
        _ if matches!(name, "." | "..") => "only dots, which would address something else",
        None => return Ok(()),
        Some('/') => "a slash: give owner and name one by one, or use `repo_named`",
        Some(c) if c.is_whitespace() => "a space: names are written with `-` or `_` instead",
        Some(_) => "a character that no name has",
    };
    Err(invalid(what, mistake))
}

fn invalid(what: &str, mistake: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the repository's {what} has {mistake}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_that_would_address_something_else_are_refused_with_a_reason() {
        let cases = [
            ("", "nothing"),
            (".", "dots"),
            ("..", "dots"),
            ("r/../../user", "slash"),
            ("a b", "space"),
            ("a\u{a0}b", "space"),
            ("a\tb", "space"),
            ("a\0b", "character"),
            ("a?b", "character"),
            ("a#b", "character"),
            ("%2e%2e", "character"),
            ("a\\b", "character"),
        ];
        for (name, reason) in cases {
            let error = check("name", name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(reason), "{name:?}: {error}");
        }
        for name in ["hello", "hello.rs", "..hello", ".github", "a_b-c", "octo_corp"] {
            check("name", name).unwrap();
        }
    }

    #[test]
    fn a_full_name_has_two_parts() {
        assert_eq!(split("octo/hello").unwrap(), ("octo", "hello"));
        assert!(split("hello").unwrap_err().to_string().contains("owner/name"));
    }
}
