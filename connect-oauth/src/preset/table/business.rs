//! Chat, customers and money.

use std::borrow::Cow::Borrowed;

use super::row::{DAY, NO_LIFETIMES, ProfileRow, Row, STANDARD, USERINFO};
use crate::preset::{ClientAuthentication, Lifetimes, Pkce, Rotation, ScopeSeparator, TokenBody};

pub(super) const SLACK: Row = Row {
    id: "slack",
    name: "Slack (bot)",
    authorize_url: Some("https://slack.com/oauth/v2/authorize"),
    token_url: Some("https://slack.com/api/oauth.v2.access"),
    scope_separator: ScopeSeparator::Comma,
    client_authentication: ClientAuthentication::Basic,
    pkce: Pkce::OptIn,
    rotation: Rotation::SingleUse,
    quirks: &[
        Borrowed("Refusals come with HTTP 200, `ok: false` and an `error` of Slack's own."),
        Borrowed(
            "Tokens expire (12 hours, `expires_in` 43200) and have refresh tokens only if the app has token rotation, which cannot be switched off again; otherwise they do not expire and have no `expires_in`.",
        ),
        Borrowed(
            "PKCE is for apps that have it in their settings, which makes them public clients for good; all others are refused with `pkce_not_allowed`. Refresh tokens of such apps live 30 days.",
        ),
        Borrowed(
            "User ids are unique within a workspace only: keep them together with `team.id` of the answer.",
        ),
        Borrowed(
            "For a login without the Web API use Sign in with Slack: the preset `oidc` with the issuer https://slack.com.",
        ),
        Borrowed("Tokens are revoked by the method auth.revoke, not by RFC 7009."),
    ],
    sources: SLACK_SOURCES,
    ..STANDARD
};

pub(super) const SLACK_USER: Row = Row {
    id: "slack-user",
    name: "Slack (user)",
    scope_parameter: "user_scope",
    tokens_pointer: Some("/authed_user"),
    quirks: &[
        Borrowed("Refusals come with HTTP 200, `ok: false` and an `error` of Slack's own."),
        Borrowed(
            "The answer to the code has the user's tokens in `authed_user`; the answer to a refresh has them on top.",
        ),
        Borrowed(
            "Tokens expire (12 hours, `expires_in` 43200) and have refresh tokens only if the app has token rotation; otherwise they do not expire and have no `expires_in`.",
        ),
        Borrowed(
            "PKCE is for apps that have it in their settings, which makes them public clients for good; all others are refused with `pkce_not_allowed`. Refresh tokens of such apps live 30 days.",
        ),
        Borrowed(
            "User ids are unique within a workspace only: keep them together with `team.id` of the answer.",
        ),
    ],
    ..SLACK
};

const SLACK_SOURCES: &[crate::preset::Text] = &[
    Borrowed("https://docs.slack.dev/authentication/installing-with-oauth"),
    Borrowed("https://docs.slack.dev/reference/methods/oauth.v2.access"),
    Borrowed("https://docs.slack.dev/authentication/using-token-rotation"),
    Borrowed("https://docs.slack.dev/authentication/using-pkce"),
];

pub(super) const SALESFORCE: Row = Row {
    id: "salesforce",
    name: "Salesforce",
    authorize_url: Some("https://{host}/services/oauth2/authorize"),
    token_url: Some("https://{host}/services/oauth2/token"),
    revoke_url: Some("https://{host}/services/oauth2/revoke"),
    jwks_url: Some("https://{host}/id/keys"),
    issuer: Some("https://{host}"),
    profile: Some(ProfileRow {
        url: "https://{host}/services/oauth2/userinfo",
        account: Some("/preferred_username"),
        ..USERINFO
    }),
    default_scopes: &[Borrowed("api"), Borrowed("openid")],
    refresh_scopes: &[Borrowed("refresh_token")],
    pkce: Pkce::Supported,
    variables: &[(Borrowed("host"), Borrowed("login.salesforce.com"))],
    quirks: &[
        Borrowed(
            "Answers have no `expires_in`: an access token lives as long as the session time-out of the org or app allows. Set the row's access life if you know it.",
        ),
        Borrowed(
            "Refresh tokens rotate only if the app says so; then each works once. Set the row's rotation if you know it.",
        ),
        Borrowed("How long refresh tokens live is a policy of the app; it may be 30 days without use."),
        Borrowed("API calls go to `instance_url` of the answer, not to the host of the login."),
        Borrowed("For sandboxes set `host` to test.salesforce.com or to the My Domain of the sandbox."),
        Borrowed("The profile needs the scope `openid`."),
        Borrowed("Its device flow is not RFC 8628: it begins at the token endpoint."),
        Borrowed("not confirmed: that tokens of a My Domain name that host as their issuer."),
    ],
    sources: &[
        Borrowed(
            "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_endpoints.htm&type=5",
        ),
        Borrowed(
            "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm&type=5",
        ),
        Borrowed(
            "https://help.salesforce.com/s/articleView?id=xcloud.connected_app_limit_idle_ttl.htm&type=5",
        ),
        Borrowed("https://login.salesforce.com/.well-known/openid-configuration"),
    ],
    ..STANDARD
};

pub(super) const HUBSPOT: Row = Row {
    id: "hubspot",
    name: "HubSpot",
    authorize_url: Some("https://app.hubspot.com/oauth/authorize"),
    token_url: Some("https://api.hubapi.com/oauth/{version}/token"),
    revoke_url: Some("https://api.hubapi.com/oauth/{version}/token/revoke"),
    rotation: Rotation::None,
    variables: &[(Borrowed("version"), Borrowed("2026-03"))],
    quirks: &[
        Borrowed("Access tokens live 30 minutes (`expires_in` 1800)."),
        Borrowed("Access tokens are long, and their length varies: leave room for them."),
        Borrowed("The endpoints without a date (`v1`) end on 16 February 2027."),
        Borrowed("The scopes must be those of the app's settings."),
        Borrowed(
            "not confirmed: that a refresh token never changes and never expires; no page says the opposite.",
        ),
        Borrowed("not confirmed: that revoking a refresh token ends the access tokens made with it."),
        Borrowed("not confirmed: PKCE; the token endpoint lists `code_verifier`, the guide does not."),
    ],
    sources: &[
        Borrowed(
            "https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens",
        ),
        Borrowed("https://developers.hubspot.com/changelog/v1-oauth-api-deprecation"),
    ],
    ..STANDARD
};

pub(super) const STRIPE: Row = Row {
    id: "stripe",
    name: "Stripe Connect",
    authorize_url: Some("https://connect.stripe.com/oauth/authorize"),
    token_url: Some("https://connect.stripe.com/oauth/token"),
    profile: Some(ProfileRow {
        url: "https://api.stripe.com/v1/account",
        subject: "/id",
        account: None,
        email: Some("/email"),
        email_verified: None,
    }),
    default_scopes: &[Borrowed("read_write")],
    quirks: &[
        Borrowed("Access tokens do not expire; the account's owner may revoke them at any time."),
        Borrowed("The client secret is the platform's secret API key, of live or of test mode."),
        Borrowed("Without a scope Stripe grants `read_only`."),
        Borrowed("For Standard accounts; Stripe Apps have endpoints and lifetimes of their own."),
        Borrowed("An account is disconnected by /oauth/deauthorize with its id, not by RFC 7009."),
        Borrowed("not confirmed: whether a refresh replaces the refresh token."),
    ],
    sources: &[
        Borrowed("https://docs.stripe.com/connect/oauth-reference"),
        Borrowed("https://docs.stripe.com/connect/oauth-standard-accounts"),
    ],
    ..STANDARD
};

pub(super) const SQUARE: Row = Row {
    id: "square",
    name: "Square",
    authorize_url: Some("https://{host}/oauth2/authorize"),
    token_url: Some("https://{host}/oauth2/token"),
    profile: Some(ProfileRow {
        url: "https://{host}/v2/merchants/me",
        subject: "/merchant/id",
        account: Some("/merchant/business_name"),
        email: None,
        email_verified: None,
    }),
    token_body: TokenBody::Json,
    authorize_parameters: &[(Borrowed("session"), Borrowed("false"))],
    pkce: Pkce::OptIn,
    rotation: Rotation::None,
    lifetimes: Lifetimes { access_seconds: Some(30 * DAY), ..NO_LIFETIMES },
    variables: &[(Borrowed("host"), Borrowed("connect.squareup.com"))],
    quirks: &[
        Borrowed(
            "Answers have `expires_at`, a date, instead of `expires_in`: an access token lives 30 days (24 hours if `short_lived` was asked for). Square wants it refreshed every 7 days.",
        ),
        Borrowed("With a client secret, refresh tokens stay the same and do not expire."),
        Borrowed(
            "With PKCE there is no client secret, and refresh tokens work once and live 90 days: set the row's pkce, rotation and idle life for it.",
        ),
        Borrowed("In the sandbox set `host` to connect.squareupsandbox.com and drop `session`."),
        Borrowed("Tokens are revoked by a call of Square's own, not by RFC 7009."),
        Borrowed("The profile needs the scope `MERCHANT_PROFILE_READ`."),
        Borrowed("not confirmed: what Square does with a PKCE challenge and a client secret together."),
    ],
    sources: &[
        Borrowed("https://developer.squareup.com/reference/square/oauth-api/authorize"),
        Borrowed("https://developer.squareup.com/reference/square/oauth-api/obtain-token"),
        Borrowed("https://developer.squareup.com/reference/square/objects/ObtainTokenResponse"),
        Borrowed("https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope"),
    ],
    ..STANDARD
};
