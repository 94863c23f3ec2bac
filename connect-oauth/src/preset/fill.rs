//! Finding a row, filling its variables, and what it says in the end.

use std::borrow::Cow;

use connect_core::{Error, ErrorKind};
use url::Url;

use super::template::{self, Flaw};
use super::{PRESETS, Preset, ScopeSeparator, Text};

impl Preset {
    /// The built-in row of this id, yours to change.
    pub fn find(id: &str) -> Option<Self> {
        PRESETS.iter().find(|preset| preset.id == id).cloned()
    }

    /// Fills a variable of the URLs.
    ///
    /// What may stand there is checked when a URL is asked for, and by [`Preset::check`]: a value never gets out of its
    /// place.
    ///
    /// ```
    /// use connect_oauth::Preset;
    /// let hostile = Preset::find("auth0").unwrap().with("domain", "evil.example/");
    /// assert!(hostile.token_url().is_err());
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let (name, value) = (name.into(), value.into());
        let variables = self.variables.to_mut();
        match variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name, value)),
        }
        self
    }

    /// Where the browser goes first.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the row has none, or if a variable is not filled or with something that may not stand
    /// there.
    pub fn authorize_url(&self) -> Result<Url, Error> {
        self.needed("authorize-url", self.authorize_url.as_deref())
    }

    /// Where tokens are fetched.
    ///
    /// # Errors
    /// As [`Preset::authorize_url`].
    pub fn token_url(&self) -> Result<Url, Error> {
        self.needed("token-url", self.token_url.as_deref())
    }

    /// Where a device login begins.
    ///
    /// # Errors
    /// As [`Preset::authorize_url`].
    pub fn device_url(&self) -> Result<Url, Error> {
        self.needed("device-url", self.device_url.as_deref())
    }

    /// Where a token is given back.
    ///
    /// # Errors
    /// As [`Preset::authorize_url`].
    pub fn revoke_url(&self) -> Result<Url, Error> {
        self.needed("revoke-url", self.revoke_url.as_deref())
    }

    /// Where the keys are that sign id tokens.
    ///
    /// # Errors
    /// As [`Preset::authorize_url`].
    pub fn jwks_url(&self) -> Result<Url, Error> {
        self.needed("jwks-url", self.jwks_url.as_deref())
    }

    /// Where the provider says whose token it is, if the row says it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a variable is not filled, or with something that may not stand there.
    pub fn profile_url(&self) -> Result<Option<Url>, Error> {
        let text = self.profile.as_ref().map(|profile| profile.url.as_ref());
        Ok(self.filled("profile.url", text)?.map(|(_, url)| url))
    }

    /// The issuer, to the letter: id tokens and discovery documents must name exactly this, and a parsed URL would gain
    /// a closing slash.
    ///
    /// # Errors
    /// As [`Preset::profile_url`].
    pub fn issuer(&self) -> Result<Option<String>, Error> {
        let filled = self.filled("issuer", self.issuer.as_deref())?;
        Ok(filled.map(|(text, _)| text))
    }

    /// What a login asks for: these scopes, or the row's own if there are none, and those without which there would be
    /// no refresh token. Each once, in this order. For logins only: an app that logs in as itself gets no refresh token,
    /// and some providers refuse those scopes then.
    ///
    /// ```
    /// use connect_oauth::Preset;
    /// let jira = Preset::find("atlassian").unwrap();
    /// assert_eq!(jira.login_scopes(["read:jira-work"]), ["read:jira-work", "offline_access"]);
    /// ```
    pub fn login_scopes<S: AsRef<str>>(&self, named: impl IntoIterator<Item = S>) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        let mut add = |scope: &str| {
            if !scope.is_empty() && !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        };
        let mut named = named.into_iter().peekable();
        if named.peek().is_none() {
            self.default_scopes.iter().for_each(|scope| add(scope));
        }
        named.for_each(|scope| add(scope.as_ref()));
        self.refresh_scopes.iter().for_each(|scope| add(scope));
        scopes
    }

    /// The scopes as the provider reads them, each once.
    ///
    /// ```
    /// use connect_oauth::Preset;
    /// let slack = Preset::find("slack").unwrap();
    /// assert_eq!(slack.join_scopes(["chat:write", "users:read"]), "chat:write,users:read");
    /// ```
    pub fn join_scopes<S: AsRef<str>>(&self, scopes: impl IntoIterator<Item = S>) -> String {
        let separator = match self.scope_separator {
            ScopeSeparator::Space => " ",
            ScopeSeparator::Comma => ",",
        };
        let scopes: Vec<S> = scopes.into_iter().collect();
        let mut joined: Vec<&str> = Vec::with_capacity(scopes.len());
        for scope in scopes.iter().map(AsRef::as_ref) {
            if !scope.is_empty() && !joined.contains(&scope) {
                joined.push(scope);
            }
        }
        joined.join(separator)
    }

    /// Every URL of the row: as files call it, and its text.
    pub(super) fn url_texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("authorize-url", self.authorize_url.as_deref()),
            ("token-url", self.token_url.as_deref()),
            ("device-url", self.device_url.as_deref()),
            ("revoke-url", self.revoke_url.as_deref()),
            ("jwks-url", self.jwks_url.as_deref()),
            ("issuer", self.issuer.as_deref()),
            ("profile.url", self.profile.as_ref().map(|profile| profile.url.as_ref())),
        ]
        .into_iter()
        .filter_map(|(field, text)| Some((field, text?)))
    }

    /// What a variable is filled with.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    fn needed(&self, field: &str, text: Option<&str>) -> Result<Url, Error> {
        match self.filled(field, text)? {
            Some((_, url)) => Ok(url),
            None if self.issuer.is_some() => {
                Err(self.refuse(format!("has no `{field}`: let its issuer's discovery document tell")))
            }
            None => Err(self
                .refuse(format!("has no `{field}`: the provider documents none, or the row is incomplete"))),
        }
    }

    pub(super) fn filled(&self, field: &str, text: Option<&str>) -> Result<Option<(String, Url)>, Error> {
        let fill = |text| template::fill(text, |variable| self.variable(variable.name));
        text.map(fill).transpose().map_err(|flaw| self.refuse_url(field, &flaw))
    }

    pub(super) fn refuse_url(&self, field: &str, flaw: &Flaw) -> Error {
        match flaw {
            Flaw::Text(why) => self.refuse(format!("cannot use its `{field}`: it {why}")),
            Flaw::Missing(_) | Flaw::Value(..) => self.refuse(flaw.explain()),
        }
    }

    /// The row cannot be used, because it ...
    pub(super) fn refuse(&self, why: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorKind::Config, format!("the preset `{}` {}", self.id, why.into()))
    }
}
