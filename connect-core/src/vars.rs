//! Reads settings from variables, and names the missing or malformed one.
//!
//! `from_env()` of every client stands on `from_vars(..)`, which takes a function: tests pass a table and never touch
//! the process environment. A variable that is set but empty counts as absent, as shells and container files make them.

use crate::error::{Error, ErrorKind};
use crate::origins::Origins;
use crate::secret::Secret;

/// Looks variables up by name.
///
/// ```
/// use connect_core::Vars;
/// let lookup = |name: &str| (name == "JIRA_EMAIL").then(|| "a@example.com".to_owned());
/// let vars = Vars::new(&lookup);
/// assert_eq!(vars.required("JIRA_EMAIL", "the account's e-mail address")?, "a@example.com");
/// let error = vars.required("JIRA_BASE_URL", "https://your-site.atlassian.net").unwrap_err();
/// assert_eq!(error.to_string(), "JIRA_BASE_URL is not set: https://your-site.atlassian.net");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Vars<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Vars<'a> {
    /// Looks up by this function.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The value, without white space round it; `None` if unset or empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// The value as a secret.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the variable if no header could carry the value (a line break in it, say).
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(value) = self.optional(name) else { return Ok(None) };
        if value.chars().any(char::is_control) {
            let message =
                format!("{name} contains a line break or another control character: paste it again");
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Some(Secret::new(value)))
    }

    /// The value as the base URL of an API.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the variable and what is wrong with the URL.
    pub fn origins(&self, name: &str) -> Result<Option<Origins>, Error> {
        let Some(value) = self.optional(name) else { return Ok(None) };
        Origins::new(&value)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::Config, format!("{name}: {}", error.message())))
    }

    /// The value, or an error that names the variable and says what belongs there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn required(&self, name: &str, meaning: &str) -> Result<String, Error> {
        self.optional(name).ok_or_else(|| missing(name, meaning))
    }

    /// The secret, or an error that names the variable and says what belongs there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn required_secret(&self, name: &str, meaning: &str) -> Result<Secret, Error> {
        self.secret(name)?.ok_or_else(|| missing(name, meaning))
    }

    /// The base URL of an API, or an error that names the variable and says what belongs there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn required_origins(&self, name: &str, meaning: &str) -> Result<Origins, Error> {
        self.origins(name)?.ok_or_else(|| missing(name, meaning))
    }
}

fn missing(name: &str, meaning: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{name} is not set: {meaning}"))
}

impl std::fmt::Debug for Vars<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vars").finish_non_exhaustive()
    }
}

/// The process environment as a lookup, for `from_env()`. A value that is not UTF-8 counts as absent.
pub fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one edge where the environment is read")]
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_variable_and_never_show_the_value() {
        let lookup = |name: &str| match name {
            "EMPTY" => Some("  ".to_owned()),
            "TOKEN" => Some("canary\nmore".to_owned()),
            "PASTED" => Some(" good\n".to_owned()),
            "URL" => Some("http://canary.example".to_owned()),
            _ => None,
        };
        let vars = Vars::new(&lookup);
        assert!(vars.optional("EMPTY").is_none());
        assert_eq!(vars.secret("PASTED").unwrap().unwrap().expose(), "good");
        let errors = [
            vars.required("EMPTY", "a name").unwrap_err(),
            vars.secret("TOKEN").map(drop).unwrap_err(),
            vars.origins("URL").map(drop).unwrap_err(),
            vars.required_secret("NONE", "a token").map(drop).unwrap_err(),
        ];
        for (error, name) in errors.iter().zip(["EMPTY", "TOKEN", "URL", "NONE"]) {
            let text = error.to_string();
            assert!(text.starts_with(name) && !text.contains("canary"), "{text}");
        }
    }
}
