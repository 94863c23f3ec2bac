//! Payments, shops and accounting.

use super::*;

/// Stripe: `Stripe-Signature: t=<s>,v1=<hex>`, several `v1` while a secret is changed. The secret is used with
/// its `whsec_`. The test scheme `v0` is not accepted.
pub static STRIPE: Scheme = row("stripe", "Stripe-Signature")
    .docs("https://docs.stripe.com/webhooks/signature")
    .pairs(',', "v1")
    // More than `whsec_` alone, which everybody knows.
    .secret("", Encoding::Text, 8)
    .base(DOTTED)
    .timestamp(at_pair("t"), Seconds, 300)
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/data/object/id"))]);

/// Shopify: `X-Shopify-Hmac-Sha256: <base64>` under the app's secret. `X-Shopify-Triggered-At` is not signed.
pub static SHOPIFY: Scheme = row("shopify", "X-Shopify-Hmac-Sha256")
    .docs("https://shopify.dev/docs/apps/build/webhooks/subscribe/https")
    .encoding(Encoding::Base64)
    .id(&[Header(Borrowed("X-Shopify-Event-Id")), Header(Borrowed("X-Shopify-Webhook-Id"))])
    .event(&[Header(Borrowed("X-Shopify-Topic"))])
    .ordering_key(&[Json(Borrowed("/admin_graphql_api_id")), Json(Borrowed("/id"))])
    .keep_headers(&[
        Borrowed("X-Shopify-Shop-Domain"),
        Borrowed("X-Shopify-API-Version"),
        Borrowed("X-Shopify-Triggered-At"),
    ])
    // Two `app/uninstalled` of one shop may be equal.
    .bodies_repeat()
    .body_limit_mib(5);

/// Square: `x-square-hmacsha256-signature: <base64>` over the notification URL and the body. Needs a public URL.
pub static SQUARE: Scheme = row("square", "x-square-hmacsha256-signature")
    .docs("https://developer.squareup.com/docs/webhooks/step3validate")
    .encoding(Encoding::Base64)
    .base(&[Part::Url, Body])
    .id(&[Json(Borrowed("/event_id"))])
    .event(&[Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/data/id"))]);

/// Paddle Billing: `Paddle-Signature: ts=<s>;h1=<hex>`, several `h1` while a secret is changed. At most 5 s
/// old, Paddle's own default: raise it if your clock or your network needs more.
pub static PADDLE: Scheme = row("paddle", "Paddle-Signature")
    .docs("https://developer.paddle.com/webhooks/signature-verification")
    .pairs(';', "h1")
    // More than `pdl_ntfset_` alone, which everybody knows.
    .secret("", Encoding::Text, 12)
    .base(COLONED)
    .timestamp(at_pair("ts"), Seconds, 5)
    .id(&[Json(Borrowed("/notification_id")), Json(Borrowed("/event_id"))])
    .event(&[Json(Borrowed("/event_type"))])
    .ordering_key(&[Json(Borrowed("/data/id"))]);

/// Lemon Squeezy: `X-Signature: <hex>`.
pub static LEMONSQUEEZY: Scheme = row("lemonsqueezy", "X-Signature")
    .docs("https://docs.lemonsqueezy.com/help/webhooks/signing-requests")
    .event(&[Header(Borrowed("X-Event-Name")), Json(Borrowed("/meta/event_name"))])
    .ordering_key(&[Json(Borrowed("/data/id"))]);

/// WooCommerce: `X-WC-Webhook-Signature: <base64>`.
pub static WOOCOMMERCE: Scheme = row("woocommerce", "X-WC-Webhook-Signature")
    .docs("https://woocommerce.com/document/webhooks/")
    .encoding(Encoding::Base64)
    .id(&[Header(Borrowed("X-WC-Webhook-Delivery-ID"))])
    .event(&[Header(Borrowed("X-WC-Webhook-Topic"))])
    // What was deleted, restored and deleted again is told of by its id alone.
    .bodies_repeat()
    .ordering_key(&[Json(Borrowed("/id"))]);

/// Adyen's banking and management webhooks: `HmacSignature: <base64>`; the key is hexadecimal.
pub static ADYEN_BANKING: Scheme = row("adyen_banking", "HmacSignature")
    .docs("https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures")
    .encoding(Encoding::Base64)
    .secret("", Encoding::Hex, 16)
    .event(&[Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/data/id"))]);

/// Adyen's payment webhooks: each item is signed by itself, over eight of its fields; the key is hexadecimal.
/// The answer must be `[accepted]`.
pub static ADYEN_PAYMENT: Scheme = code("adyen_payment", "HmacSignature", Code::AdyenPayments)
    .docs("https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures")
    .signature(Source::Json(Borrowed(
        "/notificationItems/0/NotificationRequestItem/additionalData/hmacSignature",
    )))
    .encoding(Encoding::Base64)
    .secret("", Encoding::Hex, 16)
    .without_body()
    .batch("/notificationItems")
    .event(&[Json(Borrowed("/NotificationRequestItem/eventCode"))])
    .ordering_key(&[Json(Borrowed("/NotificationRequestItem/pspReference"))])
    .acknowledge(200, AcknowledgeBody::Text(Borrowed("[accepted]")));

/// PayPal: RSA over transmission id, time, webhook id and the body's CRC-32, under a certificate that the
/// delivery names. Needs the webhook's id and a source of keys. A CRC keeps out no one who means it: whoever
/// reads a delivery on its way can put another body under its signature.
pub static PAYPAL: Scheme = code("paypal", "PAYPAL-TRANSMISSION-SIG", Code::PayPal)
    .docs("https://developer.paypal.com/api/rest/webhooks/rest/")
    .encoding(Encoding::Base64)
    .without_body()
    .id(&[Json(Borrowed("/id")), Header(Borrowed("PAYPAL-TRANSMISSION-ID"))])
    .event(&[Json(Borrowed("/event_type"))])
    .ordering_key(&[Json(Borrowed("/resource/id"))])
    .acknowledge(200, AcknowledgeBody::Empty);

/// Chargebee: Basic authentication; the secret is `user:password`.
pub static CHARGEBEE: Scheme = basic("chargebee")
    .docs("https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/event_type"))]);

/// Xero: `x-xero-signature: <base64>`. Its "intent to receive" sends good and bad signatures and wants 200 and
/// 401, both without a body.
pub static XERO: Scheme = row("xero", "x-xero-signature")
    .docs("https://developer.xero.com/documentation/guides/webhooks/overview/")
    .encoding(Encoding::Base64)
    .challenge(Challenge::XeroIntentToReceive)
    .batch("/events")
    .event(&[Json(Borrowed("/eventType"))])
    .ordering_key(&[Json(Borrowed("/resourceId"))])
    .acknowledge(200, AcknowledgeBody::Empty);
