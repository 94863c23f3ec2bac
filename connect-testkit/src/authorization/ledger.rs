//! Every token that was handed out, and what became of it.
//!
//! What comes from one login is a family: its access tokens, its line of refresh tokens, and whether it is
//! revoked. A revoked family takes all of them along, the newest too. Nothing is ever forgotten, because a test
//! asks about old tokens; a fake serves one test.
//! Not for codes and device codes, which become a family when they are redeemed.

use std::fmt;

use super::answer::{Failure, Reason};
use super::habits::{Rotation, Terms};
use crate::unique;

/// What comes from one login.
#[derive(Clone)]
pub(crate) struct Family {
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
    /// Whether a person logged in, rather than the client for itself.
    pub(crate) person: bool,
    /// Whether these are Slack's scopes of a user rather than of a bot.
    pub(crate) user_scope: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) began_at: u64,
    pub(crate) revoked: bool,
}

struct AccessToken {
    text: String,
    family: usize,
    scopes: Vec<String>,
    expires_at: u64,
    revoked: bool,
}

struct RefreshToken {
    text: String,
    family: usize,
    last_used_at: u64,
    /// When it was first replaced.
    replaced_at: Option<u64>,
}

/// What the server thinks of a refresh token.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Good,
    /// Replaced and still taken.
    Leeway,
    Replaced,
    Dead,
}

/// One answer with tokens, for assertions.
///
/// Look it up with [`FakeAuthorization::issued`](crate::FakeAuthorization::issued). `Debug` leaves the tokens out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issued {
    /// How it was come by: `authorization_code`, `refresh_token`, `client_credentials`, `device_code`,
    /// `jwt_bearer`, or `issue` for a test that asked the fake itself.
    pub grant: &'static str,
    /// The client's id.
    pub client: String,
    /// The scopes of the access token.
    pub scopes: Vec<String>,
    /// The access token.
    pub access_token: String,
    /// The new refresh token, if there is one.
    pub refresh_token: Option<String>,
    /// Number of the login that it comes from; a refresh keeps it.
    pub login: usize,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("grant", &self.grant)
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// Where a bearer token leads to.
pub(crate) struct Bearer {
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    families: Vec<Family>,
    access_tokens: Vec<AccessToken>,
    refresh_tokens: Vec<RefreshToken>,
    pub(crate) issued: Vec<Issued>,
    pub(crate) refreshes: usize,
    pub(crate) reuses: usize,
}

impl Ledger {
    /// Starts a family and hands out its first tokens; a refresh token only to a person's login that asked for it.
    pub(crate) fn open(&mut self, grant: &'static str, family: Family, now: u64, terms: &Terms) -> Issued {
        let offline = terms.offline_scope.as_ref().is_none_or(|scope| family.scopes.contains(scope));
        let with_refresh = family.person && offline;
        let scopes = family.scopes.clone();
        self.families.push(family);
        self.hand_out(grant, self.families.len() - 1, scopes, with_refresh, now, terms)
    }

    /// Exchanges a refresh token of this client; empty scopes are all that were granted.
    pub(crate) fn refresh(
        &mut self,
        text: &str,
        client: &str,
        scopes: Vec<String>,
        now: u64,
        terms: &Terms,
    ) -> Result<Issued, Failure> {
        let refused = Failure::new(Reason::InvalidRefreshToken);
        let Some(index) = self.refresh_tokens.iter().position(|token| token.text == text) else {
            return Err(refused);
        };
        let family = self.refresh_tokens[index].family;
        if self.families[family].client != client {
            return Err(refused);
        }
        if self.refresh_tokens[index].replaced_at.is_some() {
            self.reuses += 1;
        }
        match self.standing(index, now, terms) {
            Standing::Good | Standing::Leeway => {}
            Standing::Replaced => {
                if terms.rotation == Rotation::ReuseDetected {
                    self.families[family].revoked = true;
                }
                return Err(refused);
            }
            Standing::Dead => return Err(refused),
        }
        let granted = &self.families[family].scopes;
        if scopes.iter().any(|scope| !granted.contains(scope)) {
            return Err(Failure::new(Reason::InvalidScope));
        }
        let scopes = if scopes.is_empty() { granted.clone() } else { scopes };
        let rotates = terms.rotation != Rotation::None;
        let token = &mut self.refresh_tokens[index];
        token.last_used_at = now;
        if rotates {
            token.replaced_at.get_or_insert(now);
        }
        self.refreshes += 1;
        Ok(self.hand_out("refresh_token", family, scopes, rotates, now, terms))
    }

    /// Whether a refresh with this token would succeed.
    pub(crate) fn honours(&self, text: &str, now: u64, terms: &Terms) -> bool {
        let index = self.refresh_tokens.iter().position(|token| token.text == text);
        let standing = index.map(|index| self.standing(index, now, terms));
        matches!(standing, Some(Standing::Good | Standing::Leeway))
    }

    /// What an access token that is alive stands for.
    pub(crate) fn bearer(&self, text: &str, now: u64) -> Option<Bearer> {
        let token = self.access_tokens.iter().find(|token| token.text == text)?;
        let family = &self.families[token.family];
        let alive = !token.revoked && !family.revoked && now < token.expires_at;
        alive.then(|| Bearer { client: family.client.clone(), scopes: token.scopes.clone() })
    }

    pub(crate) fn family(&self, login: usize) -> Option<&Family> {
        self.families.get(login)
    }

    pub(crate) fn revoke_family(&mut self, login: usize) {
        if let Some(family) = self.families.get_mut(login) {
            family.revoked = true;
        }
    }

    /// The login that a token of either kind comes from.
    pub(crate) fn login_of(&self, text: &str) -> Option<usize> {
        let access = self.access_tokens.iter().find(|token| token.text == text).map(|token| token.family);
        let refresh = self.refresh_tokens.iter().find(|token| token.text == text).map(|token| token.family);
        access.or(refresh)
    }

    /// Revokes an access token alone, or with a refresh token everything of its login, if it is the client's.
    pub(crate) fn revoke(&mut self, text: &str, client: &str) {
        let Some(login) = self.login_of(text) else { return };
        if self.families[login].client != client {
            return;
        }
        match self.access_tokens.iter_mut().find(|token| token.text == text) {
            Some(token) => token.revoked = true,
            None => self.families[login].revoked = true,
        }
    }

    fn standing(&self, index: usize, now: u64, terms: &Terms) -> Standing {
        let token = &self.refresh_tokens[index];
        let idle = now.saturating_sub(token.last_used_at);
        if self.families[token.family].revoked {
            return Standing::Dead;
        }
        match (token.replaced_at, terms.rotation) {
            (Some(at), Rotation::Leeway(leeway)) if now.saturating_sub(at) <= leeway.as_secs() => {
                Standing::Leeway
            }
            (Some(_), _) => Standing::Replaced,
            (None, _) if terms.refresh_lifetime.is_some_and(|lifetime| idle >= lifetime) => Standing::Dead,
            (None, _) => Standing::Good,
        }
    }

    fn hand_out(
        &mut self,
        grant: &'static str,
        family: usize,
        scopes: Vec<String>,
        with_refresh: bool,
        now: u64,
        terms: &Terms,
    ) -> Issued {
        let number = unique::number();
        let access_token = format!("fake-access-token-{number:06}");
        let refresh_token = with_refresh.then(|| format!("fake-refresh-token-{number:06}"));
        self.access_tokens.push(AccessToken {
            text: access_token.clone(),
            family,
            scopes: scopes.clone(),
            expires_at: now.saturating_add(terms.expires_in),
            revoked: false,
        });
        self.refresh_tokens.extend(refresh_token.clone().map(|text| RefreshToken {
            text,
            family,
            last_used_at: now,
            replaced_at: None,
        }));
        let client = self.families[family].client.clone();
        let issued = Issued { grant, client, scopes, access_token, refresh_token, login: family };
        self.issued.push(issued.clone());
        issued
    }
}
