//! Standard Webhooks, the specification that many newer providers share.

use super::*;

/// Standard Webhooks, symmetric: `webhook-signature: v1,<base64>`, several separated by blanks.
///
/// For OpenAI, Replicate, Supabase and others that follow the specification to the letter. The secret is
/// `whsec_` and the base64 of 24 to 64 bytes; the prefix may be missing.
pub static STANDARD_WEBHOOKS: Scheme = v1("standard_webhooks");

/// Standard Webhooks, asymmetric: `webhook-signature: v1a,<base64>`, Ed25519. The secret is the public key,
/// `whpk_` and its base64; a sender's is `whsk_`.
pub static STANDARD_WEBHOOKS_V1A: Scheme = v1("standard_webhooks_v1a")
    .algorithm(Algorithm::Ed25519)
    .versions("v1a")
    .secret("whpk_", Encoding::Base64, 32);

/// Svix, which delivers for Clerk, Resend and others: Standard Webhooks with headers that start with `svix-`,
/// or with the standard's own.
pub static SVIX: Scheme = v1("svix")
    .docs("https://docs.svix.com/receiving/verifying-payloads/how-manual")
    .signature(Source::FirstHeader(Borrowed(&[Borrowed("svix-signature"), Borrowed("webhook-signature")])))
    .base(&[
        Part::FirstHeader(Borrowed(&[Borrowed("svix-id"), Borrowed("webhook-id")])),
        Literal(Borrowed(".")),
        Timestamp,
        Literal(Borrowed(".")),
        Body,
    ])
    .timestamp(
        Source::FirstHeader(Borrowed(&[Borrowed("svix-timestamp"), Borrowed("webhook-timestamp")])),
        Seconds,
        300,
    )
    .id(&[Header(Borrowed("svix-id")), Header(Borrowed("webhook-id"))]);

/// What rows of the standard start from.
pub(super) const fn v1(name: &'static str) -> Scheme {
    row(name, "webhook-signature")
        .docs("https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md")
        .versions("v1")
        .encoding(Encoding::Base64)
        .secret("whsec_", Encoding::Base64, 24)
        .most_secret_bytes(64)
        .base(&[
            Part::Header(Borrowed("webhook-id")),
            Literal(Borrowed(".")),
            Timestamp,
            Literal(Borrowed(".")),
            Body,
        ])
        .timestamp(at_header("webhook-timestamp"), Seconds, 300)
        .id(&[Header(Borrowed("webhook-id"))])
        .event(&[Json(Borrowed("/type"))])
}
