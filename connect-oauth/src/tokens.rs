//! What a token endpoint answers, read the way providers really write it.
//!
//! `expires_in` comes as a number or as text, Square sends `expires_at` instead, Slack keeps a user's tokens one level
//! down, Salesforce says nothing about time. Whatever else an answer has stays reachable by name.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use connect_core::auth::Token;
use connect_core::{Error, ErrorKind, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::connections::ConnectionId;
use crate::preset::Preset;

/// Nothing is valid for longer than this; a provider that says so means "for ever".
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// Kinds of token that need more than a header, which nobody here computes.
const UNUSABLE_KINDS: [&str; 3] = ["mac", "pop", "dpop"];

/// Fields that have a place of their own.
const READ: [&str; 11] = [
    "access_token",
    "refresh_token",
    "id_token",
    "expires_in",
    "expires_at",
    "refresh_token_expires_in",
    "refresh_expires_in",
    "refresh_token_expires_at",
    "scope",
    "token_type",
    "ok",
];

/// The tokens of one grant. `Debug` shows none of them.
///
/// Made by the grants of [`OAuth`](crate::OAuth); stored by [`Connections`](crate::Connections).
#[non_exhaustive]
#[derive(Clone)]
pub struct Tokens {
    /// What goes behind `Bearer`.
    pub access: Secret,
    /// What the next access token is had for, if there is one.
    pub refresh: Option<Secret>,
    /// Who the user is, signed; not verified yet.
    pub id_token: Option<Secret>,
    /// The scopes that were granted: those that were asked for, where the provider does not say.
    pub scopes: Vec<String>,
    /// When they were had.
    pub obtained_at: SystemTime,
    /// When the access token ends; `None` if it lives until it is revoked.
    pub expires_at: Option<SystemTime>,
    /// When the refresh token ends whatever happens, if the provider says.
    pub refresh_expires_at: Option<SystemTime>,
    /// Which token endpoint gave them; unknown for tokens from elsewhere.
    pub(crate) token_url: Option<String>,
    /// What else the answer had: Salesforce's `instance_url`, Slack's `team`.
    pub(crate) more: Map<String, Value>,
}

impl Tokens {
    /// Tokens that somebody had in another way: from an older system, or pasted by a person.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use connect_oauth::Tokens;
    /// let tokens = Tokens::new("access", SystemTime::UNIX_EPOCH).with_refresh("refresh");
    /// assert!(!format!("{tokens:?}").contains("access\""));
    /// ```
    pub fn new(access: impl Into<Secret>, obtained_at: SystemTime) -> Self {
        Self {
            access: access.into(),
            refresh: None,
            id_token: None,
            scopes: Vec::new(),
            obtained_at,
            expires_at: None,
            refresh_expires_at: None,
            token_url: None,
            more: Map::new(),
        }
    }

    /// Adds the refresh token.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    /// Says when the access token ends.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: SystemTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Another field of the answer, by its name: `instance_url`, `team`. It may hold secrets of its own (Slack's
    /// incoming webhook does), so do not print it.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.more.get(name)
    }

    /// How long the access token has left; `None` if it lives until it is revoked.
    pub fn remaining(&self, now: SystemTime) -> Option<Duration> {
        self.expires_at.map(|end| end.duration_since(now).unwrap_or_default())
    }

    /// The access token for a [`TokenCache`](connect_core::TokenCache).
    pub fn to_token(&self, now: SystemTime) -> Token {
        let token = Token::new(self.access.clone());
        match self.remaining(now) {
            Some(left) => token.with_expires_in(left),
            None => token,
        }
    }

    /// Reads an answer. `asked` are the scopes to assume where it names none. The answer to a refresh may have at the top
    /// what the answer to the login had one level down.
    pub(crate) fn read(
        mut answer: Map<String, Value>,
        preset: &Preset,
        asked: &[String],
        is_refresh: bool,
        now: SystemTime,
    ) -> Result<Self, Error> {
        if let Some(pointer) = preset.tokens_pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
            let mut whole = Value::Object(answer);
            let has_tokens = whole.pointer(pointer).is_some_and(|inner| inner.get("access_token").is_some());
            let inner = whole.pointer_mut(pointer).filter(|_| has_tokens || !is_refresh).map(Value::take);
            answer = match (inner, whole) {
                (Some(Value::Object(inner)), Value::Object(outer)) => {
                    // What stands outside stays reachable, and does not pass for a token.
                    let outside = outer.into_iter().filter(|(name, _)| !READ.contains(&name.as_str()));
                    outside.chain(inner).collect()
                }
                (None, Value::Object(whole)) if is_refresh => whole,
                _ => return Err(odd(&format!("has nothing at {pointer}, where the tokens are expected"))),
            };
        }
        let secret = |name: &str| {
            let text = answer.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
            text.map(Secret::new)
        };
        let access = secret("access_token").ok_or_else(|| odd("has no access_token"))?;
        if let Some(kind) = answer.get("token_type").and_then(Value::as_str)
            && UNUSABLE_KINDS.iter().any(|unusable| kind.eq_ignore_ascii_case(unusable))
        {
            let message = "the token must be used with a proof of possession, which is not implemented: \
                           let the app issue bearer tokens";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let after = |seconds: Option<u64>| seconds.and_then(|seconds| later(now, seconds));
        let lifetimes = preset.lifetimes;
        let expires_at = after(seconds(answer.get("expires_in")))
            .or_else(|| time(answer.get("expires_at")))
            .or_else(|| after(lifetimes.access_seconds));
        let refresh_seconds = ["refresh_token_expires_in", "refresh_expires_in"]
            .iter()
            .find_map(|name| seconds(answer.get(*name)));
        // Keycloak writes 0 for "never".
        let refresh_expires_at = after(refresh_seconds.filter(|seconds| *seconds > 0))
            .or_else(|| time(answer.get("refresh_token_expires_at")));
        let scopes = match answer.get("scope").and_then(Value::as_str) {
            Some(text) => {
                text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
            }
            None => asked.to_vec(),
        };
        let (refresh, id_token) = (secret("refresh_token"), secret("id_token"));
        let more = answer.into_iter().filter(|(name, _)| !READ.contains(&name.as_str())).collect();
        let (obtained_at, token_url) = (now, None);
        Ok(Self {
            access,
            refresh,
            id_token,
            scopes,
            obtained_at,
            expires_at,
            refresh_expires_at,
            token_url,
            more,
        })
    }

    /// What a refresh that says less leaves as it was: the refresh token where none came, and the further fields.
    pub(crate) fn replacing(mut self, old: &Self) -> Self {
        if self.refresh.is_none() {
            self.refresh = old.refresh.clone();
            self.refresh_expires_at = old.refresh_expires_at;
        }
        if self.id_token.is_none() {
            self.id_token = old.id_token.clone();
        }
        // RFC 6749 6: left out if they are the same.
        if self.scopes.is_empty() {
            self.scopes = old.scopes.clone();
        }
        for (name, value) in &old.more {
            if !self.more.contains_key(name) {
                self.more.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// Is the app one of the server that gave these tokens? A refresh token and a client secret go nowhere else, whatever
    /// a preset's variables are by now.
    pub(crate) fn check_origin(&self, preset: &Preset, id: &ConnectionId) -> Result<(), Error> {
        let now = preset.token_url()?;
        match &self.token_url {
            Some(then) if then != now.as_str() => {
                let message = format!(
                    "{id} was connected at {then}, and its app is now one of {now}: fill the preset's variables as they \
                     were, or log in again"
                );
                Err(Error::new(ErrorKind::Config, message))
            }
            _ => Ok(()),
        }
    }

    /// For the seal.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let stored = Stored {
            version: 1,
            access: self.access.expose().into(),
            refresh: self.refresh.as_ref().map(|secret| secret.expose().into()),
            id_token: self.id_token.as_ref().map(|secret| secret.expose().into()),
            scopes: self.scopes.clone(),
            obtained_at: millis(self.obtained_at),
            expires_at: self.expires_at.map(millis),
            refresh_expires_at: self.refresh_expires_at.map(millis),
            token_url: self.token_url.clone(),
            more: self.more.clone(),
        };
        serde_json::to_vec(&stored).map(Zeroizing::new).map_err(|_| odd("cannot be written as JSON"))
    }

    /// Out of the seal.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable = || {
            let message = "the stored tokens cannot be read: a newer version of this crate wrote them, or another \
                           program; connect the account again if neither is true";
            Error::new(ErrorKind::Config, message)
        };
        let stored: Stored<'_> = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        if stored.version != 1 {
            return Err(unreadable());
        }
        Ok(Self {
            access: Secret::new(stored.access),
            refresh: stored.refresh.map(Secret::new),
            id_token: stored.id_token.map(Secret::new),
            scopes: stored.scopes,
            obtained_at: from_millis(stored.obtained_at),
            expires_at: stored.expires_at.map(from_millis),
            refresh_expires_at: stored.refresh_expires_at.map(from_millis),
            token_url: stored.token_url,
            more: stored.more,
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("has_refresh", &self.refresh.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .field("refresh_expires_at", &self.refresh_expires_at)
            .finish_non_exhaustive()
    }
}

/// As it lies in the seal. Plain text on purpose: these bytes go nowhere else.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: u32,
    access: Cow<'a, str>,
    refresh: Option<Cow<'a, str>>,
    id_token: Option<Cow<'a, str>>,
    scopes: Vec<String>,
    obtained_at: u64,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    token_url: Option<String>,
    more: Map<String, Value>,
}

fn odd(what: &str) -> Error {
    // Without a word of the answer: it may hold tokens.
    Error::new(ErrorKind::Decode, format!("the token endpoint's answer {what}"))
}

fn seconds(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => {
            // A fraction is cut, a negative number has passed.
            number.as_u64().or_else(|| number.as_f64().map(|seconds| seconds.max(0.0) as u64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A point in time, as RFC 3339 or as seconds since 1970.
fn time(value: Option<&Value>) -> Option<SystemTime> {
    if let Some(seconds) = seconds(value) {
        return later(SystemTime::UNIX_EPOCH, seconds);
    }
    humantime::parse_rfc3339_weak(value?.as_str()?.trim()).ok()
}

fn later(now: SystemTime, seconds: u64) -> Option<SystemTime> {
    now.checked_add(Duration::from_secs(seconds).min(LONGEST))
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn from_millis(millis: u64) -> SystemTime {
    let since = Duration::from_millis(millis).min(2 * LONGEST);
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn preset(pointer: Option<&'static str>) -> Preset {
        serde_json::from_value(json!({"id": "test", "name": "Test", "tokens-pointer": pointer})).unwrap()
    }

    fn read(answer: Value) -> Result<Tokens, Error> {
        let Value::Object(answer) = answer else { panic!("an object") };
        Tokens::read(answer, &preset(None), &["asked".to_owned()], false, now())
    }

    #[test]
    fn time_is_read_in_every_way_it_is_written() {
        let hour = now() + Duration::from_secs(3600);
        let cases = [
            (json!({"expires_in": 3600}), Some(hour)),
            (json!({"expires_in": "3600"}), Some(hour)),
            (json!({"expires_in": 3600.7}), Some(hour)),
            (json!({"expires_at": "2027-01-15T09:00:00Z"}), Some(hour)),
            (json!({"expires_at": 1_800_003_600_u64}), Some(hour)),
            (json!({"expires_in": -5}), Some(now())),
            (json!({"expires_in": u64::MAX}), Some(now() + LONGEST)),
            (json!({"expires_in": null}), None),
            (json!({"expires_in": []}), None),
            (json!({}), None),
        ];
        for (mut answer, expected) in cases {
            answer["access_token"] = "a".into();
            assert_eq!(read(answer.clone()).unwrap().expires_at, expected, "{answer}");
        }
    }

    #[test]
    fn a_users_tokens_are_found_one_level_down_and_nothing_else_passes_for_them() {
        let answer = json!({
            "ok": true, "access_token": "bot", "refresh_token": "bots", "team": {"id": "T1"},
            "authed_user": {"id": "U1", "access_token": "user", "scope": "chat:write,users:read"},
        });
        let Value::Object(map) = answer else { panic!("an object") };
        let tokens = Tokens::read(map, &preset(Some("/authed_user")), &[], false, now()).unwrap();
        assert_eq!(tokens.access.expose(), "user");
        assert!(tokens.refresh.is_none());
        assert_eq!(tokens.scopes, ["chat:write", "users:read"]);
        assert_eq!(tokens.field("team").unwrap()["id"], "T1");
        let refreshed = json!({"ok": true, "access_token": "next", "authed_user": {"id": "U1"}});
        let Value::Object(map) = refreshed else { panic!("an object") };
        let preset_of_users = preset(Some("/authed_user"));
        assert!(Tokens::read(map.clone(), &preset_of_users, &[], false, now()).is_err());
        let next = Tokens::read(map, &preset_of_users, &[], true, now()).unwrap();
        assert_eq!(next.access.expose(), "next");
        let empty = Tokens::read(Map::new(), &preset(Some("/authed_user")), &[], false, now()).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::Decode);
    }

    #[test]
    fn an_answer_without_a_usable_token_is_an_error_that_quotes_nothing() {
        for answer in [
            json!({"canary": 1}),
            json!({"access_token": "", "refresh_token": "canary"}),
            json!({"access_token": 7, "refresh_token": "canary"}),
            json!({"access_token": "canary", "token_type": "DPoP"}),
        ] {
            let error = read(answer).unwrap_err();
            assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn what_a_refresh_leaves_out_stays() {
        let old = read(json!({"access_token": "a", "refresh_token": "r", "team": "T1"})).unwrap();
        let new = read(json!({"access_token": "b"})).unwrap().replacing(&old);
        assert_eq!(new.refresh.as_ref().unwrap().expose(), "r");
        assert_eq!(new.scopes, ["asked"]);
        assert_eq!(new.field("team").unwrap(), "T1");
        let rotated = read(json!({"access_token": "b", "refresh_token": "s"})).unwrap().replacing(&old);
        assert_eq!(rotated.refresh.unwrap().expose(), "s");
    }

    #[test]
    fn what_is_stored_comes_back() {
        let answer = json!({
            "access_token": "a\"\\", "refresh_token": "r", "id_token": "i", "expires_in": 60,
            "refresh_token_expires_in": 600, "scope": "one two", "instance_url": "https://eu.example",
        });
        let tokens = read(answer).unwrap();
        let back = Tokens::from_bytes(&tokens.to_bytes().unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{tokens:?}"));
        assert_eq!(back.access.expose(), "a\"\\");
        assert_eq!(back.field("instance_url"), tokens.field("instance_url"));
        let newer = br#"{"version":2,"access":"canary"}"#;
        assert!(!Tokens::from_bytes(newer).unwrap_err().to_string().contains("canary"));
    }
}
