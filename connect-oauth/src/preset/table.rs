//! The built-in rows, by what the providers are for.
//!
//! A fact that no page of the provider's could confirm is left at its default, and its row says so among the quirks
//! ("not confirmed: ..."). Lifetimes are those that answers keep silent about; a month counts as 30 days, so that a
//! token is refreshed too early rather than too late.

use super::Preset;

mod business;
mod developers;
mod identity;
mod row;

/// All of them.
///
/// ```
/// use connect_oauth::preset::PRESETS;
/// for preset in PRESETS {
///     println!("{:<12} {}", preset.id, preset.name);
/// }
/// ```
pub const PRESETS: &[Preset] = &[
    developers::GITHUB.preset(),
    developers::GITLAB.preset(),
    developers::BITBUCKET.preset(),
    developers::ATLASSIAN.preset(),
    business::SLACK.preset(),
    business::SLACK_USER.preset(),
    business::SALESFORCE.preset(),
    business::HUBSPOT.preset(),
    business::STRIPE.preset(),
    business::SQUARE.preset(),
    identity::GOOGLE.preset(),
    identity::MICROSOFT.preset(),
    identity::AUTH0.preset(),
    identity::FACEBOOK.preset(),
    identity::COGNITO.preset(),
    identity::OIDC.preset(),
];
