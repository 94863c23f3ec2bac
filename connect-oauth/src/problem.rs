//! What a provider says when it refuses: RFC 6749's codes, the further ones that providers have invented, and which of
//! ours they mean.
//!
//! Providers say it with HTTP 400, 401, 403 or 200, as a word, an object or a list. [`Problem`] is what they said;
//! [`ErrorCode`] is what it means; the table below maps one to the other.

use std::fmt;

use connect_core::ErrorKind;
use serde_json::Value;

/// Longest piece of a provider's words that is kept, in characters.
const LONGEST_WORDS: usize = 300;

/// How many characters of a secret in a row are too many to show.
const TELLING_PART: usize = 12;

/// What a refusal means. The wire's own word is [`Problem::error`].
///
/// Open: a word that no provider had when this was written is [`ErrorCode::Other`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Somebody has to consent, log in or choose first.
    InteractionRequired,
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The client's id or secret is wrong.
    InvalidClient,
    /// The code, refresh token, assertion or verifier is wrong, used, expired or revoked.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The provider does not know this grant.
    UnsupportedGrantType,
    /// A scope is unknown, or more than the client may have.
    InvalidScope,
    /// The person, or an administrator, said no.
    AccessDenied,
    /// The provider does not know this response type.
    UnsupportedResponseType,
    /// The provider failed.
    ServerError,
    /// The provider is busy.
    TemporarilyUnavailable,
    /// Device login: nobody has confirmed yet.
    AuthorizationPending,
    /// Device login: asked too often.
    SlowDown,
    /// Device login: the code has expired.
    ExpiredToken,
    /// Device login is switched off for this app.
    DeviceFlowDisabled,
    /// The redirect URI is not one of the registered ones.
    RedirectUriMismatch,
    /// The app is suspended, or does not exist any more.
    ApplicationSuspended,
    /// The account is not active, or its address is not verified.
    AccountInactive,
    /// The audience or resource is not one the provider knows.
    InvalidTarget,
    /// The access token is not accepted.
    InvalidToken,
    /// The access token lacks a scope.
    InsufficientScope,
    /// The provider cannot revoke this kind of token.
    UnsupportedTokenType,
    /// Too many requests.
    RateLimited,
    /// Something else: see [`Problem::error`].
    Other,
}

use ErrorCode as Code;

/// The words of the wire and what they mean. Sources: RFC 6749 4.1.2.1 and 5.2, RFC 6750 3.1, RFC 7009 2.2.1, RFC 8628
/// 3.5, RFC 8707 2, OpenID Connect Core 3.1.2.6, and the providers' pages named in the presets.
const WORDS: &[(&str, ErrorCode)] = &[
    // The standards.
    ("invalid_request", Code::InvalidRequest),
    ("invalid_client", Code::InvalidClient),
    ("invalid_grant", Code::InvalidGrant),
    ("unauthorized_client", Code::UnauthorizedClient),
    ("unsupported_grant_type", Code::UnsupportedGrantType),
    ("invalid_scope", Code::InvalidScope),
    ("access_denied", Code::AccessDenied),
    ("unsupported_response_type", Code::UnsupportedResponseType),
    ("server_error", Code::ServerError),
    ("temporarily_unavailable", Code::TemporarilyUnavailable),
    ("authorization_pending", Code::AuthorizationPending),
    ("slow_down", Code::SlowDown),
    ("expired_token", Code::ExpiredToken),
    ("invalid_target", Code::InvalidTarget),
    ("invalid_token", Code::InvalidToken),
    ("insufficient_scope", Code::InsufficientScope),
    ("unsupported_token_type", Code::UnsupportedTokenType),
    ("interaction_required", Code::InteractionRequired),
    ("login_required", Code::InteractionRequired),
    ("account_selection_required", Code::InteractionRequired),
    ("consent_required", Code::InteractionRequired),
    ("invalid_request_uri", Code::InvalidRequest),
    ("invalid_request_object", Code::InvalidRequest),
    ("request_not_supported", Code::InvalidRequest),
    ("request_uri_not_supported", Code::InvalidRequest),
    ("registration_not_supported", Code::InvalidRequest),
    // GitHub
    ("bad_verification_code", Code::InvalidGrant),
    ("bad_refresh_token", Code::InvalidGrant),
    ("incorrect_client_credentials", Code::InvalidClient),
    ("redirect_uri_mismatch", Code::RedirectUriMismatch),
    ("application_suspended", Code::ApplicationSuspended),
    ("unverified_user_email", Code::AccountInactive),
    ("incorrect_device_code", Code::InvalidGrant),
    ("token_expired", Code::ExpiredToken),
    ("device_flow_disabled", Code::DeviceFlowDisabled),
    // Slack
    ("invalid_refresh_token", Code::InvalidGrant),
    ("invalid_code", Code::InvalidGrant),
    ("code_already_used", Code::InvalidGrant),
    ("token_revoked", Code::InvalidGrant),
    ("token_already_exchanged", Code::InvalidGrant),
    ("bad_client_secret", Code::InvalidClient),
    ("invalid_client_id", Code::InvalidClient),
    ("bad_redirect_uri", Code::RedirectUriMismatch),
    ("invalid_grant_type", Code::UnsupportedGrantType),
    ("account_inactive", Code::AccountInactive),
    ("ratelimited", Code::RateLimited),
    ("internal_error", Code::ServerError),
    ("fatal_error", Code::ServerError),
    ("service_unavailable", Code::TemporarilyUnavailable),
    // Google
    ("admin_policy_enforced", Code::AccessDenied),
    ("org_internal", Code::AccessDenied),
    ("disallowed_useragent", Code::InvalidRequest),
    ("deleted_client", Code::ApplicationSuspended),
    ("invalid_rapt", Code::InvalidGrant),
    ("rate_limit_exceeded", Code::RateLimited),
    // Microsoft
    ("invalid_resource", Code::InvalidTarget),
    ("bad_token", Code::InvalidGrant),
    ("authorization_declined", Code::AccessDenied),
    ("bad_verification_code_device", Code::InvalidGrant),
    // Auth0
    ("mfa_required", Code::InteractionRequired),
    ("too_many_attempts", Code::RateLimited),
    ("too_many_requests", Code::RateLimited),
    ("unauthorized", Code::AccessDenied),
    // Salesforce
    ("inactive_user", Code::AccountInactive),
    ("inactive_org", Code::AccountInactive),
    ("invalid_app_access", Code::AccessDenied),
    ("invalid_assertion_type", Code::UnsupportedGrantType),
    // HubSpot
    ("BAD_REFRESH_TOKEN", Code::InvalidGrant),
    ("BAD_AUTH_CODE", Code::InvalidGrant),
    ("BAD_CLIENT_ID", Code::InvalidClient),
    ("BAD_CLIENT_SECRET", Code::InvalidClient),
    ("BAD_REDIRECT_URI", Code::RedirectUriMismatch),
    ("MISSING_SCOPES", Code::InvalidScope),
    // Square
    ("UNAUTHORIZED", Code::InvalidGrant),
    ("ACCESS_TOKEN_EXPIRED", Code::InvalidGrant),
    ("ACCESS_TOKEN_REVOKED", Code::InvalidGrant),
    ("INVALID_CODE", Code::InvalidGrant),
    ("APPLICATION_DISABLED", Code::ApplicationSuspended),
    ("service.not_authorized", Code::InvalidClient),
    // Facebook: the number, behind its type
    ("OAuthException/190", Code::InvalidGrant),
    ("OAuthException/100", Code::InvalidRequest),
    ("OAuthException/101", Code::InvalidClient),
    ("OAuthException/191", Code::RedirectUriMismatch),
    ("OAuthException/1", Code::ServerError),
    ("OAuthException/2", Code::TemporarilyUnavailable),
    ("OAuthException/4", Code::RateLimited),
    ("OAuthException/17", Code::RateLimited),
    ("OAuthException/10", Code::AccessDenied),
];

/// Words that mean something else when these stand in the description. Atlassian refuses a used refresh token as if the
/// client were not allowed to refresh.
const SENTENCES: &[(&str, &str, ErrorCode)] =
    &[("unauthorized_client", "refresh_token is invalid", Code::InvalidGrant)];

impl ErrorCode {
    /// What a word of the wire means.
    pub fn of(word: &str, description: Option<&str>) -> Self {
        let sentence = SENTENCES.iter().find(|(known, part, _)| {
            *known == word && description.is_some_and(|description| description.contains(part))
        });
        match sentence {
            Some((_, _, code)) => *code,
            None => WORDS.iter().find(|(known, _)| *known == word).map_or(Self::Other, |(_, code)| *code),
        }
    }

    /// What it means, and what to do.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::InteractionRequired => "a person has to log in again in a browser",
            Self::InvalidRequest => "the provider does not understand the request",
            Self::InvalidClient => {
                "the client id or secret is not accepted: compare them with the app's page"
            }
            Self::InvalidGrant => {
                "the code, refresh token or assertion is wrong, used, expired or revoked: log in again"
            }
            Self::UnauthorizedClient => "the app may not use this grant: allow it on the app's page",
            Self::UnsupportedGrantType => "the provider does not offer this grant",
            Self::InvalidScope => "a scope is unknown or not allowed for the app",
            Self::AccessDenied => "access was denied by the person or an administrator",
            Self::UnsupportedResponseType => "the provider does not offer this kind of login",
            Self::ServerError => "the provider failed",
            Self::TemporarilyUnavailable => "the provider is busy",
            Self::AuthorizationPending => "nobody has confirmed the login yet",
            Self::SlowDown => "asked too often whether the login is confirmed",
            Self::ExpiredToken => "it has expired: begin the login again",
            Self::DeviceFlowDisabled => "device login is switched off: allow it on the app's page",
            Self::RedirectUriMismatch => {
                "the redirect URI is not registered: add exactly this one on the app's page"
            }
            Self::ApplicationSuspended => "the app is suspended or gone",
            Self::AccountInactive => "the account is inactive or its address not verified",
            Self::InvalidTarget => "the audience or resource is unknown to the provider",
            Self::InvalidToken => "the access token is not accepted",
            Self::InsufficientScope => "the access token lacks a scope: log in again and ask for it",
            Self::UnsupportedTokenType => "the provider cannot revoke this kind of token",
            Self::RateLimited => "too many requests",
            Self::Other => "the provider refused",
        }
    }

    /// The kind of error it becomes.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::InvalidClient
            | Self::InvalidGrant
            | Self::InteractionRequired
            | Self::ExpiredToken
            | Self::AuthorizationPending
            | Self::AccountInactive
            | Self::InvalidToken => ErrorKind::Auth,
            Self::AccessDenied
            | Self::UnauthorizedClient
            | Self::ApplicationSuspended
            | Self::InsufficientScope
            | Self::DeviceFlowDisabled => ErrorKind::Forbidden,
            Self::InvalidRequest
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::UnsupportedResponseType
            | Self::RedirectUriMismatch
            | Self::InvalidTarget
            | Self::UnsupportedTokenType => ErrorKind::Invalid,
            Self::ServerError | Self::TemporarilyUnavailable => ErrorKind::Unavailable,
            Self::SlowDown | Self::RateLimited => ErrorKind::RateLimited,
            Self::Other => ErrorKind::Provider,
        }
    }
}

/// A provider's refusal: `error.details::<connect_oauth::Problem>()`.
///
/// Holds no token: where a provider repeats one in its words, they are left out.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it means.
    pub code: ErrorCode,
    /// The provider's own word: `bad_verification_code`.
    pub error: String,
    /// The provider's own sentence.
    pub description: Option<String>,
    /// The provider's page about it.
    pub uri: Option<String>,
}

impl Problem {
    /// A problem by its word.
    pub fn new(error: impl Into<String>, description: Option<String>) -> Self {
        let error = words(&error.into());
        let description = description.map(|text| words(&text)).filter(|text| !text.is_empty());
        Self { code: ErrorCode::of(&error, description.as_deref()), error, description, uri: None }
    }

    /// What an answer says, if it says that something is wrong: by RFC 6749's `error`, Slack's `ok`, Facebook's object,
    /// Square's list.
    pub(crate) fn read(answer: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let description = || {
            ["error_description", "message", "error_message"].iter().find_map(|name| text(answer.get(name)))
        };
        let problem = match answer.get("error") {
            Some(Value::String(word)) => Self::new(word.clone(), description()),
            Some(Value::Object(object)) => {
                let part = |name: &str| match object.get(name) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                let word = match (part("type").or_else(|| part("status")), part("code")) {
                    (Some(kind), Some(code)) => format!("{kind}/{code}"),
                    (one, other) => one.or(other).unwrap_or_else(|| "unknown".to_owned()),
                };
                Self::new(word, part("message"))
            }
            _ => match answer.pointer("/errors/0") {
                Some(first) => Self::new(
                    text(first.get("code")).unwrap_or_else(|| "unknown".to_owned()),
                    text(first.get("detail")),
                ),
                None if answer.get("ok") == Some(&Value::Bool(false)) => Self::new("unknown", description()),
                None => return None,
            },
        };
        Some(Self { uri: text(answer.get("error_uri")).map(|uri| words(&uri)), ..problem })
    }

    /// As [`Problem::read`], for an answer that is certainly one: HubSpot's `status`, Square's `type`.
    pub(crate) fn read_refusal(answer: &Value) -> Option<Self> {
        Self::read(answer).or_else(|| {
            let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
            let word = text("status").or_else(|| text("type")).or_else(|| text("code"))?;
            Some(Self::new(word, text("message")))
        })
    }

    /// Takes the provider's sentence out if it repeats what must not be shown.
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        let tells = |text: &str| secrets.iter().any(|secret| shares(text, secret));
        self.description = self.description.filter(|text| !tells(text));
        self.uri = self.uri.filter(|text| !tells(text));
        if tells(&self.error) {
            self.error = "unknown".to_owned();
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.code.explanation())?;
        match &self.description {
            Some(description) => write!(f, " (it says: {description})"),
            None => Ok(()),
        }
    }
}

/// Does the text have the secret in it, or a part of it that is no coincidence? What is cut or broken by a control
/// character is a secret still.
fn shares(text: &str, secret: &str) -> bool {
    if secret.len() <= TELLING_PART {
        return !secret.is_empty() && text.contains(secret);
    }
    let parts = secret.as_bytes().windows(TELLING_PART);
    let mut parts = parts.filter_map(|part| std::str::from_utf8(part).ok());
    parts.any(|part| text.contains(part))
}

/// Foreign words on one line, and not too many of them.
fn words(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_WORDS).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refusals_of_every_shape_are_read() {
        let cases = [
            (
                json!({"error": "invalid_grant", "error_description": "no"}),
                Code::InvalidGrant,
                "invalid_grant",
            ),
            (json!({"error": "bad_verification_code"}), Code::InvalidGrant, "bad_verification_code"),
            (
                json!({"ok": false, "error": "invalid_refresh_token"}),
                Code::InvalidGrant,
                "invalid_refresh_token",
            ),
            (json!({"ok": false}), Code::Other, "unknown"),
            (
                json!({"error": "unauthorized_client", "error_description": "refresh_token is invalid"}),
                Code::InvalidGrant,
                "unauthorized_client",
            ),
            (
                json!({"error": "unauthorized_client", "error_description": "grant not allowed"}),
                Code::UnauthorizedClient,
                "unauthorized_client",
            ),
            (
                json!({"error": {"message": "expired", "type": "OAuthException", "code": 190}}),
                Code::InvalidGrant,
                "OAuthException/190",
            ),
            (
                json!({"errors": [{"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED"}]}),
                Code::InvalidGrant,
                "UNAUTHORIZED",
            ),
            (json!({"error": "brand_new"}), Code::Other, "brand_new"),
            (json!({"error": {"odd": []}}), Code::Other, "unknown"),
        ];
        for (answer, code, word) in cases {
            let problem = Problem::read(&answer).unwrap();
            assert_eq!((problem.code, problem.error.as_str()), (code, word), "{answer}");
        }
        let hubspot = json!({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid"});
        assert_eq!(Problem::read(&hubspot), None, "a status alone is no refusal");
        assert_eq!(Problem::read_refusal(&hubspot).unwrap().code, Code::InvalidGrant);
        assert_eq!(Problem::read(&json!({"access_token": "a", "ok": true, "error": null})), None);
    }

    #[test]
    fn no_word_stands_twice_in_the_table() {
        for (index, (word, _)) in WORDS.iter().enumerate() {
            assert!(WORDS[..index].iter().all(|(other, _)| other != word), "{word}");
        }
    }

    #[test]
    fn words_that_repeat_a_secret_are_left_out() {
        let problem = Problem::new("invalid_grant", Some("token canary-1 is unknown".into()));
        let problem = problem.without(&["canary-1", ""]);
        assert!(!format!("{problem} {problem:?}").contains("canary"));
        assert_eq!(problem.code, Code::InvalidGrant);
    }

    #[test]
    fn a_part_of_a_long_secret_is_a_secret_too() {
        let secret = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(30);
        let broken = format!("{}\n{}", &secret[..20], &secret[20..]);
        for text in [format!("token {secret} is invalid"), format!("...{}", &secret[700..720]), broken] {
            let problem = Problem::new("invalid_grant", Some(text)).without(&[&secret]);
            assert_eq!(problem.description, None);
        }
        let innocent = Problem::new("invalid_grant", Some("abcdefghijk is short".into())).without(&[&secret]);
        assert!(innocent.description.is_some());
    }

    #[test]
    fn foreign_words_stay_on_one_short_line() {
        let problem = Problem::new("odd\u{1b}[31m\nword", Some("x".repeat(5000)));
        assert!(!problem.to_string().contains(['\n', '\u{1b}']));
        assert!(problem.to_string().len() < 500);
    }
}
