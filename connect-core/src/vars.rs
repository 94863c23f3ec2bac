//! Reads settings from variables, and names the missing or malformed one.
//!
//! `from_env()` of every client stands on `from_vars(..)`, which takes a function: tests pass a table and never touch
//! the process environment. A variable that is set but empty counts as absent, as shells and container files make them.

use crate::error::{Error, ErrorKind};
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
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.optional(name).map(Secret::new)
    }

    /// The value, or an error that names the variable and says what belongs there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn required(&self, name: &str, meaning: &str) -> Result<String, Error> {
        self.optional(name)
            .ok_or_else(|| Error::new(ErrorKind::Config, format!("{name} is not set: {meaning}")))
    }

    /// The secret, or an error that names the variable and says what belongs there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`].
    pub fn required_secret(&self, name: &str, meaning: &str) -> Result<Secret, Error> {
        self.required(name, meaning).map(Secret::new)
    }
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
