//! The table of providers: complete, consistent, what the providers' pages say, and safe to fill with anything.

use std::borrow::Cow;
use std::collections::BTreeSet;

use connect_core::ErrorKind;
use connect_oauth::Preset;
use connect_oauth::preset::{
    ClientAuthentication, PRESETS, Pkce, Profile, Rotation, ScopeSeparator, TokenBody,
};

const DAY: u64 = 86_400;

/// Values for the variables that have no default.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("auth0", "domain", "acme.eu.auth0.com"),
    ("facebook", "version", "v21.0"),
    ("cognito", "region", "eu-west-1"),
    ("cognito", "pool", "eu-west-1_AbC123"),
    ("oidc", "issuer", "https://login.example.com/realms/acme"),
];

fn filled(id: &str) -> Preset {
    let preset = Preset::find(id).expect("the tests name rows that are there");
    let mine = EXAMPLES.iter().filter(|(of, ..)| *of == id);
    mine.fold(preset, |preset, (_, name, value)| preset.with(*name, *value))
}

#[test]
fn every_row_is_complete_once_its_variables_are_filled() {
    for preset in PRESETS {
        filled(&preset.id).check().unwrap();
        let open = EXAMPLES.iter().any(|(id, ..)| *id == preset.id);
        assert_eq!(preset.check().is_err(), open, "{}", preset.id);
    }
}

#[test]
fn a_missing_variable_is_named_together_with_its_row() {
    for (id, name, _) in EXAMPLES.iter().filter(|(id, ..)| *id != "cognito") {
        let error = Preset::find(id).unwrap().check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(&format!("`{id}`")), "{error}");
        assert!(error.message().contains(&format!("`{name}`")), "{error}");
    }
}

#[test]
fn no_two_rows_have_the_same_id_or_name() {
    let ids: BTreeSet<_> = PRESETS.iter().map(|preset| &preset.id).collect();
    let names: BTreeSet<_> = PRESETS.iter().map(|preset| &preset.name).collect();
    assert_eq!((ids.len(), names.len()), (PRESETS.len(), PRESETS.len()));
    assert!(Preset::find("nobody").is_none());
}

#[test]
fn every_row_says_where_it_was_read_and_what_surprises() {
    for preset in PRESETS {
        assert!(!preset.sources.is_empty() && !preset.quirks.is_empty(), "{}", preset.id);
        assert!(preset.sources.iter().all(|page| page.starts_with("https://")), "{}", preset.id);
        assert!(preset.quirks.iter().all(|quirk| quirk.ends_with('.')), "{}", preset.id);
    }
}

/// Authorization, token, device, revocation, profile, issuer; `-` where the row has none.
const URLS: &[(&str, [&str; 6])] = &[
    (
        "github",
        [
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            "https://github.com/login/device/code",
            "-",
            "https://api.github.com/user",
            "-",
        ],
    ),
    (
        "gitlab",
        [
            "https://gitlab.com/oauth/authorize",
            "https://gitlab.com/oauth/token",
            "https://gitlab.com/oauth/authorize_device",
            "https://gitlab.com/oauth/revoke",
            "https://gitlab.com/oauth/userinfo",
            "https://gitlab.com",
        ],
    ),
    (
        "bitbucket",
        [
            "https://bitbucket.org/site/oauth2/authorize",
            "https://bitbucket.org/site/oauth2/access_token",
            "-",
            "-",
            "https://api.bitbucket.org/2.0/user",
            "-",
        ],
    ),
    (
        "atlassian",
        [
            "https://auth.atlassian.com/authorize",
            "https://auth.atlassian.com/oauth/token",
            "-",
            "-",
            "https://api.atlassian.com/me",
            "-",
        ],
    ),
    (
        "slack",
        ["https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access", "-", "-", "-", "-"],
    ),
    (
        "slack-user",
        ["https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access", "-", "-", "-", "-"],
    ),
    (
        "salesforce",
        [
            "https://login.salesforce.com/services/oauth2/authorize",
            "https://login.salesforce.com/services/oauth2/token",
            "-",
            "https://login.salesforce.com/services/oauth2/revoke",
            "https://login.salesforce.com/services/oauth2/userinfo",
            "https://login.salesforce.com",
        ],
    ),
    (
        "hubspot",
        [
            "https://app.hubspot.com/oauth/authorize",
            "https://api.hubapi.com/oauth/2026-03/token",
            "-",
            "https://api.hubapi.com/oauth/2026-03/token/revoke",
            "-",
            "-",
        ],
    ),
    (
        "stripe",
        [
            "https://connect.stripe.com/oauth/authorize",
            "https://connect.stripe.com/oauth/token",
            "-",
            "-",
            "https://api.stripe.com/v1/account",
            "-",
        ],
    ),
    (
        "square",
        [
            "https://connect.squareup.com/oauth2/authorize",
            "https://connect.squareup.com/oauth2/token",
            "-",
            "-",
            "https://connect.squareup.com/v2/merchants/me",
            "-",
        ],
    ),
    (
        "google",
        [
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com/device/code",
            "https://oauth2.googleapis.com/revoke",
            "https://openidconnect.googleapis.com/v1/userinfo",
            "https://accounts.google.com",
        ],
    ),
    (
        "microsoft",
        [
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
            "-",
            "https://graph.microsoft.com/oidc/userinfo",
            "https://login.microsoftonline.com/common/v2.0",
        ],
    ),
    (
        "auth0",
        [
            "https://acme.eu.auth0.com/authorize",
            "https://acme.eu.auth0.com/oauth/token",
            "https://acme.eu.auth0.com/oauth/device/code",
            "https://acme.eu.auth0.com/oauth/revoke",
            "https://acme.eu.auth0.com/userinfo",
            "https://acme.eu.auth0.com/",
        ],
    ),
    (
        "facebook",
        [
            "https://www.facebook.com/v21.0/dialog/oauth",
            "https://graph.facebook.com/v21.0/oauth/access_token",
            "-",
            "-",
            "https://graph.facebook.com/v21.0/me?fields=id,name,email",
            "-",
        ],
    ),
    ("cognito", ["-", "-", "-", "-", "-", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123"]),
    ("oidc", ["-", "-", "-", "-", "-", "https://login.example.com/realms/acme"]),
];

#[test]
fn the_urls_are_those_of_the_providers_pages() {
    assert_eq!(URLS.len(), PRESETS.len());
    for (id, expected) in URLS {
        let preset = filled(id);
        let found = [
            preset.authorize_url().ok(),
            preset.token_url().ok(),
            preset.device_url().ok(),
            preset.revoke_url().ok(),
            preset.profile_url().unwrap(),
        ];
        let found = found.map(|url| url.map_or("-".to_owned(), String::from));
        assert_eq!(found, expected[..5], "{id}");
        assert_eq!(preset.issuer().unwrap().as_deref().unwrap_or("-"), expected[5], "{id}");
    }
}

#[test]
fn what_becomes_of_tokens_is_known_for_each() {
    let leeway = Rotation::Leeway { seconds: 600 };
    // Rotation, PKCE, an access token's silent life, a refresh token's idle and absolute life in days.
    let habits = [
        ("github", Rotation::SingleUse, Pkce::Supported, None, Some(180), None),
        ("gitlab", Rotation::SingleUse, Pkce::Supported, None, None, None),
        ("bitbucket", Rotation::SingleUse, Pkce::Undocumented, None, Some(90), None),
        ("atlassian", leeway, Pkce::Undocumented, None, Some(90), Some(365)),
        ("slack", Rotation::SingleUse, Pkce::OptIn, None, None, None),
        ("slack-user", Rotation::SingleUse, Pkce::OptIn, None, None, None),
        ("salesforce", Rotation::Unknown, Pkce::Supported, None, None, None),
        ("hubspot", Rotation::None, Pkce::Undocumented, None, None, None),
        ("stripe", Rotation::Unknown, Pkce::Undocumented, None, None, None),
        ("square", Rotation::None, Pkce::OptIn, Some(30), None, None),
        ("google", Rotation::None, Pkce::Supported, None, Some(180), None),
        ("microsoft", Rotation::None, Pkce::Supported, None, Some(90), None),
        ("auth0", Rotation::Unknown, Pkce::Supported, None, None, None),
        ("facebook", Rotation::NoRefreshTokens, Pkce::Undocumented, None, None, None),
        ("cognito", Rotation::Unknown, Pkce::Supported, None, None, None),
        ("oidc", Rotation::Unknown, Pkce::Undocumented, None, None, None),
    ];
    assert_eq!(habits.len(), PRESETS.len());
    for (id, rotation, pkce, access, idle, absolute) in habits {
        let preset = filled(id);
        assert_eq!((preset.rotation, preset.pkce), (rotation, pkce), "{id}");
        let lives = preset.lifetimes;
        let found = [lives.access_seconds, lives.refresh_idle_seconds, lives.refresh_absolute_seconds];
        assert_eq!(found, [access, idle, absolute].map(|days| days.map(|days: u64| days * DAY)), "{id}");
    }
}

#[test]
fn how_requests_are_written_is_known_for_each() {
    for preset in PRESETS {
        let id = preset.id.as_ref();
        let comma = matches!(id, "slack" | "slack-user" | "facebook");
        assert_eq!(preset.scope_separator == ScopeSeparator::Comma, comma, "{id}");
        assert_eq!(preset.token_body == TokenBody::Json, matches!(id, "atlassian" | "square"), "{id}");
        let basic = matches!(id, "slack" | "slack-user" | "bitbucket");
        assert_eq!(preset.client_authentication == ClientAuthentication::Basic, basic, "{id}");
        assert_eq!(preset.scope_parameter, if id == "slack-user" { "user_scope" } else { "scope" });
        assert_eq!(preset.tokens_pointer.as_deref(), (id == "slack-user").then_some("/authed_user"));
        let parameters: Vec<_> =
            preset.authorize_parameters.iter().map(|(k, v)| (k.as_ref(), v.as_ref())).collect();
        let expected: &[_] = match id {
            "atlassian" => &[("audience", "api.atlassian.com"), ("prompt", "consent")],
            "google" => &[("access_type", "offline"), ("prompt", "consent")],
            "square" => &[("session", "false")],
            _ => &[],
        };
        assert_eq!(parameters, expected, "{id}");
    }
}

/// Where the keys are: the rows without one leave it to discovery, or sign nothing.
#[test]
fn the_keys_are_where_the_discovery_documents_say() {
    let keys = [
        ("gitlab", "https://gitlab.com/oauth/discovery/keys"),
        ("salesforce", "https://login.salesforce.com/id/keys"),
        ("google", "https://www.googleapis.com/oauth2/v3/certs"),
        ("microsoft", "https://login.microsoftonline.com/common/discovery/v2.0/keys"),
        ("auth0", "https://acme.eu.auth0.com/.well-known/jwks.json"),
    ];
    for preset in PRESETS {
        let found = filled(&preset.id).jwks_url().ok().map(String::from);
        let expected = keys.iter().find(|(id, _)| *id == preset.id).map(|(_, url)| (*url).to_owned());
        assert_eq!(found, expected, "{}", preset.id);
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_an_error_that_says_what_to_do() {
    let error = filled("oidc").token_url().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("discovery"), "{error}");
    let error = filled("atlassian").device_url().unwrap_err();
    assert!(error.message().contains("`atlassian` has no `device-url`"), "{error}");
}

#[test]
fn a_login_asks_for_what_brings_a_refresh_token() {
    let none: [&str; 0] = [];
    let cases = [
        ("atlassian", vec!["read:jira-work"], "read:jira-work offline_access"),
        ("atlassian", vec!["offline_access", "read:me", "read:me"], "offline_access read:me"),
        ("slack", vec!["chat:write", "users:read"], "chat:write,users:read"),
        ("slack", none.to_vec(), ""),
        ("google", none.to_vec(), "openid profile email"),
        ("google", vec!["https://www.googleapis.com/auth/drive"], "https://www.googleapis.com/auth/drive"),
        ("microsoft", none.to_vec(), "openid profile email offline_access"),
        ("salesforce", vec!["api"], "api refresh_token"),
        ("stripe", none.to_vec(), "read_write"),
    ];
    for (id, named, expected) in cases {
        let preset = filled(id);
        assert_eq!(preset.join_scopes(preset.login_scopes(named)), expected, "{id}");
    }
    // An app that logs in as itself joins no more than it names.
    assert_eq!(
        filled("microsoft").join_scopes(["https://graph.microsoft.com/.default"]),
        "https://graph.microsoft.com/.default"
    );
}

#[test]
fn other_instances_and_tenants_are_a_matter_of_variables() {
    let server =
        filled("github").with("host", "ghe.acme.example").with("api", "https://ghe.acme.example/api/v3");
    server.check().unwrap();
    assert_eq!(server.token_url().unwrap().as_str(), "https://ghe.acme.example/login/oauth/access_token");
    assert_eq!(server.profile_url().unwrap().unwrap().as_str(), "https://ghe.acme.example/api/v3/user");
    let tenant = filled("microsoft").with("tenant", "11111111-2222-3333-4444-555555555555");
    let issuer = tenant.issuer().unwrap().unwrap();
    assert_eq!(issuer, "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0");
    assert_eq!(Preset::find("github").unwrap(), filled("github"), "the table itself stays as it was");
}

#[test]
fn no_value_of_a_variable_leads_anywhere_else() {
    let hostile = [
        "",
        " ",
        "..",
        ".",
        "evil.example/",
        "a.example@evil.example",
        "a.example:pw@evil.example",
        "evil.example#",
        "evil.example?",
        "//evil.example",
        "a.example\\evil.example",
        "a.example evil.example",
        "a.example\n",
        "\ta.example",
        "a.example%2f",
        "\u{ff0f}evil.example",
        "{domain}",
        "http://evil.example",
        "javascript:alert(1)",
        "https://a.example@evil.example/",
    ];
    for preset in PRESETS {
        let texts = [&preset.authorize_url, &preset.token_url, &preset.device_url, &preset.issuer];
        let profile = preset.profile.as_ref().map(|profile| profile.url.clone());
        let texts: String = texts.into_iter().flatten().cloned().chain(profile).collect();
        let names: BTreeSet<&str> =
            texts.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        for name in names {
            for value in hostile {
                let error = filled(&preset.id).with(name.to_owned(), value).check().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(error.message().contains(&format!("`{name}`")), "{error}");
                assert!(value.len() < 3 || !error.message().contains(value), "{error}");
            }
        }
    }
}

#[test]
fn a_variable_that_is_not_there_is_refused() {
    let error = filled("auth0").with("domian", "acme.eu.auth0.com").check().unwrap_err();
    let expected = "the preset `auth0` has no variable `domian`: its variables are `domain`";
    assert_eq!(error.message(), expected);
    assert!(filled("slack").with("host", "slack.com").check().is_err());
}

fn mine() -> Preset {
    Preset::new("mine", "Mine")
        .with_authorize_url("https://login.example.com/authorize")
        .with_token_url("https://login.example.com/token")
}

#[test]
fn a_row_of_your_own_is_checked() {
    mine().check().unwrap();
    mine().with_token_url("http://127.0.0.1:8080/token").check().unwrap();
    mine().with_token_url("http://localhost/token").check().unwrap();
    Preset::new("mine", "Mine").with_issuer("https://login.example.com").check().unwrap();
    mine().with_authorize_url("https://login.example.com/authorize?p=policy").check().unwrap();

    let mut no_scope_parameter = mine();
    no_scope_parameter.scope_parameter = Cow::Borrowed("state");
    let mut zero_life = mine();
    zero_life.lifetimes.access_seconds = Some(0);
    let mut endless_life = mine();
    endless_life.lifetimes.refresh_idle_seconds = Some(u64::MAX);
    let mut pointer = mine();
    pointer.tokens_pointer = Some(Cow::Borrowed("authed_user"));
    let mut twice = mine();
    let audience = (Cow::Borrowed("audience"), Cow::Borrowed("a"));
    twice.authorize_parameters = vec![audience.clone(), audience].into();
    let cases = [
        ("id", Preset::new("Mine", "Mine").with_token_url("https://a.example/").check()),
        ("id", Preset::new("", "Mine").with_token_url("https://a.example/").check()),
        ("name", Preset::new("mine", " ").with_token_url("https://a.example/").check()),
        ("token-url", Preset::new("mine", "Mine").with_authorize_url("https://a.example/").check()),
        ("token-url", Preset::new("mine", "Mine").check()),
        ("token-url", mine().with_token_url("http://login.example.com/token").check()),
        ("token-url", mine().with_token_url("ftp://login.example.com/token").check()),
        ("token-url", mine().with_token_url("login.example.com/token").check()),
        ("token-url", mine().with_token_url("https://me:pw@login.example.com/token").check()),
        ("token-url", mine().with_token_url("https://login.example.com/token#x").check()),
        ("token-url", mine().with_token_url("https://login.example.com/to ken").check()),
        ("token-url", mine().with_token_url("https://{/token").check()),
        ("authorize-url", mine().with_authorize_url("https://a.example/?state=1").check()),
        ("issuer", mine().with_issuer("https://a.example/?x=1").check()),
        ("profile.url", mine().with_profile(Profile::new("http://a.example/me", "/id")).check()),
        ("profile.subject", mine().with_profile(Profile::new("https://a.example/me", "id")).check()),
        ("tokens-pointer", pointer.check()),
        ("scope-parameter", no_scope_parameter.check()),
        ("client_id", mine().with_authorize_parameter("client_id", "x").check()),
        ("redirect_uri", mine().with_authorize_parameter("redirect_uri", "https://evil.example").check()),
        ("code_challenge", mine().with_authorize_parameter("code_challenge", "x").check()),
        ("nonce", mine().with_authorize_parameter("nonce", "x").check()),
        ("scope", mine().with_authorize_parameter("scope", "x").check()),
        ("parameter", mine().with_authorize_parameter("", "x").check()),
        ("twice", twice.check()),
        ("scope", mine().with_default_scopes(["read write"]).check()),
        ("scope", mine().with_refresh_scopes([""]).check()),
        ("seconds", zero_life.check()),
        ("seconds", endless_life.check()),
        ("seconds", mine().with_rotation(Rotation::Leeway { seconds: 0 }).check()),
    ];
    for (what, result) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{what}");
        assert!(error.message().contains(what), "{what}: {error}");
        assert!(!error.message().contains("pw"), "{error}");
    }
}

#[cfg(feature = "toml")]
mod file {
    use serde_json::Value;

    use super::*;

    /// A JSON value as TOML writes it in one line. JSON's texts are TOML's basic strings.
    fn inline(value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(_, value)| !value.is_null());
                let fields: Vec<_> =
                    fields.map(|(name, value)| format!("{:?} = {}", name, inline(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
            other => other.to_string(),
        }
    }

    fn to_toml(preset: &Preset) -> String {
        let row = serde_json::to_value(preset).expect("a row has text keys only");
        let fields = row.as_object().expect("a row is a table").iter().filter(|(_, value)| !value.is_null());
        let lines: String = fields.map(|(name, value)| format!("{name} = {}\n", inline(value))).collect();
        format!("[[preset]]\n{lines}\n")
    }

    /// Tables have no order.
    fn sorted(mut preset: Preset) -> Preset {
        preset.variables.to_mut().sort();
        preset.authorize_parameters.to_mut().sort();
        preset
    }

    #[test]
    fn every_built_in_row_survives_the_way_through_a_file() {
        let text: String = PRESETS.iter().map(to_toml).collect();
        let read: Vec<_> = Preset::from_toml(&text).unwrap().into_iter().map(sorted).collect();
        let expected: Vec<_> = PRESETS.iter().cloned().map(sorted).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn a_row_says_only_what_differs_from_the_standards() {
        let text = r#"
            [[preset]]
            id = "mine"
            name = "Mine"
            authorize-url = "https://login.example.com/authorize"
            token-url = "https://login.example.com/token"
        "#;
        assert_eq!(Preset::from_toml(text).unwrap(), [mine()]);
    }

    #[test]
    fn a_row_can_start_from_a_built_in_one() {
        let text = r#"
            [[preset]]
            id = "ghe"
            extends = "github"
            name = "Our GitHub"
            rotation = "none"
            [preset.variables]
            host = "ghe.acme.example"
            [preset.profile]
            email = "/mail"
        "#;
        let preset = Preset::from_toml(text).unwrap().remove(0);
        assert_eq!((preset.id.as_ref(), preset.name.as_ref()), ("ghe", "Our GitHub"));
        assert_eq!(preset.token_url().unwrap().as_str(), "https://ghe.acme.example/login/oauth/access_token");
        assert_eq!(preset.profile_url().unwrap().unwrap().as_str(), "https://api.github.com/user");
        let profile = preset.profile.unwrap();
        assert_eq!((profile.subject.as_ref(), profile.email.as_deref()), ("/id", Some("/mail")));
        assert_eq!((preset.rotation, preset.pkce), (Rotation::None, Pkce::Supported));
    }

    #[test]
    fn a_variable_may_stay_open_in_a_file() {
        let text = "[[preset]]\nid = \"x\"\nname = \"X\"\nissuer = \"https://{tenant}.example.com\"\n";
        let preset = Preset::from_toml(text).unwrap().remove(0);
        assert!(preset.check().is_err());
        preset.with("tenant", "acme").check().unwrap();
    }

    #[test]
    fn whatever_is_wrong_with_a_file_is_told_with_line_and_row() {
        let row = |lines: &str| {
            format!(
                "# ours\n[[preset]]\nid = \"mine\"\nname = \"Mine\"\ntoken-url = \"https://a.example/t\"\n{lines}"
            )
        };
        let cases = [
            (String::new(), "", "[[preset]]"),
            ("[[preset]\n".to_owned(), "line 1:", ""),
            ("x = 1\n".to_owned(), "line 1:", "unknown field `x`"),
            ("[[presets]]\n".to_owned(), "line 1:", "unknown field `presets`"),
            (
                "\n[[preset]]\nname = \"X\"\nissuer = \"https://a.example\"\n".to_owned(),
                "line 2:",
                "number 1",
            ),
            (row("tokenurl = \"x\"\n"), "line 6:", "`mine` has a wrong `tokenurl`: unknown field `tokenurl`"),
            (row("\nrotation = \"sometimes\"\n"), "line 7:", "`mine` has a wrong `rotation`"),
            (row("rotation = { leeway = { seconds = -1 } }\n"), "line 6:", "`rotation`"),
            (row("rotation = { leeway = { seconds = 0 } }\n"), "line 2:", "`mine` has a time of 0 seconds"),
            (row("default-scopes = \"read\"\n"), "line 6:", "`default-scopes`"),
            (row("default-scopes = [1]\n"), "line 6:", "`default-scopes`"),
            (row("device-url = 2026-11-21\n"), "line 6:", "`device-url`"),
            (row("[preset.profile]\nurl = \"https://a.example/me\"\n"), "line 6:", "`subject`"),
            (row("[preset.lifetimes]\naccess = 1\n"), "line 6:", "unknown field `access`"),
            (row("variables = { a = 1 }\n"), "line 6:", "`variables`"),
            (row("variables = { a = \"1\" }\n"), "line 2:", "`mine` has no variables"),
            (row("revoke-url = \"http://a.example/r\"\n"), "line 2:", "`revoke-url`"),
            (row("authorize-parameters = { state = \"1\" }\n"), "line 2:", "`state`"),
            (row("extends = \"nobody\"\n"), "line 6:", "`mine` has an `extends`"),
            (row("extends = 1\n"), "line 6:", "`extends`"),
            (row("id = \"other\"\n"), "line 6:", "duplicate key"),
            (row(&row("")[7..]), "line 6:", "`mine` is there already"),
        ];
        for (text, line, what) in cases {
            let error = Preset::from_toml(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(line), "{text}\n{error}");
            assert!(error.message().contains(what), "{text}\n{error}");
        }
    }
}
