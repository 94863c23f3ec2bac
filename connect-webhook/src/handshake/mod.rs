//! Handshakes: requests that ask "are you there?" and want an answer instead of an acknowledgement.
//!
//! They are answered here and never reach the sink. The order is what makes them safe:
//!
//! - **signed** ([`after`]): verified like any delivery, then answered. Slack, Zoom, Discord, Twitch, AWS SNS,
//!   Xero, and Azure Event Grid where it sends the token.
//! - **by a token in the head** ([`before`]): Meta and Okta. The token is checked first.
//! - **unsigned, and without effect** ([`before`]): Dropbox, Microsoft Graph, and HEAD probes. What is echoed is
//!   short plain text that no browser takes for a page.
//! - **unsigned, with an effect** ([`before`]): Asana, Notion and Azure Event Grid hand over a secret, or make
//!   this endpoint theirs. Only while the host has opened its [`Registration`](crate::Registration).
//!
//! GitHub's `ping` is an ordinary event.

use crate::error::PayloadError;
use crate::scheme::Challenge;

pub(crate) mod after;
pub(crate) mod before;

/// The longest text that is sent back. Real challenges have 10 to 200 bytes.
const MAX_ECHO_BYTES: usize = 4096;

/// The payload values that [`after::answer`] wants, in this order: read in the same pass as the id and the
/// event type.
pub(crate) fn pointers(challenge: Challenge) -> &'static [&'static str] {
    match challenge {
        Challenge::SlackUrlVerification => &["/type", "/challenge"],
        Challenge::ZoomUrlValidation => &["/event", "/payload/plainToken"],
        Challenge::DiscordPing => &["/type", "/event/type"],
        Challenge::TwitchVerification => &["/challenge"],
        Challenge::SnsSubscription => &["/Type"],
        Challenge::AzureEventGrid => &["/0/data/validationCode"],
        Challenge::XeroIntentToReceive => {
            &["/firstEventSequence", "/lastEventSequence", "/events/0/resourceId"]
        }
        _ => &[],
    }
}

/// The methods that only the handshake uses.
pub(crate) fn methods(challenge: Challenge) -> &'static [&'static str] {
    match challenge {
        Challenge::MetaSubscribe | Challenge::OktaVerification | Challenge::DropboxChallenge => &["GET"],
        Challenge::AzureEventGrid => &["OPTIONS"],
        Challenge::HeadProbe => &["HEAD"],
        _ => &[],
    }
}

/// Whether the provider chooses the secret and tells it in the handshake.
pub(crate) fn hands_over_secret(challenge: Challenge) -> bool {
    matches!(challenge, Challenge::AsanaHookSecret | Challenge::NotionVerificationToken)
}

/// Text to send back, if there is any and it is short.
fn bounded<T: AsRef<str>>(text: Option<T>) -> Result<T, PayloadError> {
    text.filter(|text| (1..=MAX_ECHO_BYTES).contains(&text.as_ref().len()))
        .ok_or(PayloadError::MissingChallenge)
}
