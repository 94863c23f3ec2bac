//! Where code and tickets are.

use std::borrow::Cow::Borrowed;

use super::row::{DAY, NO_LIFETIMES, ProfileRow, Row, STANDARD, USERINFO};
use crate::preset::{ClientAuthentication, Lifetimes, Pkce, Rotation, TokenBody};

pub(super) const GITHUB: Row = Row {
    id: "github",
    name: "GitHub",
    authorize_url: Some("https://{host}/login/oauth/authorize"),
    token_url: Some("https://{host}/login/oauth/access_token"),
    device_url: Some("https://{host}/login/device/code"),
    profile: Some(ProfileRow {
        url: "{api}/user",
        subject: "/id",
        account: Some("/login"),
        email: Some("/email"),
        email_verified: None,
    }),
    pkce: Pkce::Supported,
    rotation: Rotation::SingleUse,
    lifetimes: Lifetimes { refresh_idle_seconds: Some(180 * DAY), ..NO_LIFETIMES },
    variables: &[
        (Borrowed("host"), Borrowed("github.com")),
        (Borrowed("api"), Borrowed("https://api.github.com")),
    ],
    quirks: &[
        Borrowed("Refusals of the token endpoint come with HTTP 200 and an `error` in the body."),
        Borrowed("Without `Accept: application/json` the token endpoint answers with a form."),
        Borrowed(
            "User tokens of a GitHub App live 8 hours (`expires_in` 28800) unless the app opts out; those of an OAuth app have no `expires_in` and no refresh token, and do not expire.",
        ),
        Borrowed("A refresh kills the old access token together with the refresh token."),
        Borrowed("A GitHub App ignores scopes: its permissions are its own settings."),
        Borrowed("The device flow has to be switched on in the app's settings."),
        Borrowed("The profile has an e-mail address only if the user made one public."),
        Borrowed(
            "On GitHub Enterprise Server set `host` to the instance and `api` to `https://<instance>/api/v3`.",
        ),
        Borrowed("Tokens are revoked by an API call of GitHub's own, not by RFC 7009."),
    ],
    sources: &[
        Borrowed("https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"),
        Borrowed(
            "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens",
        ),
        Borrowed("https://docs.github.com/en/rest/users/users#get-the-authenticated-user"),
        Borrowed(
            "https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication/",
        ),
    ],
    ..STANDARD
};

pub(super) const GITLAB: Row = Row {
    id: "gitlab",
    name: "GitLab",
    authorize_url: Some("https://{host}/oauth/authorize"),
    token_url: Some("https://{host}/oauth/token"),
    device_url: Some("https://{host}/oauth/authorize_device"),
    revoke_url: Some("https://{host}/oauth/revoke"),
    jwks_url: Some("https://{host}/oauth/discovery/keys"),
    issuer: Some("https://{host}"),
    profile: Some(ProfileRow {
        url: "https://{host}/oauth/userinfo",
        account: Some("/nickname"),
        ..USERINFO
    }),
    pkce: Pkce::Supported,
    rotation: Rotation::SingleUse,
    variables: &[(Borrowed("host"), Borrowed("gitlab.com"))],
    quirks: &[
        Borrowed("Access tokens live 2 hours (`expires_in` 7200)."),
        Borrowed("A refresh kills the old access token together with the refresh token."),
        Borrowed("The profile and id tokens need the scope `openid`."),
        Borrowed("The device flow is there since 17.2, and on by default since 17.3."),
        Borrowed(
            "The documented refresh carries the `redirect_uri` of the login; not confirmed: whether it is needed.",
        ),
        Borrowed(
            "not confirmed: whether instances below a path or with a closing slash name the same issuer.",
        ),
    ],
    sources: &[
        Borrowed("https://docs.gitlab.com/api/oauth2/"),
        Borrowed("https://docs.gitlab.com/integration/oauth_provider/"),
        Borrowed("https://docs.gitlab.com/integration/openid_connect_provider/"),
    ],
    ..STANDARD
};

pub(super) const BITBUCKET: Row = Row {
    id: "bitbucket",
    name: "Bitbucket Cloud",
    authorize_url: Some("https://bitbucket.org/site/oauth2/authorize"),
    token_url: Some("https://bitbucket.org/site/oauth2/access_token"),
    profile: Some(ProfileRow {
        url: "https://api.bitbucket.org/2.0/user",
        subject: "/account_id",
        account: Some("/display_name"),
        email: None,
        email_verified: None,
    }),
    client_authentication: ClientAuthentication::Basic,
    rotation: Rotation::SingleUse,
    lifetimes: Lifetimes { refresh_idle_seconds: Some(90 * DAY), ..NO_LIFETIMES },
    quirks: &[
        Borrowed("Access tokens live 2 hours (`expires_in` 7200)."),
        Borrowed(
            "Refresh tokens rotate, and die after 3 months without use, since 4 May 2026; before, they stayed good for ever.",
        ),
        Borrowed(
            "Answers named their scopes `scopes` until then, and `scope` since; the consumer's settings decide which those are.",
        ),
        Borrowed("The profile needs the scope `account`."),
        Borrowed("not confirmed: whether an old refresh token is refused at once."),
    ],
    sources: &[
        Borrowed("https://developer.atlassian.com/cloud/bitbucket/oauth-2/"),
        Borrowed(
            "https://community.developer.atlassian.com/t/oauth-2-0-and-api-authentication-changes-for-bitbucket-cloud/99003",
        ),
        Borrowed("https://developer.atlassian.com/cloud/bitbucket/bitbucket-api-changes-gdpr/"),
    ],
    ..STANDARD
};

pub(super) const ATLASSIAN: Row = Row {
    id: "atlassian",
    name: "Atlassian",
    authorize_url: Some("https://auth.atlassian.com/authorize"),
    token_url: Some("https://auth.atlassian.com/oauth/token"),
    profile: Some(ProfileRow {
        url: "https://api.atlassian.com/me",
        subject: "/account_id",
        account: Some("/name"),
        email: Some("/email"),
        email_verified: None,
    }),
    refresh_scopes: &[Borrowed("offline_access")],
    token_body: TokenBody::Json,
    authorize_parameters: &[
        (Borrowed("audience"), Borrowed("api.atlassian.com")),
        (Borrowed("prompt"), Borrowed("consent")),
    ],
    rotation: Rotation::Leeway { seconds: 600 },
    lifetimes: Lifetimes {
        refresh_idle_seconds: Some(90 * DAY),
        refresh_absolute_seconds: Some(365 * DAY),
        ..NO_LIFETIMES
    },
    quirks: &[
        Borrowed(
            "A used refresh token works for another 10 minutes; after that a second use revokes all of them.",
        ),
        Borrowed(
            "One consent covers every product: a refresh for Jira replaces the tokens for Confluence too, so both must share them.",
        ),
        Borrowed("The profile needs the scope `read:me` and the app's User identity API."),
        Borrowed("Which sites a token is for is another question: GET /oauth/token/accessible-resources."),
        Borrowed("There is no endpoint to revoke a token."),
        Borrowed("A dead refresh token is refused with 403 `unauthorized_client`, not `invalid_grant`."),
        Borrowed("not confirmed: the 365 days, which staff named in 2022 and newer pages leave out."),
    ],
    sources: &[
        Borrowed("https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/"),
        Borrowed(
            "https://community.developer.atlassian.com/t/updated-31-january-2022-action-required-deprecating-persistent-refresh-tokens/54172",
        ),
        Borrowed(
            "https://community.developer.atlassian.com/t/refresh-token-expire-after-36000-seconds/60806",
        ),
    ],
    ..STANDARD
};
