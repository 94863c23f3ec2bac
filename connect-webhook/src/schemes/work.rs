//! Tickets, documents, calendars and customers.

use super::*;

/// Jira Cloud webhooks with a secret: `X-Hub-Signature: sha256=<hex>`.
///
/// Jira signs no timestamp and no header; `X-Atlassian-Webhook-Identifier` stays the same over its retries.
/// It retries 408, 409, 425, 429 and 5xx, never another 4xx. The body cap is as large as GitHub's, because a
/// 413 would lose the event. Webhooks registered by Connect carry a JWT instead: [`ATLASSIAN_CONNECT_JWT`].
pub static JIRA: Scheme = row("jira", "X-Hub-Signature")
    .docs("https://developer.atlassian.com/cloud/jira/platform/webhooks/")
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

/// Atlassian Connect apps: `Authorization: JWT <token>`, HS256 under the installation's `sharedSecret`, bound
/// to method, path and query, and to nothing of the body. Needs a public URL.
pub static ATLASSIAN_CONNECT_JWT: Scheme =
    code("atlassian_connect_jwt", "Authorization", Code::AtlassianConnect)
        .docs("https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/")
        .without_body()
        .id(&[Header(Borrowed("X-Atlassian-Webhook-Identifier"))])
        .event(&[Json(Borrowed("/webhookEvent")), Json(Borrowed("/event")), Json(Borrowed("/eventType"))])
        .ordering_key(&[Json(Borrowed("/issue/id"))])
        .body_limit_mib(25);

/// Linear: `Linear-Signature: <hex>`. The timestamp is a field of the signed body, at most 60 s old.
pub static LINEAR: Scheme = row("linear", "Linear-Signature")
    .docs("https://linear.app/developers/webhooks")
    .timestamp(Source::Json(Borrowed("/webhookTimestamp")), Milliseconds, 60)
    .id(&[Header(Borrowed("Linear-Delivery"))])
    .event(&[Header(Borrowed("Linear-Event")), Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/data/id"))]);

/// Asana: `X-Hook-Signature: <hex>`, with the secret that Asana hands over when the webhook is made.
pub static ASANA: Scheme = row("asana", "X-Hook-Signature")
    .docs("https://developers.asana.com/docs/webhooks-guide")
    .batch("/events")
    .event(&[Json(Borrowed("/action"))])
    .ordering_key(&[Json(Borrowed("/resource/gid"))])
    .challenge(Challenge::AsanaHookSecret)
    .acknowledge(200, AcknowledgeBody::Empty);

/// Notion: `X-Notion-Signature: sha256=<hex>`, with the verification token of its first request as secret.
pub static NOTION: Scheme = row("notion", "X-Notion-Signature")
    .docs("https://developers.notion.com/reference/webhooks")
    .prefix("sha256=")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/type"))])
    .ordering_key(&[Json(Borrowed("/entity/id"))])
    .challenge(Challenge::NotionVerificationToken);

/// Airtable: `X-Airtable-Content-MAC: hmac-sha256=<hex>`; the secret is base64.
pub static AIRTABLE: Scheme = row("airtable", "X-Airtable-Content-MAC")
    .docs("https://airtable.com/developers/web/api/webhooks-overview")
    .prefix("hmac-sha256=")
    .secret("", Encoding::Base64, 1);

/// Zendesk: `X-Zendesk-Webhook-Signature: <base64>` over timestamp and body. The secret looks like base64 and
/// is used as it is. GET and DELETE webhooks have no body.
pub static ZENDESK: Scheme = row("zendesk", "X-Zendesk-Webhook-Signature")
    .docs("https://developer.zendesk.com/documentation/webhooks/verifying/")
    .encoding(Encoding::Base64)
    .base(&[Timestamp, Body])
    .timestamp(at_header("X-Zendesk-Webhook-Signature-Timestamp"), Rfc3339, 300)
    .methods(&[Borrowed("POST"), Borrowed("PUT"), Borrowed("PATCH"), Borrowed("GET"), Borrowed("DELETE")])
    .id(&[Header(Borrowed("X-Zendesk-Webhook-Invocation-Id"))])
    .event(&[Json(Borrowed("/type"))])
    .form(FormRule::Fields);

/// Intercom: `X-Hub-Signature: sha1=<hex>`, HMAC-SHA1 under the app's client secret.
pub static INTERCOM: Scheme = row("intercom", "X-Hub-Signature")
    .docs("https://developers.intercom.com/docs/webhooks/setting-up-webhooks")
    .algorithm(Algorithm::Hmac(Hash::Sha1))
    .prefix("sha1=")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/topic"))])
    .challenge(Challenge::HeadProbe);

/// HubSpot, version 3: `X-HubSpot-Signature-v3: <base64>` over method, URL, body and timestamp. Needs a public
/// URL.
pub static HUBSPOT_V3: Scheme = hubspot(row("hubspot_v3", "X-HubSpot-Signature-v3"))
    .encoding(Encoding::Base64)
    .base(&[Part::Method, Part::Url, Body, Timestamp])
    .timestamp(at_header("X-HubSpot-Request-Timestamp"), Milliseconds, 300)
    .url_escapes(&[
        Borrowed("%3A"),
        Borrowed("%2F"),
        Borrowed("%3F"),
        Borrowed("%40"),
        Borrowed("%21"),
        Borrowed("%24"),
        Borrowed("%27"),
        Borrowed("%28"),
        Borrowed("%29"),
        Borrowed("%2A"),
        Borrowed("%2C"),
        Borrowed("%3B"),
    ]);

/// HubSpot, version 1: a plain hash of secret and body. Weak: use [`HUBSPOT_V3`].
pub static HUBSPOT_V1: Scheme = hubspot(row("hubspot_v1", "X-HubSpot-Signature"))
    .algorithm(Algorithm::Digest(Hash::Sha256))
    .base(&[Part::Secret, Body])
    .weak();

/// HubSpot, version 2: a plain hash of secret, method, URL and body. Weak: use [`HUBSPOT_V3`]. Needs a public
/// URL.
pub static HUBSPOT_V2: Scheme = hubspot(row("hubspot_v2", "X-HubSpot-Signature"))
    .algorithm(Algorithm::Digest(Hash::Sha256))
    .base(&[Part::Secret, Part::Method, Part::Url, Body])
    .weak();

const fn hubspot(scheme: Scheme) -> Scheme {
    scheme
        .docs("https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation")
        .methods(&[Borrowed("POST"), Borrowed("GET")])
        .batch("")
        .id(&[Json(Borrowed("/eventId"))])
        .event(&[Json(Borrowed("/subscriptionType"))])
        .ordering_key(&[Json(Borrowed("/objectId"))])
}

/// Typeform: `Typeform-Signature: sha256=<base64>`.
pub static TYPEFORM: Scheme = row("typeform", "Typeform-Signature")
    .docs("https://www.typeform.com/developers/webhooks/secure-your-webhooks/")
    .prefix("sha256=")
    .encoding(Encoding::Base64)
    .id(&[Json(Borrowed("/event_id"))])
    .event(&[Json(Borrowed("/event_type"))]);

/// Calendly: `Calendly-Webhook-Signature: t=<s>,v1=<hex>`, at most 180 s old.
pub static CALENDLY: Scheme = row("calendly", "Calendly-Webhook-Signature")
    .docs("https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures")
    .pairs(',', "v1")
    .base(DOTTED)
    .timestamp(at_pair("t"), Seconds, 180)
    .event(&[Json(Borrowed("/event"))])
    .ordering_key(&[Json(Borrowed("/payload/uri"))]);

/// Cal.com: `X-Cal-Signature-256: <hex>`.
pub static CALCOM: Scheme = row("calcom", "X-Cal-Signature-256")
    .docs("https://cal.com/docs/developing/guides/automation/webhooks")
    .event(&[Json(Borrowed("/triggerEvent"))])
    .ordering_key(&[Json(Borrowed("/payload/uid"))]);

/// Box: `BOX-SIGNATURE-PRIMARY` and `BOX-SIGNATURE-SECONDARY`, base64 over body and timestamp, at most 600 s
/// old. Pass both keys: Box signs with each.
pub static BOX: Scheme = row("box", "BOX-SIGNATURE-PRIMARY")
    .docs("https://developer.box.com/guides/webhooks/v2/signatures-v2/")
    .signature(Source::EveryHeader(Borrowed(&[
        Borrowed("BOX-SIGNATURE-PRIMARY"),
        Borrowed("BOX-SIGNATURE-SECONDARY"),
    ])))
    .encoding(Encoding::Base64)
    .base(&[Body, Timestamp])
    .timestamp(at_header("BOX-DELIVERY-TIMESTAMP"), Rfc3339, 600)
    .id(&[Header(Borrowed("BOX-DELIVERY-ID")), Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/trigger"))])
    .ordering_key(&[Json(Borrowed("/source/id"))]);

/// Dropbox: `X-Dropbox-Signature: <hex>`; a GET with a challenge when the URL is set. A notice only says whose
/// files changed, so the same body comes again and again.
pub static DROPBOX: Scheme = row("dropbox", "X-Dropbox-Signature")
    .docs("https://www.dropbox.com/developers/reference/webhooks")
    .bodies_repeat()
    .challenge(Challenge::DropboxChallenge);

/// Docusign Connect: `X-DocuSign-Signature-1` and on, one for each configured key, base64. A key is used as it
/// is, its `=` included. The first ten are read.
pub static DOCUSIGN: Scheme = row("docusign", "X-DocuSign-Signature-1")
    .docs("https://developers.docusign.com/platform/webhooks/connect/validate/")
    .signature(Source::EveryHeader(Borrowed(&[
        Borrowed("X-DocuSign-Signature-1"),
        Borrowed("X-DocuSign-Signature-2"),
        Borrowed("X-DocuSign-Signature-3"),
        Borrowed("X-DocuSign-Signature-4"),
        Borrowed("X-DocuSign-Signature-5"),
        Borrowed("X-DocuSign-Signature-6"),
        Borrowed("X-DocuSign-Signature-7"),
        Borrowed("X-DocuSign-Signature-8"),
        Borrowed("X-DocuSign-Signature-9"),
        Borrowed("X-DocuSign-Signature-10"),
    ])))
    .encoding(Encoding::Base64)
    .event(&[Json(Borrowed("/event"))])
    .ordering_key(&[Json(Borrowed("/data/envelopeId"))])
    .body_limit_mib(25);

/// PagerDuty, version 3: `X-PagerDuty-Signature: v1=<hex>`, several separated by commas.
pub static PAGERDUTY: Scheme = row("pagerduty", "X-PagerDuty-Signature")
    .docs("https://developer.pagerduty.com/docs/verifying-webhook-signatures")
    .pairs(',', "v1")
    .id(&[Json(Borrowed("/event/id"))])
    .event(&[Json(Borrowed("/event/event_type"))])
    .ordering_key(&[Json(Borrowed("/event/data/id"))]);

/// Webflow: `x-webflow-signature: <hex>` over `<timestamp>:<body>`.
pub static WEBFLOW: Scheme = row("webflow", "x-webflow-signature")
    .docs("https://developers.webflow.com/data/docs/working-with-webhooks")
    .base(COLONED)
    .timestamp(at_header("x-webflow-timestamp"), Milliseconds, 300)
    .event(&[Json(Borrowed("/triggerType"))]);

/// Contentful's request verification: a canonical request with a list of signed headers, at most 30 s old.
/// Needs a public URL.
pub static CONTENTFUL: Scheme = code("contentful", "x-contentful-signature", Code::Contentful)
    .docs("https://www.contentful.com/developers/docs/webhooks/request-verification/")
    .event(&[Header(Borrowed("X-Contentful-Topic"))])
    .id(&[Header(Borrowed("X-Contentful-Idempotency-Key"))])
    .ordering_key(&[Json(Borrowed("/sys/id"))])
    .json_types(&[Borrowed("application/vnd.contentful.management.v1+json")]);

/// Attio: `Attio-Signature: <hex>`.
pub static ATTIO: Scheme = row("attio", "Attio-Signature")
    .docs("https://docs.attio.com/rest-api/guides/webhooks")
    .signature(Source::FirstHeader(Borrowed(&[Borrowed("Attio-Signature"), Borrowed("x-attio-signature")])))
    .id(&[Header(Borrowed("Idempotency-Key"))])
    .bodies_repeat()
    .event(&[Json(Borrowed("/events/0/event_type"))]);
