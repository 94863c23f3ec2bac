//! How the table writes a row: plain static texts, and only what differs from the standards.
//!
//! A [`Preset`] can own its texts, so it cannot be completed from a default in a constant; this can.

use std::borrow::Cow::{self, Borrowed};

use crate::preset::{
    ClientAuthentication, Lifetimes, Pkce, Preset, Profile, Rotation, ScopeSeparator, Text, TokenBody,
};

#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) authorize_url: Option<&'static str>,
    pub(super) token_url: Option<&'static str>,
    pub(super) device_url: Option<&'static str>,
    pub(super) revoke_url: Option<&'static str>,
    pub(super) jwks_url: Option<&'static str>,
    pub(super) issuer: Option<&'static str>,
    pub(super) profile: Option<ProfileRow>,
    pub(super) scope_separator: ScopeSeparator,
    pub(super) scope_parameter: &'static str,
    pub(super) default_scopes: &'static [Text],
    pub(super) refresh_scopes: &'static [Text],
    pub(super) client_authentication: ClientAuthentication,
    pub(super) token_body: TokenBody,
    pub(super) authorize_parameters: &'static [(Text, Text)],
    pub(super) pkce: Pkce,
    pub(super) rotation: Rotation,
    pub(super) lifetimes: Lifetimes,
    pub(super) tokens_pointer: Option<&'static str>,
    pub(super) variables: &'static [(Text, Text)],
    pub(super) quirks: &'static [Text],
    pub(super) sources: &'static [Text],
}

#[derive(Clone, Copy)]
pub(super) struct ProfileRow {
    pub(super) url: &'static str,
    pub(super) subject: &'static str,
    pub(super) account: Option<&'static str>,
    pub(super) email: Option<&'static str>,
    pub(super) email_verified: Option<&'static str>,
}

/// Everything as the standards say it.
pub(super) const STANDARD: Row = Row {
    id: "",
    name: "",
    authorize_url: None,
    token_url: None,
    device_url: None,
    revoke_url: None,
    jwks_url: None,
    issuer: None,
    profile: None,
    scope_separator: ScopeSeparator::Space,
    scope_parameter: "scope",
    default_scopes: &[],
    refresh_scopes: &[],
    client_authentication: ClientAuthentication::Body,
    token_body: TokenBody::Form,
    authorize_parameters: &[],
    pkce: Pkce::Undocumented,
    rotation: Rotation::Unknown,
    lifetimes: NO_LIFETIMES,
    tokens_pointer: None,
    variables: &[],
    quirks: &[],
    sources: &[],
};

pub(super) const NO_LIFETIMES: Lifetimes =
    Lifetimes { access_seconds: None, refresh_idle_seconds: None, refresh_absolute_seconds: None };

/// The claims of OpenID Connect Core 5.1, as a userinfo endpoint answers them.
pub(super) const USERINFO: ProfileRow = ProfileRow {
    url: "",
    subject: "/sub",
    account: Some("/name"),
    email: Some("/email"),
    email_verified: Some("/email_verified"),
};

pub(super) const DAY: u64 = 24 * 60 * 60;

impl Row {
    pub(super) const fn preset(self) -> Preset {
        Preset {
            id: Borrowed(self.id),
            name: Borrowed(self.name),
            authorize_url: text(self.authorize_url),
            token_url: text(self.token_url),
            device_url: text(self.device_url),
            revoke_url: text(self.revoke_url),
            jwks_url: text(self.jwks_url),
            issuer: text(self.issuer),
            profile: match self.profile {
                Some(profile) => Some(profile.profile()),
                None => None,
            },
            scope_separator: self.scope_separator,
            scope_parameter: Borrowed(self.scope_parameter),
            default_scopes: Cow::Borrowed(self.default_scopes),
            refresh_scopes: Cow::Borrowed(self.refresh_scopes),
            client_authentication: self.client_authentication,
            token_body: self.token_body,
            authorize_parameters: Cow::Borrowed(self.authorize_parameters),
            pkce: self.pkce,
            rotation: self.rotation,
            lifetimes: self.lifetimes,
            tokens_pointer: text(self.tokens_pointer),
            variables: Cow::Borrowed(self.variables),
            quirks: Cow::Borrowed(self.quirks),
            sources: Cow::Borrowed(self.sources),
        }
    }
}

impl ProfileRow {
    const fn profile(self) -> Profile {
        Profile {
            url: Borrowed(self.url),
            subject: Borrowed(self.subject),
            account: text(self.account),
            email: text(self.email),
            email_verified: text(self.email_verified),
        }
    }
}

const fn text(text: Option<&'static str>) -> Option<Text> {
    match text {
        Some(text) => Some(Borrowed(text)),
        None => None,
    }
}
