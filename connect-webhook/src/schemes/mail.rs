//! E-mail and customer data.

use super::*;

/// SendGrid's signed event webhook: ECDSA on P-256 over timestamp and body, whose last CRLF is signed too. The
/// secret is the public key, base64.
pub static SENDGRID: Scheme = row("sendgrid", "X-Twilio-Email-Event-Webhook-Signature")
    .docs("https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features")
    .algorithm(Algorithm::EcdsaP256Sha256)
    .encoding(Encoding::Base64)
    .secret("", Encoding::Base64, 59)
    .base(&[Timestamp, Body])
    .timestamp(at_header("X-Twilio-Email-Event-Webhook-Timestamp"), Seconds, 300)
    .batch("")
    .id(&[Json(Borrowed("/sg_event_id"))])
    .event(&[Json(Borrowed("/event"))])
    .ordering_key(&[Json(Borrowed("/sg_message_id"))]);

/// Mailgun: timestamp, token and signature stand in the body, and the rest of the body is not signed. The token
/// is the dedupe id, and remembering it is what keeps a captured signature from being used twice.
pub static MAILGUN: Scheme = row("mailgun", "X-Mailgun-Signature")
    .docs("https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks")
    .signature(Source::Json(Borrowed("/signature/signature")))
    .base(&[Timestamp, Part::Json(Borrowed("/signature/token"))])
    .timestamp(Source::Json(Borrowed("/signature/timestamp")), Seconds, 300)
    .without_body()
    .id(&[Json(Borrowed("/signature/token"))])
    .event(&[Json(Borrowed("/event-data/event"))])
    .ordering_key(&[Json(Borrowed("/event-data/message/headers/message-id"))])
    .acknowledge(200, AcknowledgeBody::Empty);

/// Mailgun's older form posts, and its routes for mails without attachments: as [`MAILGUN`], with three form
/// fields. With attachments a route sends `multipart/form-data`, which is refused here.
pub static MAILGUN_FORM: Scheme = row("mailgun_form", "X-Mailgun-Signature")
    .docs("https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks")
    .signature(Source::Form(Borrowed("signature")))
    .base(&[Timestamp, Part::Form(Borrowed("token"))])
    .timestamp(Source::Form(Borrowed("timestamp")), Seconds, 300)
    .without_body()
    .id(&[Form(Borrowed("token"))])
    .event(&[Form(Borrowed("event"))])
    .form(FormRule::Fields)
    .acknowledge(200, AcknowledgeBody::Empty)
    .body_limit_mib(25);

/// Mandrill: `X-Mandrill-Signature: <base64>`, HMAC-SHA1 over the URL and the sorted form fields. Needs a public
/// URL. The payload is the field `mandrill_events`.
pub static MANDRILL: Scheme = code("mandrill", "X-Mandrill-Signature", Code::Mandrill)
    .docs("https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/")
    .encoding(Encoding::Base64)
    .form(FormRule::Field(Borrowed("mandrill_events")))
    .batch("")
    .id(&[Json(Borrowed("/_id"))])
    .event(&[Json(Borrowed("/event"))])
    .challenge(Challenge::HeadProbe)
    .acknowledge(200, AcknowledgeBody::Empty)
    .body_limit_mib(25);

/// Postmark: Basic authentication; the secret is `user:password`.
pub static POSTMARK: Scheme = basic("postmark")
    .docs("https://postmarkapp.com/developer/webhooks/webhooks-overview")
    .event(&[Json(Borrowed("/RecordType"))])
    .ordering_key(&[Json(Borrowed("/MessageID"))])
    .acknowledge(200, AcknowledgeBody::Status)
    .body_limit_mib(25);

/// Segment: `x-signature: <hex>`, HMAC-SHA1 over the body. Of a batch Segment signs only the first event: such
/// deliveries do not verify here. (Hash and encoding are from the provider's help page; nothing of it could be
/// tried.)
pub static SEGMENT: Scheme = row("segment", "x-signature")
    .docs("https://segment.com/docs/connections/destinations/catalog/webhooks/")
    .algorithm(Algorithm::Hmac(Hash::Sha1))
    .id(&[Json(Borrowed("/messageId"))])
    .event(&[Json(Borrowed("/type"))]);
