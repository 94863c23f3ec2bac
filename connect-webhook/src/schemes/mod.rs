//! The built-in schemes, one row each.
//!
//! Take a row by name ([`GITHUB`]) or look it up from configuration ([`named`]). To bend one, clone it and
//! set fields: `let mut mine = schemes::SLACK.clone(); mine.body_limit_bytes = 4096;`. To add a provider that
//! is not here, write a [`Scheme`] of your own: [`guide`](crate::guide) shows it in TOML. A row says only how it
//! differs from the construction most providers share.
//!
//! | file | rows |
//! |---|---|
//! | `code_hosts` | code hosts, builds and deployments |
//! | `work` | tickets, documents, calendars and customers |
//! | `chat` | messages, calls and streams |
//! | `money` | payments, shops and accounting |
//! | `mail` | e-mail and customer data |
//! | `identity` | who somebody is |
//! | `clouds` | notifications of cloud platforms |
//! | `standard` | Standard Webhooks |

use std::borrow::Cow::Borrowed;

use crate::scheme::Locator::{Form, Header, Json};
use crate::scheme::Part::{Body, Literal, Timestamp};
use crate::scheme::TimestampUnit::{Milliseconds, Rfc3339, Seconds};
use crate::scheme::{
    AcknowledgeBody, Algorithm, Challenge, Code, Encoding, FormRule, Hash, Part, Scheme, Source,
};

mod chat;
mod clouds;
mod code_hosts;
mod identity;
mod mail;
mod money;
mod row;
mod standard;
mod work;

pub use chat::*;
pub use clouds::*;
pub use code_hosts::*;
pub use identity::*;
pub use mail::*;
pub use money::*;
use row::{at_header, at_pair, basic, code, row, token};
pub use standard::*;
pub use work::*;

/// `<timestamp>.<body>`
const DOTTED: &[Part] = &[Timestamp, Literal(Borrowed(".")), Body];

/// `<timestamp>:<body>`
const COLONED: &[Part] = &[Timestamp, Literal(Borrowed(":")), Body];

/// Every built-in scheme, by name in alphabetical order.
pub static ALL: &[&Scheme] = &[
    &ADYEN_BANKING,
    &ADYEN_PAYMENT,
    &AIRTABLE,
    &ASANA,
    &ATLASSIAN_CONNECT_JWT,
    &ATTIO,
    &AUTH0_LOG_STREAM,
    &AWS_SNS,
    &AZURE_DEVOPS,
    &AZURE_EVENT_GRID,
    &BITBUCKET,
    &BOX,
    &BUILDKITE,
    &BUILDKITE_TOKEN,
    &CALCOM,
    &CALENDLY,
    &CHARGEBEE,
    &CIRCLECI,
    &CONTENTFUL,
    &CURSOR,
    &DEEPGRAM,
    &DISCORD,
    &DOCUSIGN,
    &DROPBOX,
    &ELEVENLABS,
    &GITEA,
    &GITHUB,
    &GITHUB_SHA1,
    &GITHUB_SHA512,
    &GITLAB_SIGNED,
    &GITLAB_TOKEN,
    &GOOGLE_PUBSUB,
    &HUBSPOT_V1,
    &HUBSPOT_V2,
    &HUBSPOT_V3,
    &INTERCOM,
    &JIRA,
    &LEMONSQUEEZY,
    &LINE,
    &LINEAR,
    &MAILGUN,
    &MAILGUN_FORM,
    &MANDRILL,
    &META,
    &MICROSOFT_GRAPH,
    &MUX,
    &NOTION,
    &OKTA,
    &PADDLE,
    &PAGERDUTY,
    &PAYPAL,
    &POSTMARK,
    &SEGMENT,
    &SENDGRID,
    &SENTRY,
    &SHOPIFY,
    &SLACK,
    &SQUARE,
    &STANDARD_WEBHOOKS,
    &STANDARD_WEBHOOKS_V1A,
    &STRIPE,
    &SVIX,
    &TELEGRAM,
    &TERRAFORM_CLOUD,
    &TWILIO,
    &TWITCH,
    &TYPEFORM,
    &VERCEL,
    &WEBFLOW,
    &WOOCOMMERCE,
    &WORKOS,
    &XERO,
    &ZENDESK,
    &ZOOM,
];

/// The built-in scheme of this name, exactly as written.
///
/// ```
/// use connect_webhook::schemes;
/// assert_eq!(schemes::named("github"), Some(&schemes::GITHUB));
/// assert_eq!(schemes::named("GitHub"), None);
/// ```
pub fn named(name: &str) -> Option<&'static Scheme> {
    let index = ALL.binary_search_by(|scheme| (*scheme.name).cmp(name)).ok()?;
    ALL.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn every_row_compiles_and_the_table_is_sorted() {
        for scheme in ALL {
            Plan::compile(scheme).unwrap();
            assert_eq!(named(&scheme.name), Some(*scheme));
            assert!(scheme.docs.starts_with("https://"), "{}", scheme.name);
        }
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
