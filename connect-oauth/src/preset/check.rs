//! Is a row complete, and can it be trusted with secrets?

use std::borrow::Cow;

use connect_core::Error;

use super::template;
use super::{Preset, Rotation};

/// What the engine itself puts into authorization and token requests. A row that set one of them would break a login,
/// or its protection against forged ones; `request` and `request_uri` (RFC 9101) would override all the others.
const OWN_PARAMETERS: &[&str] = &[
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_type",
    "state",
];

/// A hundred years: more is a mistake, and could not be added to a date.
const LONGEST_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;

impl Preset {
    /// Can this row be used as it is?
    ///
    /// URLs must be https (or http to this machine) and complete with their variables; there must be somewhere to fetch
    /// tokens; JSON pointers, names and seconds must make sense; no parameter may be one of the protocol's own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connect_core::ErrorKind::Config) with the first flaw, and the row it is in.
    pub fn check(&self) -> Result<(), Error> {
        self.check_row()?;
        for (field, text) in self.url_texts() {
            self.filled(field, Some(text))?;
        }
        Ok(())
    }

    /// As [`Preset::check`], but variables may be left to be filled.
    pub(super) fn check_row(&self) -> Result<(), Error> {
        self.check_names()?;
        self.check_urls()?;
        self.check_parameters()?;
        self.check_pointers()?;
        self.check_seconds()
    }

    fn check_names(&self) -> Result<(), Error> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.id.is_empty() || !self.id.bytes().all(plain) {
            return Err(self.refuse("needs an id of small letters, digits and `-`, like my-login"));
        }
        if self.name.trim().is_empty() {
            return Err(self.refuse("needs a name for people to read"));
        }
        for scope in self.default_scopes.iter().chain(self.refresh_scopes.iter()) {
            if scope.is_empty() || scope.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',') {
                return Err(
                    self.refuse("has a scope that is empty or is more than one: write each by itself")
                );
            }
        }
        Ok(())
    }

    fn check_urls(&self) -> Result<(), Error> {
        if self.token_url.is_none() && self.issuer.is_none() {
            return Err(self.refuse("has nowhere to fetch tokens: it needs a `token-url` or an `issuer`"));
        }
        let mut known = Vec::new();
        for (field, text) in self.url_texts() {
            let flawed = |flaw| self.refuse_url(field, &flaw);
            known.extend(template::variables(text).map_err(flawed)?.iter().map(|variable| variable.name));
            let value = |variable: &template::Variable<'_>| {
                Some(self.variable(variable.name).unwrap_or_else(|| variable.place.example()))
            };
            let (_, url) = template::fill(text, value).map_err(flawed)?;
            if field == "issuer" && url.query().is_some() {
                return Err(self.refuse("cannot use its `issuer`: it carries a query"));
            }
            if let Some((name, _)) = url.query_pairs().find(|(name, _)| self.is_taken(name)) {
                return Err(
                    self.refuse(format!("sets `{name}` in its `{field}`, which the login sets itself"))
                );
            }
        }
        let unknown = self.variables.iter().find(|(name, _)| !known.contains(&name.as_ref()));
        match unknown {
            Some((name, _)) if known.is_empty() => {
                Err(self.refuse(format!("has no variables, but `{name}` is filled: remove it")))
            }
            Some((name, _)) => {
                known.sort_unstable();
                known.dedup();
                let known = known.join("`, `");
                Err(self.refuse(format!("has no variable `{name}`: its variables are `{known}`")))
            }
            None => Ok(()),
        }
    }

    fn check_parameters(&self) -> Result<(), Error> {
        let unfit =
            |name: &str| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control());
        let scope = self.scope_parameter.as_ref();
        if unfit(scope) || OWN_PARAMETERS.contains(&scope) {
            return Err(
                self.refuse("has a `scope-parameter` that cannot carry scopes: it is `scope` as a rule")
            );
        }
        for (index, (name, _)) in self.authorize_parameters.iter().enumerate() {
            if unfit(name) {
                return Err(self.refuse("has a parameter without a name, or with blanks in it"));
            }
            if self.is_taken(name) {
                return Err(self.refuse(format!("sets the parameter `{name}`, which the login sets itself")));
            }
            if self.authorize_parameters.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(self.refuse(format!("sets the parameter `{name}` twice")));
            }
        }
        Ok(())
    }

    fn is_taken(&self, parameter: &str) -> bool {
        OWN_PARAMETERS.contains(&parameter) || parameter == self.scope_parameter
    }

    fn check_pointers(&self) -> Result<(), Error> {
        let profile = self.profile.as_ref();
        let pointers = [
            ("tokens-pointer", self.tokens_pointer.as_ref()),
            ("profile.subject", profile.map(|profile| &profile.subject)),
            ("profile.account", profile.and_then(|profile| profile.account.as_ref())),
            ("profile.email", profile.and_then(|profile| profile.email.as_ref())),
            ("profile.email-verified", profile.and_then(|profile| profile.email_verified.as_ref())),
        ];
        for (field, pointer) in pointers {
            if pointer.is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
                return Err(
                    self.refuse(format!("has a `{field}` that is no JSON pointer: begin it with `/`"))
                );
            }
        }
        Ok(())
    }

    fn check_seconds(&self) -> Result<(), Error> {
        let leeway = match self.rotation {
            Rotation::Leeway { seconds } => Some(seconds),
            _ => None,
        };
        let lives = &self.lifetimes;
        let all = [leeway, lives.access_seconds, lives.refresh_idle_seconds, lives.refresh_absolute_seconds];
        if all.into_iter().flatten().any(|seconds| seconds == 0 || seconds > LONGEST_SECONDS) {
            let why = "has a time of 0 seconds, or of more than a hundred years: leave out what is not known";
            return Err(self.refuse(Cow::Borrowed(why)));
        }
        Ok(())
    }
}
