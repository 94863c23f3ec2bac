//! The built-in schemes, one row each.
//!
//! Take a row by name ([`GITHUB`]) or look it up from configuration ([`named`]). To bend one, clone it and
//! set fields: `let mut mine = schemes::SLACK.clone(); mine.body_limit_bytes = 4096;`. To add a provider that
//! is not here, write a [`Scheme`] of your own. A row says only how it differs from the construction most
//! providers share.

use std::borrow::Cow::Borrowed;
use std::mem;

use crate::scheme::Locator::{Header, Json};
use crate::scheme::Part::{Body, Literal, Timestamp};
use crate::scheme::{
    AcknowledgeBody, Algorithm, Challenge, DEFAULT_BODY_LIMIT_BYTES, Encoding, FormRule, Grammar, Hash,
    Locator, Part, Scheme, Source, Text, TimestampRule, TimestampUnit,
};

/// GitHub and GitHub Enterprise Server: `X-Hub-Signature-256: sha256=<hex>`.
///
/// GitHub signs no timestamp and no header, so replay protection is the dedupe id `X-GitHub-Delivery`, which
/// stays the same when a delivery is sent again. Payloads go up to 25 MB; larger ones are never sent. Bodies
/// are JSON, or a form with the JSON in `payload`. GitHub waits 10 s and does not redeliver by itself.
///
/// <https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries>
pub static GITHUB: Scheme = row("github", "X-Hub-Signature-256")
    .prefix("sha256=")
    .id(&[Header(Borrowed("X-GitHub-Delivery"))])
    .event(&[Header(Borrowed("X-GitHub-Event"))])
    .ordering_key(&[Json(Borrowed("/pull_request/node_id")), Json(Borrowed("/issue/node_id"))])
    .keep_headers(&[
        Borrowed("X-GitHub-Event"),
        Borrowed("X-GitHub-Delivery"),
        Borrowed("X-GitHub-Hook-ID"),
        Borrowed("X-GitHub-Hook-Installation-Target-ID"),
        Borrowed("X-GitHub-Hook-Installation-Target-Type"),
    ])
    .form(FormRule::PayloadField)
    .body_limit_mib(25);

/// Jira Cloud webhooks with a secret: `X-Hub-Signature: sha256=<hex>`.
///
/// Jira signs no timestamp and no header; `X-Atlassian-Webhook-Identifier` stays the same over its retries.
/// It retries 408, 409, 425, 429 and 5xx, never another 4xx. The body cap is as large as GitHub's, because a
/// 413 would lose the event. Webhooks registered by an OAuth app or by Connect carry a JWT instead and are
/// not this scheme.
///
/// <https://developer.atlassian.com/cloud/jira/platform/webhooks/>
pub static JIRA: Scheme = row("jira", "X-Hub-Signature")
    .prefix("sha256=")
    .id(&[Header(Borrowed("X-Atlassian-Webhook-Identifier"))])
    .event(&[Json(Borrowed("/webhookEvent"))])
    .ordering_key(&[Json(Borrowed("/issue/id"))])
    .keep_headers(&[
        Borrowed("X-Atlassian-Webhook-Identifier"),
        Borrowed("X-Atlassian-Webhook-Retry"),
        Borrowed("X-Atlassian-Webhook-Flow"),
        Borrowed("X-Atlassian-Webhook-Trace"),
    ])
    .body_limit_mib(25);

/// Slack, signature version `v0`: HMAC over `v0:<timestamp>:<body>`, at most 300 s away from now.
///
/// One scheme for the Events API (JSON), interactivity (a form with the JSON in `payload`) and slash commands
/// (a plain form, which becomes a JSON object of its fields; it has no event type). `event_id` is the dedupe
/// id and stays the same over Slack's three retries. Slack waits 3 s and expects 200; the answer has no body,
/// since Slack would read one as a message or as a view's response.
///
/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub static SLACK: Scheme = row("slack", "X-Slack-Signature")
    .prefix("v0=")
    .base(&[Literal(Borrowed("v0:")), Timestamp, Literal(Borrowed(":")), Body])
    .timestamp("X-Slack-Request-Timestamp", TimestampUnit::Seconds, 300)
    .id(&[Json(Borrowed("/event_id"))])
    .event(&[Json(Borrowed("/event/type")), Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/event/channel"))])
    .keep_headers(&[Borrowed("X-Slack-Retry-Num"), Borrowed("X-Slack-Retry-Reason")])
    .form(FormRule::PayloadFieldOrFields)
    .challenge(Challenge::SlackUrlVerification)
    .acknowledge(200, AcknowledgeBody::Empty);

/// Every built-in scheme, by name in alphabetical order.
pub static ALL: &[&Scheme] = &[&GITHUB, &JIRA, &SLACK];

/// The built-in scheme of this name, exactly as written.
///
/// ```
/// use connect_webhook::schemes;
/// assert_eq!(schemes::named("github"), Some(&schemes::GITHUB));
/// assert_eq!(schemes::named("GitHub"), None);
/// ```
pub fn named(name: &str) -> Option<&'static Scheme> {
    ALL.iter().copied().find(|scheme| scheme.name == name)
}

/// Hexadecimal HMAC-SHA256 over the raw body, answered 202: the same as [`Scheme::new`].
const fn row(name: &'static str, signature_header: &'static str) -> Scheme {
    Scheme {
        name: Borrowed(name),
        algorithm: Algorithm::Hmac(Hash::Sha256),
        signature: Source::Header(Borrowed(signature_header)),
        grammar: Grammar::Bare,
        encoding: Encoding::Hex,
        base: Borrowed(&[Body]),
        timestamp: None,
        id: Borrowed(&[]),
        event: Borrowed(&[]),
        ordering_key: Borrowed(&[]),
        keep_headers: Borrowed(&[]),
        form: FormRule::Refuse,
        challenge: Challenge::None,
        body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES,
        acknowledge: 202,
        acknowledge_body: AcknowledgeBody::Status,
    }
}

/// What a row says. `Scheme { id, ..row }` would be the shorter way, but a constant expression cannot drop
/// the fields that are replaced; [`put`] forgets them instead, which loses nothing, for they are borrowed.
impl Scheme {
    const fn prefix(mut self, prefix: &'static str) -> Self {
        put(&mut self.grammar, Grammar::Prefixed(Borrowed(prefix)));
        self
    }

    const fn base(mut self, parts: &'static [Part]) -> Self {
        put(&mut self.base, Borrowed(parts));
        self
    }

    /// The same window in both directions: a signature from the future is as odd as an old one.
    const fn timestamp(mut self, header: &'static str, unit: TimestampUnit, window_seconds: u32) -> Self {
        let source = Source::Header(Borrowed(header));
        let rule =
            TimestampRule { source, unit, past_seconds: window_seconds, future_seconds: window_seconds };
        put(&mut self.timestamp, Some(rule));
        self
    }

    const fn id(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.id, Borrowed(locators));
        self
    }

    const fn event(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.event, Borrowed(locators));
        self
    }

    const fn ordering_key(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.ordering_key, Borrowed(locators));
        self
    }

    const fn keep_headers(mut self, names: &'static [Text]) -> Self {
        put(&mut self.keep_headers, Borrowed(names));
        self
    }

    const fn form(mut self, rule: FormRule) -> Self {
        self.form = rule;
        self
    }

    const fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    const fn body_limit_mib(mut self, mib: usize) -> Self {
        self.body_limit_bytes = mib * 1024 * 1024;
        self
    }

    const fn acknowledge(mut self, status: u16, body: AcknowledgeBody) -> Self {
        self.acknowledge = status;
        self.acknowledge_body = body;
        self
    }
}

/// Replaces a value without dropping the old one.
const fn put<T>(slot: &mut T, value: T) {
    mem::forget(mem::replace(slot, value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn every_row_compiles_and_the_table_is_sorted() {
        for scheme in ALL {
            Plan::compile(scheme).unwrap();
        }
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn a_row_starts_as_what_the_constructor_gives() {
        assert_eq!(row("x", "X-Sig"), Scheme::new("x", "X-Sig"));
    }
}
