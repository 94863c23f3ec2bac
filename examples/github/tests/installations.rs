//! An App's overview, against the fake GitHub, which checks what the App signs.
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_examples_github::installations::{as_json, overview, table};
use connect_github::ErrorKind;
use connect_github::app::{App, AppRefusal};
use connect_testkit::FakeGitHub;
use connect_testkit::github::FakeApp;

const KEY: &str = include_str!("../../../connect-github/tests/keys/rsa-2048-pkcs1.test-only.pem");
const PUBLIC: &str = include_str!("../../../connect-github/tests/keys/public.test-only.pem");

async fn fake() -> FakeGitHub {
    FakeGitHub::builder().app(FakeApp::new("Iv1.fake", 4242, PUBLIC)).start().await.unwrap()
}

fn app(fake: &FakeGitHub, id: &str) -> App {
    App::builder(id).private_key(KEY).base_url(fake.url()).build().unwrap()
}

#[tokio::test]
async fn each_installation_shows_its_repositories_and_what_is_left() {
    let fake = fake().await;
    let octo = fake.install_app("octo", ["hello", "world"]);
    let acme = fake.install_app("acme-industries", ["roof"]);
    fake.suspend_app(acme);
    let rows = overview(&app(&fake, "Iv1.fake")).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].id, rows[0].suspended), (i64::try_from(octo).unwrap(), false));
    assert_eq!(rows[0].repositories, ["octo/hello", "octo/world"]);
    let (remaining, limit) = rows[0].left.unwrap();
    assert!(remaining < limit && limit == 5_000, "{remaining} of {limit}");
    assert!(rows[1].suspended && rows[1].repositories.is_empty());

    let table = table(&rows);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].contains("octo") && lines[1].contains("/5000  2"), "{table}");
    assert!(lines[2].ends_with("  octo/hello") && lines[4].contains("suspended"), "{table}");
    let json = as_json(&rows);
    assert_eq!(
        (&json[0]["repositories"][1], &json[1]["limit"]),
        (&"octo/world".into(), &serde_json::Value::Null)
    );
    assert!(!json.to_string().contains("ghs_"));
}

#[tokio::test]
async fn an_app_that_is_installed_nowhere_is_told_in_words() {
    let rows = overview(&app(&fake().await, "Iv1.fake")).await.unwrap();
    assert_eq!(table(&rows), "the App is installed nowhere");
}

#[tokio::test]
async fn an_app_that_github_does_not_know_is_refused_by_name() {
    let fake = fake().await;
    let error = overview(&app(&fake, "Iv1.another")).await.unwrap_err();
    assert_eq!((error.kind(), error.details()), (ErrorKind::Auth, Some(&AppRefusal::UnknownApp)), "{error}");
    assert!(error.to_string().contains("Iv1.another"), "{error}");
    assert!(!format!("{error:#} {error:?}").contains("PRIVATE KEY"));
}
