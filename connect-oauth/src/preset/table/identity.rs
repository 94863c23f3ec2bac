//! Who somebody is.

use std::borrow::Cow::Borrowed;

use super::row::{DAY, NO_LIFETIMES, ProfileRow, Row, STANDARD, USERINFO};
use crate::preset::{Lifetimes, Pkce, Rotation, ScopeSeparator, Text};

const LOGIN_SCOPES: &[Text] = &[Borrowed("openid"), Borrowed("profile"), Borrowed("email")];

pub(super) const GOOGLE: Row = Row {
    id: "google",
    name: "Google",
    authorize_url: Some("https://accounts.google.com/o/oauth2/v2/auth"),
    token_url: Some("https://oauth2.googleapis.com/token"),
    device_url: Some("https://oauth2.googleapis.com/device/code"),
    revoke_url: Some("https://oauth2.googleapis.com/revoke"),
    jwks_url: Some("https://www.googleapis.com/oauth2/v3/certs"),
    issuer: Some("https://accounts.google.com"),
    profile: Some(ProfileRow { url: "https://openidconnect.googleapis.com/v1/userinfo", ..USERINFO }),
    default_scopes: LOGIN_SCOPES,
    authorize_parameters: &[
        (Borrowed("access_type"), Borrowed("offline")),
        (Borrowed("prompt"), Borrowed("consent")),
    ],
    pkce: Pkce::Supported,
    rotation: Rotation::None,
    lifetimes: Lifetimes { refresh_idle_seconds: Some(180 * DAY), ..NO_LIFETIMES },
    quirks: &[
        Borrowed(
            "A refresh token comes with `access_type=offline`, and only with the first consent: hence `prompt=consent`.",
        ),
        Borrowed("A refresh brings no new refresh token."),
        Borrowed(
            "A refresh token dies after 6 months without use; while the app is in testing, after 7 days.",
        ),
        Borrowed(
            "There is a limit of refresh tokens for each account and client: the oldest dies without a word.",
        ),
        Borrowed(
            "The device flow takes few scopes, needs a client of its own kind, and answers `verification_url` for `verification_uri`.",
        ),
        Borrowed("Old implementations may get `accounts.google.com` as issuer, without https."),
    ],
    sources: &[
        Borrowed("https://developers.google.com/identity/protocols/oauth2"),
        Borrowed("https://developers.google.com/identity/protocols/oauth2/web-server"),
        Borrowed("https://developers.google.com/identity/protocols/oauth2/limited-input-device"),
        Borrowed("https://developers.google.com/identity/openid-connect/reference"),
        Borrowed("https://accounts.google.com/.well-known/openid-configuration"),
    ],
    ..STANDARD
};

pub(super) const MICROSOFT: Row = Row {
    id: "microsoft",
    name: "Microsoft Entra ID",
    authorize_url: Some("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize"),
    token_url: Some("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
    device_url: Some("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode"),
    jwks_url: Some("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"),
    issuer: Some("https://login.microsoftonline.com/{tenant}/v2.0"),
    profile: Some(ProfileRow {
        url: "https://graph.microsoft.com/oidc/userinfo",
        email_verified: None,
        ..USERINFO
    }),
    default_scopes: LOGIN_SCOPES,
    refresh_scopes: &[Borrowed("offline_access")],
    pkce: Pkce::Supported,
    rotation: Rotation::None,
    lifetimes: Lifetimes { refresh_idle_seconds: Some(90 * DAY), ..NO_LIFETIMES },
    variables: &[(Borrowed("tenant"), Borrowed("common"))],
    quirks: &[
        Borrowed(
            "Tokens name the user's own tenant as issuer, by its id: under `common`, `organizations` or a domain name the issuer of this row is none that a token has. Fill `tenant` with the id to have id tokens verified.",
        ),
        Borrowed("Under `common` the discovery document has the literal text `{tenantid}` in its issuer."),
        Borrowed("A refresh brings a new refresh token, and the old one stays good: delete it."),
        Borrowed("Refresh tokens live 90 days, those of single page apps 24 hours."),
        Borrowed(
            "The address in `email` was not checked, and a tenant can set it: never take it for an identity.",
        ),
        Borrowed("The profile needs a token for Microsoft Graph: not one whose scopes are another API's."),
        Borrowed("There is no endpoint to revoke a token."),
    ],
    sources: &[
        Borrowed("https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow"),
        Borrowed("https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code"),
        Borrowed("https://learn.microsoft.com/entra/identity-platform/refresh-tokens"),
        Borrowed("https://learn.microsoft.com/entra/identity-platform/userinfo"),
        Borrowed("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"),
    ],
    ..STANDARD
};

pub(super) const AUTH0: Row = Row {
    id: "auth0",
    name: "Auth0",
    authorize_url: Some("https://{domain}/authorize"),
    token_url: Some("https://{domain}/oauth/token"),
    device_url: Some("https://{domain}/oauth/device/code"),
    revoke_url: Some("https://{domain}/oauth/revoke"),
    jwks_url: Some("https://{domain}/.well-known/jwks.json"),
    issuer: Some("https://{domain}/"),
    profile: Some(ProfileRow { url: "https://{domain}/userinfo", ..USERINFO }),
    default_scopes: LOGIN_SCOPES,
    refresh_scopes: &[Borrowed("offline_access")],
    pkce: Pkce::Supported,
    quirks: &[
        Borrowed("The issuer ends in a slash."),
        Borrowed(
            "Rotation, its leeway and the lives of refresh tokens are settings of each application: set the row's if you know them.",
        ),
        Borrowed("An API needs `audience` among the parameters of the authorization request."),
        Borrowed("The revocation endpoint takes refresh tokens only."),
    ],
    sources: &[
        Borrowed("https://auth0.com/docs/api/authentication"),
        Borrowed("https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation"),
        Borrowed("https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-expiration"),
        Borrowed("https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens"),
    ],
    ..STANDARD
};

pub(super) const FACEBOOK: Row = Row {
    id: "facebook",
    name: "Facebook",
    authorize_url: Some("https://www.facebook.com/{version}/dialog/oauth"),
    token_url: Some("https://graph.facebook.com/{version}/oauth/access_token"),
    profile: Some(ProfileRow {
        url: "https://graph.facebook.com/{version}/me?fields=id,name,email",
        subject: "/id",
        account: Some("/name"),
        email: Some("/email"),
        email_verified: None,
    }),
    scope_separator: ScopeSeparator::Comma,
    default_scopes: &[Borrowed("public_profile"), Borrowed("email")],
    rotation: Rotation::NoRefreshTokens,
    quirks: &[
        Borrowed("`version` is that of the Graph API (v21.0); versions end, so there is no default."),
        Borrowed(
            "There are no refresh tokens: a token of an hour or two is exchanged for one of about 60 days with the grant `fb_exchange_token`, while it lives; after that a person has to log in again.",
        ),
        Borrowed("An account's id is another one for each app."),
        Borrowed("The profile has no e-mail address if the person declined to share it, or has none."),
        Borrowed("Its device flow is not RFC 8628."),
        Borrowed(
            "not confirmed: the token endpoint is documented with GET; POST with a form is what RFC 6749 wants.",
        ),
        Borrowed("not confirmed: PKCE is documented for the OpenID Connect flow, which is in testing."),
    ],
    sources: &[
        Borrowed("https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"),
        Borrowed("https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived"),
        Borrowed("https://developers.facebook.com/documentation/facebook-login/guides/advanced/oidc-token"),
    ],
    ..STANDARD
};

pub(super) const COGNITO: Row = Row {
    id: "cognito",
    name: "Amazon Cognito",
    issuer: Some("https://cognito-idp.{region}.amazonaws.com/{pool}"),
    default_scopes: &[Borrowed("openid")],
    pkce: Pkce::Supported,
    quirks: &[
        Borrowed(
            "Everything else is in the discovery document; the pool needs a domain for it to have endpoints.",
        ),
        Borrowed(
            "Refresh tokens live 30 days from the login by default (60 minutes to 10 years), and rotate only if the app client says so, with up to 60 seconds of leeway.",
        ),
        Borrowed(
            "Pools with the newer kind of issuer have it at https://issuer-cognito-idp.<region>.amazonaws.com/<pool>: set the row's issuer.",
        ),
    ],
    sources: &[
        Borrowed("https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html"),
        Borrowed(
            "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html",
        ),
        Borrowed(
            "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RefreshTokenRotationType.html",
        ),
        Borrowed(
            "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_IssuerConfigurationType.html",
        ),
    ],
    ..STANDARD
};

pub(super) const OIDC: Row = Row {
    id: "oidc",
    name: "OpenID Connect",
    issuer: Some("{issuer}"),
    default_scopes: &[Borrowed("openid")],
    quirks: &[
        Borrowed("Write the issuer to the letter, closing slash included: id tokens must name exactly it."),
        Borrowed(
            "For refresh tokens most providers want the scope `offline_access`: set the row's refresh scopes.",
        ),
    ],
    sources: &[
        Borrowed("https://openid.net/specs/openid-connect-core-1_0.html"),
        Borrowed("https://openid.net/specs/openid-connect-discovery-1_0.html"),
    ],
    ..STANDARD
};
