//! A row of your own, in Rust.

use std::borrow::Cow;

use super::{
    ClientAuthentication, Lifetimes, List, Pkce, Preset, Profile, Rotation, ScopeSeparator, Text, TokenBody,
    scope,
};

impl Preset {
    /// A row for a provider that is not in the table, with everything as the standards say it. Its URLs are still to
    /// come; [`Preset::check`] says what is missing.
    ///
    /// ```
    /// use connect_oauth::Preset;
    /// let intranet = Preset::new("intranet", "Our own login")
    ///     .with_authorize_url("https://login.example.com/authorize")
    ///     .with_token_url("https://login.example.com/token")
    ///     .with_refresh_scopes(["offline_access"]);
    /// assert!(intranet.check().is_ok());
    /// ```
    pub fn new(id: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            authorize_url: None,
            token_url: None,
            device_url: None,
            revoke_url: None,
            jwks_url: None,
            issuer: None,
            profile: None,
            scope_separator: ScopeSeparator::default(),
            scope_parameter: scope(),
            default_scopes: Cow::Borrowed(&[]),
            refresh_scopes: Cow::Borrowed(&[]),
            client_authentication: ClientAuthentication::default(),
            token_body: TokenBody::default(),
            authorize_parameters: Cow::Borrowed(&[]),
            pkce: Pkce::default(),
            rotation: Rotation::default(),
            lifetimes: Lifetimes::default(),
            tokens_pointer: None,
            variables: Cow::Borrowed(&[]),
            quirks: Cow::Borrowed(&[]),
            sources: Cow::Borrowed(&[]),
        }
    }

    /// Where the browser goes first. May have `{variables}`, as all URLs.
    #[must_use]
    pub fn with_authorize_url(mut self, url: impl Into<Text>) -> Self {
        self.authorize_url = Some(url.into());
        self
    }

    /// Where tokens are fetched.
    #[must_use]
    pub fn with_token_url(mut self, url: impl Into<Text>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// Where a device login begins.
    #[must_use]
    pub fn with_device_url(mut self, url: impl Into<Text>) -> Self {
        self.device_url = Some(url.into());
        self
    }

    /// Where a token is given back.
    #[must_use]
    pub fn with_revoke_url(mut self, url: impl Into<Text>) -> Self {
        self.revoke_url = Some(url.into());
        self
    }

    /// Where the keys are that sign id tokens.
    #[must_use]
    pub fn with_jwks_url(mut self, url: impl Into<Text>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// The OpenID Connect issuer, to the letter.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Text>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Where the provider says whose token it is.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// What stands between two scopes.
    #[must_use]
    pub fn with_scope_separator(mut self, separator: ScopeSeparator) -> Self {
        self.scope_separator = separator;
        self
    }

    /// Scopes asked for when the host names none.
    #[must_use]
    pub fn with_default_scopes<S: Into<Text>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.default_scopes = list(scopes);
        self
    }

    /// Scopes without which there is no refresh token.
    #[must_use]
    pub fn with_refresh_scopes<S: Into<Text>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.refresh_scopes = list(scopes);
        self
    }

    /// How the client names itself at the token endpoint.
    #[must_use]
    pub fn with_client_authentication(mut self, how: ClientAuthentication) -> Self {
        self.client_authentication = how;
        self
    }

    /// How the token endpoint takes its parameters.
    #[must_use]
    pub fn with_token_body(mut self, body: TokenBody) -> Self {
        self.token_body = body;
        self
    }

    /// One more parameter of the authorization request, or another value of one.
    #[must_use]
    pub fn with_authorize_parameter(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let (name, value) = (name.into(), value.into());
        let parameters = self.authorize_parameters.to_mut();
        parameters.retain(|(known, _)| *known != name);
        parameters.push((name, value));
        self
    }

    /// Does the provider check PKCE?
    #[must_use]
    pub fn with_pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = pkce;
        self
    }

    /// What happens to a refresh token that is used.
    #[must_use]
    pub fn with_rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// How long things live, where the answers do not say.
    #[must_use]
    pub fn with_lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }
}

impl Profile {
    /// A document that has the account's stable id at this JSON pointer.
    ///
    /// ```
    /// use connect_oauth::preset::Profile;
    /// let me = Profile::new("https://api.example.com/me", "/id").with_email("/email");
    /// assert_eq!(me.subject, "/id");
    /// ```
    pub fn new(url: impl Into<Text>, subject: impl Into<Text>) -> Self {
        Self { url: url.into(), subject: subject.into(), account: None, email: None, email_verified: None }
    }

    /// Where the account's readable name is.
    #[must_use]
    pub fn with_account(mut self, pointer: impl Into<Text>) -> Self {
        self.account = Some(pointer.into());
        self
    }

    /// Where the account's e-mail address is.
    #[must_use]
    pub fn with_email(mut self, pointer: impl Into<Text>) -> Self {
        self.email = Some(pointer.into());
        self
    }

    /// Where it says whether that address was checked.
    #[must_use]
    pub fn with_email_verified(mut self, pointer: impl Into<Text>) -> Self {
        self.email_verified = Some(pointer.into());
        self
    }
}

fn list<S: Into<Text>>(texts: impl IntoIterator<Item = S>) -> List<Text> {
    texts.into_iter().map(Into::into).collect::<Vec<_>>().into()
}
