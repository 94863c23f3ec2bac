//! Messages, calls and streams.

use super::*;

/// Slack, signature version `v0`: HMAC over `v0:<timestamp>:<body>`, at most 300 s away from now.
///
/// One scheme for the Events API (JSON), interactivity (a form with the JSON in `payload`) and slash commands
/// (a plain form, which becomes a JSON object of its fields; it has no event type). `event_id` is the dedupe
/// id and stays the same over Slack's three retries. Slack waits 3 s and expects 200; the answer has no body,
/// since Slack would read one as a message or as a view's response.
pub static SLACK: Scheme = row("slack", "X-Slack-Signature")
    .docs("https://docs.slack.dev/authentication/verifying-requests-from-slack")
    .prefix("v0=")
    .base(V0)
    .timestamp(at_header("X-Slack-Request-Timestamp"), Seconds, 300)
    .id(&[Json(Borrowed("/event_id"))])
    .event(&[Json(Borrowed("/event/type")), Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/event/channel"))])
    .keep_headers(&[Borrowed("X-Slack-Retry-Num"), Borrowed("X-Slack-Retry-Reason")])
    .form(FormRule::FieldOrFields(Borrowed("payload")))
    .challenge(Challenge::SlackUrlVerification)
    .acknowledge(200, AcknowledgeBody::Empty);

/// Zoom: HMAC over `v0:<timestamp>:<body>`, and a validation of the URL that wants an HMAC back.
pub static ZOOM: Scheme = row("zoom", "x-zm-signature")
    .docs("https://developers.zoom.us/docs/api/webhooks/")
    .prefix("v0=")
    .base(V0)
    .timestamp(at_header("x-zm-request-timestamp"), Seconds, 300)
    .event(&[Json(Borrowed("/event"))])
    .ordering_key(&[Json(Borrowed("/payload/object/uuid")), Json(Borrowed("/payload/object/id"))])
    .challenge(Challenge::ZoomUrlValidation);

const V0: &[Part] = &[Literal(Borrowed("v0:")), Timestamp, Literal(Borrowed(":")), Body];

/// Discord interactions and event webhooks: Ed25519, hexadecimal, over timestamp and body. The secret is the
/// app's public key.
pub static DISCORD: Scheme = row("discord", "X-Signature-Ed25519")
    .docs("https://discord.com/developers/docs/interactions/overview")
    .algorithm(Algorithm::Ed25519)
    .secret("", Encoding::Hex, 32)
    .base(&[Timestamp, Body])
    .timestamp(at_header("X-Signature-Timestamp"), Seconds, 300)
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/event/type")), Json(Borrowed("/type"))])
    .challenge(Challenge::DiscordPing)
    .acknowledge(204, AcknowledgeBody::Empty);

/// Meta (WhatsApp, Messenger, Instagram): `X-Hub-Signature-256: sha256=<hex>` under the app secret; a GET with
/// the verify token when the URL is set.
pub static META: Scheme = row("meta", "X-Hub-Signature-256")
    .docs("https://developers.facebook.com/docs/graph-api/webhooks/getting-started")
    .prefix("sha256=")
    .event(&[Json(Borrowed("/object"))])
    .challenge(Challenge::MetaSubscribe)
    .acknowledge(200, AcknowledgeBody::Empty);

/// LINE: `X-Line-Signature: <base64>` under the channel secret. A delivery has several events.
pub static LINE: Scheme = row("line", "X-Line-Signature")
    .docs("https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/")
    .encoding(Encoding::Base64)
    .batch("/events")
    .id(&[Json(Borrowed("/webhookEventId"))])
    .event(&[Json(Borrowed("/type"))])
    .acknowledge(200, AcknowledgeBody::Empty);

/// Telegram bots: `X-Telegram-Bot-Api-Secret-Token` repeats the secret. The answer's body would be a call of
/// the Bot API, so it has none.
pub static TELEGRAM: Scheme = token("telegram", "X-Telegram-Bot-Api-Secret-Token")
    .docs("https://core.telegram.org/bots/api#setwebhook")
    .id(&[Json(Borrowed("/update_id"))])
    .acknowledge(200, AcknowledgeBody::Empty);

/// Twitch EventSub: `Twitch-Eventsub-Message-Signature: sha256=<hex>` over id, timestamp and body, at most
/// 600 s old.
pub static TWITCH: Scheme = row("twitch", "Twitch-Eventsub-Message-Signature")
    .docs("https://dev.twitch.tv/docs/eventsub/handling-webhook-events/")
    .prefix("sha256=")
    .secret("", Encoding::Text, 10)
    .base(&[Part::Header(Borrowed("Twitch-Eventsub-Message-Id")), Timestamp, Body])
    .timestamp(at_header("Twitch-Eventsub-Message-Timestamp"), Rfc3339, 600)
    .id(&[Header(Borrowed("Twitch-Eventsub-Message-Id"))])
    .event(&[Header(Borrowed("Twitch-Eventsub-Subscription-Type")), Json(Borrowed("/subscription/type"))])
    .keep_headers(&[
        Borrowed("Twitch-Eventsub-Message-Type"),
        Borrowed("Twitch-Eventsub-Message-Retry"),
        Borrowed("Twitch-Eventsub-Subscription-Version"),
    ])
    .challenge(Challenge::TwitchVerification)
    .acknowledge(204, AcknowledgeBody::Empty);

/// Twilio: `X-Twilio-Signature: <base64>`, HMAC-SHA1 over the URL and the sorted form fields; for JSON over the
/// URL, whose query holds the body's hash. Needs a public URL. An empty 204 is "do nothing"; answer a call or a
/// message with TwiML by [`Acceptance::Answer`](crate::Acceptance::Answer).
pub static TWILIO: Scheme = code("twilio", "X-Twilio-Signature", Code::Twilio)
    .docs("https://www.twilio.com/docs/usage/webhooks/webhooks-security")
    .algorithm(Algorithm::Code(Code::Twilio))
    .encoding(Encoding::Base64)
    .methods(&[Borrowed("POST"), Borrowed("GET")])
    .id(&[Header(Borrowed("I-Twilio-Idempotency-Token"))])
    .event(&[Json(Borrowed("/EventType")), Json(Borrowed("/CallStatus")), Json(Borrowed("/SmsStatus"))])
    .ordering_key(&[Json(Borrowed("/CallSid")), Json(Borrowed("/MessageSid"))])
    .form(FormRule::Fields)
    .acknowledge(204, AcknowledgeBody::Empty);

/// ElevenLabs: `ElevenLabs-Signature: t=<s>,v0=<hex>`, at most 1800 s old.
pub static ELEVENLABS: Scheme = row("elevenlabs", "ElevenLabs-Signature")
    .docs("https://elevenlabs.io/docs/product-guides/administration/webhooks")
    .pairs(',', "v0")
    .base(DOTTED)
    .timestamp(at_pair("t"), Seconds, 1800)
    .event(&[Json(Borrowed("/type"))])
    .body_limit_mib(25);

/// Deepgram: `dg-token` repeats the identifier of the API key that asked.
pub static DEEPGRAM: Scheme = token("deepgram", "dg-token")
    .docs("https://developers.deepgram.com/docs/using-callbacks-to-return-transcripts")
    .id(&[Json(Borrowed("/metadata/request_id"))])
    .body_limit_mib(25);

/// Mux: `Mux-Signature: t=<s>,v1=<hex>`.
pub static MUX: Scheme = row("mux", "Mux-Signature")
    .docs("https://www.mux.com/docs/core/verify-webhook-signatures")
    .pairs(',', "v1")
    .base(DOTTED)
    .timestamp(at_pair("t"), Seconds, 300)
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/object/id"))]);
