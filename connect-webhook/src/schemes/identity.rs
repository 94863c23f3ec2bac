//! Who somebody is.

use super::*;

/// WorkOS: `WorkOS-Signature: t=<ms>, v1=<hex>`, at most 180 s old.
pub static WORKOS: Scheme = row("workos", "WorkOS-Signature")
    .docs("https://workos.com/docs/events/data-syncing/webhooks")
    .pairs(',', "v1")
    .base(DOTTED)
    .timestamp(at_pair("t"), Milliseconds, 180)
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/event"))]);

/// Okta event hooks: `Authorization` repeats the secret; a GET with a challenge when the hook is verified.
pub static OKTA: Scheme = token("okta", "Authorization")
    .docs("https://developer.okta.com/docs/concepts/event-hooks/")
    .id(&[Json(Borrowed("/eventId"))])
    .event(&[Json(Borrowed("/eventType"))])
    .challenge(Challenge::OktaVerification)
    .acknowledge(200, AcknowledgeBody::Empty);

/// Auth0 log streams: `Authorization` repeats the token.
pub static AUTH0_LOG_STREAM: Scheme = token("auth0_log_stream", "Authorization")
    .docs("https://auth0.com/docs/customize/log-streams/custom-log-streams")
    .batch("")
    .id(&[Json(Borrowed("/log_id"))])
    .event(&[Json(Borrowed("/data/type"))]);
