//! Who an access token belongs to, where there is no id token: the provider's profile call.

use connect_core::{Error, ErrorKind, Identity, Secret, Url};
use serde_json::{Map, Value};

use super::id_token::truth;
use crate::http::Http;
use crate::preset::Profile;

/// Asks the provider, and reads the answer by the preset's row.
pub(crate) async fn profile(
    http: &Http,
    preset_id: &str,
    url: &Url,
    profile: &Profile,
    access: &Secret,
) -> Result<Identity, Error> {
    let answer = http.get(format!("{preset_id}/profile"), url, Some(access)).await?;
    read(preset_id, answer, profile)
}

fn read(preset_id: &str, answer: Map<String, Value>, profile: &Profile) -> Result<Identity, Error> {
    let answer = Value::Object(answer);
    let at = |pointer: &Option<_>| {
        pointer.as_ref().and_then(|pointer: &crate::preset::Text| answer.pointer(pointer))
    };
    let text =
        |pointer| at(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let subject = answer.pointer(&profile.subject).and_then(subject).ok_or_else(|| {
        let pointer = &profile.subject;
        let message = format!(
            "the profile has no account id at {pointer}: compare the preset with the provider's page"
        );
        Error::new(ErrorKind::Decode, message)
    })?;
    Ok(Identity::new(preset_id, subject)
        .with_account(text(&profile.account))
        .with_email(text(&profile.email))
        .with_email_verified(at(&profile.email_verified).and_then(truth)))
}

/// A stable id as text. GitHub's are numbers; a number with a fraction would be no id.
fn subject(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::Config;
    use connect_core::simulation::{Answer, Scripted};
    use serde_json::json;
    use std::sync::Arc;

    fn row() -> Profile {
        Profile {
            url: "https://api.example/user".into(),
            subject: "/id".into(),
            account: Some("/login".into()),
            email: Some("/mail/address".into()),
            email_verified: Some("/mail/verified".into()),
        }
    }

    fn identity(answer: Value) -> Result<Identity, Error> {
        read("example", answer.as_object().unwrap().clone(), &row())
    }

    #[test]
    fn a_profile_becomes_an_identity() {
        let answer = json!({"id": 583_231, "login": "ada", "mail": {"address": "ada@acme.example", "verified": "true"}});
        let expected = Identity::new("example", "583231")
            .with_account(Some("ada"))
            .with_email(Some("ada@acme.example"))
            .with_email_verified(Some(true));
        assert_eq!(identity(answer).unwrap(), expected);
        assert_eq!(
            identity(json!({"id": "a", "login": 7, "mail": null})).unwrap(),
            Identity::new("example", "a")
        );
    }

    #[test]
    fn without_a_stable_id_there_is_no_identity() {
        for id in [json!(null), json!(""), json!(1.5), json!(true), json!({}), json!(["canary"])] {
            let error = identity(json!({"id": id, "login": "canary"})).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains("/id") && !format!("{error:#} {error:?}").contains("canary"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_profile_is_asked_for_with_the_access_token() {
        let transport =
            Scripted::new([Answer::json(200, r#"{"id": 1}"#), Answer::json(401, r#"{"message": "no"}"#)]);
        let http = Http::new(Config::default(), Some(Arc::new(transport.clone())), None);
        let (url, access) = (Url::parse("https://api.example/user?v=2").unwrap(), Secret::new("canary-1"));
        let found = profile(&http, "example", &url, &row(), &access).await.unwrap();
        assert_eq!(found.subject, "1");
        let seen = &transport.requests()[0];
        assert_eq!(seen.headers["authorization"], "Bearer canary-1");
        assert_eq!((seen.url.as_str(), seen.operation.as_str()), (url.as_str(), "example/profile"));
        let error = profile(&http, "example", &url, &row(), &access).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!format!("{error:#} {error:?}").contains("canary"));
    }
}
