//! GitHub Apps: the App's own token, those of its installations, and what goes wrong with both. Against the fake GitHub,
//! which checks signatures by itself, or in paused time against scripted answers.
#![cfg(all(feature = "app", feature = "issues"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connect_core::simulation::{Answer, Scripted};
use connect_github::app::{Algorithm, App, AppBuilder, AppRefusal, Installation, Signer};
use connect_github::{Config, Connector, Context, Error, ErrorKind, GitHub, issues};
use connect_testkit::FakeGitHub;
use connect_testkit::github::FakeApp;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

const KEY: &str = include_str!("keys/rsa-2048-pkcs1.test-only.pem");
const PKCS8: &str = include_str!("keys/rsa-2048.test-only.pem");
const PUBLIC: &str = include_str!("keys/public.test-only.pem");
const OPENSSH: &str = include_str!("keys/openssh.test-only.pem");
const CERTIFICATE: &str = include_str!("keys/certificate.test-only.pem");
const EC: &str = include_str!("keys/ec-p256.test-only.pem");
const ENCRYPTED: &str = include_str!("keys/encrypted.test-only.pem");

const ID: &str = "Iv1.fake";
const MINT: &str = "apps/create-installation-access-token";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Where our clock stands when a test in paused time begins: 2027-01-15T08:00:00Z.
const START: u64 = 1_800_000_000;

async fn fake() -> FakeGitHub {
    with_clock_skew(0).await
}

async fn with_clock_skew(seconds: i64) -> FakeGitHub {
    let app = FakeApp::new(ID, 4242, PUBLIC).slug("octo-app").permission("issues", "write");
    FakeGitHub::builder().path_prefix("/api/v3").clock_skew(seconds).app(app).start().await.unwrap()
}

fn builder(fake: &FakeGitHub) -> AppBuilder {
    App::builder(ID).private_key(KEY).base_url(fake.url()).config(Config::default().with_seed(7))
}

fn app(fake: &FakeGitHub) -> App {
    builder(fake).build().unwrap()
}

/// Signs nothing in earnest, and counts.
#[derive(Clone, Default)]
struct Stamp {
    signed: Arc<Mutex<Vec<String>>>,
    unreachable: Arc<AtomicU32>,
}

impl Stamp {
    fn claims(&self) -> Vec<Value> {
        let claims = |input: &String| {
            let part = input.split('.').nth(1).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        self.signed.lock().unwrap().iter().map(claims).collect()
    }
}

#[async_trait::async_trait]
impl Signer for Stamp {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    async fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let left = self.unreachable.load(Ordering::SeqCst);
        if left > 0 {
            self.unreachable.store(left - 1, Ordering::SeqCst);
            return Err(Error::new(ErrorKind::Unavailable, "the key service does not answer"));
        }
        self.signed.lock().unwrap().push(String::from_utf8(input.to_vec()).unwrap());
        Ok(b"canary-signature".repeat(16))
    }
}

/// An App in paused time, whose clock goes with tokio's.
fn scripted(answers: impl IntoIterator<Item = Answer>) -> (App, Scripted, Stamp) {
    let (transport, stamp, begun) = (Scripted::new(answers), Stamp::default(), Instant::now());
    let app = App::builder(ID)
        .signer(stamp.clone())
        .clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(START) + begun.elapsed())
        .config(Config::default().with_seed(7))
        .transport(transport.clone())
        .build()
        .unwrap();
    (app, transport, stamp)
}

/// A token that ends at this minute after eight, 2027-01-15.
fn minted(number: u32, ends: &str) -> Answer {
    let body =
        json!({"token": format!("ghs_canary-{number}"), "expires_at": format!("2027-01-15T{ends}:00Z")});
    Answer::json(201, body.to_string())
}

fn no_issues() -> Answer {
    Answer::json(200, "[]")
}

async fn list(client: &GitHub) -> Result<Vec<connect_github::model::Issue>, Error> {
    client.send(issues::ListForRepo::new("octo", "hello")).await
}

fn credentials(transport: &Scripted, operation: &str) -> Vec<String> {
    let seen = transport.requests();
    let of_operation = seen.iter().filter(|seen| seen.operation == operation);
    of_operation.map(|seen| seen.credential().unwrap_or("-").to_owned()).collect()
}

// Defect 5 of the well-known client: twenty calls, twenty tokens.
#[tokio::test]
async fn twenty_calls_at_once_on_a_fresh_installation_client_mint_one_token() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello", "world"]);
    let app = app(&fake);
    let in_order = app
        .installation(id)
        .repositories(["hello", "world"])
        .permission("issues", "read")
        .permission("metadata", "read");
    let other_order = app
        .clone()
        .installation(id)
        .permission("metadata", "read")
        .repositories(["world"])
        .repositories(["hello", "world"])
        .permission("issues", "read");
    let clients: Vec<GitHub> = (0..20)
        .map(|number| if number % 2 == 0 { in_order.client() } else { other_order.client() })
        .collect::<Result<_, _>>()
        .unwrap();
    let calls: Vec<_> =
        clients.into_iter().map(|client| tokio::spawn(async move { list(&client.clone()).await })).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((fake.count(MINT), fake.count("issues/list-for-repo")), (1, 20));
    let minted =
        fake.requests().into_iter().find(|request| request.operation.as_deref() == Some(MINT)).unwrap();
    let asked: Value = serde_json::from_slice(&minted.body).unwrap();
    let expected =
        json!({"repositories": ["hello", "world"], "permissions": {"issues": "read", "metadata": "read"}});
    assert_eq!(asked, expected);
    assert!(fake.requests().iter().all(|request| request.problems.is_empty()));
}

#[tokio::test]
async fn what_is_for_something_else_is_another_token() {
    let fake = fake().await;
    let (one, two) = (fake.install_app("octo", ["hello", "world"]), fake.install_app("mona", ["hello"]));
    let app = app(&fake);
    let purposes: Vec<Installation> = vec![
        app.installation(one),
        app.installation(two),
        app.installation(one).repositories(["hello"]),
        app.installation(one).permission("issues", "read"),
        app.installation(one).permission("issues", "write"),
    ];
    for purpose in &purposes {
        list(&purpose.client().unwrap()).await.unwrap();
        list(&purpose.client().unwrap()).await.unwrap();
    }
    assert_eq!(fake.count(MINT), purposes.len());
}

#[tokio::test]
async fn clients_of_one_installation_share_its_limits() {
    let known = FakeApp::new(ID, 4242, PUBLIC);
    let fake = FakeGitHub::builder().rate_limit(4321).app(known).start().await.unwrap();
    let (one, two) = (fake.install_app("octo", ["hello"]), fake.install_app("mona", ["hello"]));
    let app = app(&fake);
    let narrow = app.installation(one).repositories(["hello"]).client().unwrap();
    list(&app.installation(one).client().unwrap()).await.unwrap();
    let has_heard = |client: &GitHub| {
        Connector::quota(client, &Context::default()).iter().any(|bucket| bucket.limit == Some(4321))
    };
    assert!(has_heard(&narrow));
    assert!(!has_heard(&app.installation(two).client().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn the_apps_token_says_what_github_wants_and_no_more() {
    let (app, transport, stamp) = scripted([Answer::json(200, r#"{"id": 1}"#)]);
    let _ = app.installation_of_org("octo").await.unwrap();
    assert_eq!(stamp.claims(), [json!({"iss": ID, "iat": START - 60, "exp": START + 540})]);
    let signed = stamp.signed.lock().unwrap()[0].clone();
    let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg": "RS256", "typ": "JWT"}));
    let signature = URL_SAFE_NO_PAD.encode(b"canary-signature".repeat(16));
    assert_eq!(transport.requests()[0].credential(), Some(format!("Bearer {signed}.{signature}").as_str()));
}

#[tokio::test(start_paused = true)]
async fn the_apps_token_is_used_until_a_minute_before_its_end() {
    let (app, _, stamp) = scripted(std::iter::repeat_n(Answer::json(200, r#"{"id": 1}"#), 30));
    for _ in 0..15 {
        let _ = app.installation_of_org("octo").await.unwrap();
        advance(30 * SECOND).await; // seven and a half minutes in all
    }
    assert_eq!(stamp.claims().len(), 1);
    advance(MINUTE).await;
    let _ = app.installation_of_org("octo").await.unwrap();
    tokio::task::yield_now().await;
    let _ = app.installation_of_org("octo").await.unwrap();
    assert_eq!(stamp.claims().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_service_that_is_out_of_reach_for_a_moment_fails_no_call() {
    let (app, _, stamp) = scripted([Answer::json(200, r#"{"id": 1}"#)]);
    stamp.unreachable.store(1, Ordering::SeqCst);
    let policy = connect_core::RetryPolicy::default().with_base(5 * SECOND).with_attempts(10);
    let question = connect_core::Raw::<_, Value>::get("/app").unwrap();
    app.client().send(question).retry(policy).await.unwrap();

    let (app, transport, stamp) = scripted([]);
    stamp.unreachable.store(1_000, Ordering::SeqCst);
    let error = app.installation_of_org("octo").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("App Iv1.fake cannot sign: the key service does not answer"), "{error}");
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_an_hour_costs_one_request() {
    for skew in [-3600, 3600, -130, 700] {
        let fake = with_clock_skew(skew).await;
        let id = fake.install_app("octo", ["hello"]);
        let app = app(&fake);
        assert_eq!(app.installation_of_repo("octo", "hello").await.unwrap().id(), id, "{skew}");
        assert_eq!(fake.count("apps/get-repo-installation"), 2, "{skew}");
        list(&app.installation(id).client().unwrap()).await.unwrap();
        assert_eq!(fake.count(MINT), 1, "{skew}: what was learned is shared");
        // GitHub says when its token ends by its own clock: an hour all the same.
        let remaining = app.installation(id).token(Duration::ZERO).await.unwrap().remaining().unwrap();
        assert!(remaining > 59 * MINUTE && remaining <= 60 * MINUTE, "{skew}: {remaining:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_github_does_not_know_yet_is_sent_again_and_not_replaced() {
    let answers = [minted(1, "09:00"), Answer::status(401), Answer::status(401), no_issues(), no_issues()];
    let (app, transport, _) = scripted(answers);
    let begun = Instant::now();
    list(&app.installation(7).client().unwrap()).await.unwrap();
    assert_eq!(begun.elapsed(), 2 * SECOND);
    assert_eq!(credentials(&transport, "issues/list-for-repo"), ["Bearer ghs_canary-1"; 3]);
    assert_eq!(credentials(&transport, MINT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_is_replaced_at_once() {
    let answers = [minted(1, "09:00"), no_issues(), Answer::status(401), minted(2, "09:00"), no_issues()];
    let (app, transport, _) = scripted(answers);
    let client = app.installation(7).client().unwrap();
    list(&client).await.unwrap();
    advance(10 * SECOND).await;
    let begun = Instant::now();
    list(&client).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let expected = ["Bearer ghs_canary-1", "Bearer ghs_canary-1", "Bearer ghs_canary-2"];
    assert_eq!(credentials(&transport, "issues/list-for-repo"), expected);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_its_end_and_nobody_waits() {
    let answers = [minted(1, "09:00"), no_issues(), no_issues(), minted(2, "09:55"), no_issues()];
    let (app, transport, _) = scripted(answers);
    let client = app.installation(7).client().unwrap();
    list(&client).await.unwrap();
    advance(55 * MINUTE).await;
    let begun = Instant::now();
    list(&client).await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    list(&client).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let expected = ["Bearer ghs_canary-1", "Bearer ghs_canary-1", "Bearer ghs_canary-2"];
    assert_eq!(credentials(&transport, "issues/list-for-repo"), expected);
}

#[tokio::test(start_paused = true)]
async fn a_token_for_git_lives_as_long_as_it_is_needed() {
    let (app, _, _) = scripted([minted(1, "09:00"), minted(2, "09:40")]);
    let installation = app.installation(7);
    assert_eq!(installation.token(50 * MINUTE).await.unwrap().value().expose(), "ghs_canary-1");
    advance(40 * MINUTE).await;
    assert_eq!(installation.token(10 * MINUTE).await.unwrap().value().expose(), "ghs_canary-1");
    let long = installation.token(50 * MINUTE).await.unwrap();
    assert_eq!((long.value().expose(), long.remaining()), ("ghs_canary-2", Some(60 * MINUTE)));
    let error = installation.token(90 * MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("ask for less"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_fails_is_asked_again_and_no_write_is_lost() {
    let created = json!({"id": 1, "number": 1, "title": "T"});
    let answers = [Answer::status(502), minted(1, "09:00"), Answer::json(201, created.to_string())];
    let (app, transport, _) = scripted(answers);
    let client = app.installation(7).client().unwrap();
    client.send(issues::Create::new("octo", "hello", "T")).await.unwrap();
    assert_eq!(credentials(&transport, "issues/create").len(), 1);
}

/// A token's fetch ends after half a minute; whoever needs the token waits on, and loses no write by it.
#[tokio::test(start_paused = true)]
async fn a_limit_on_making_tokens_is_waited_for_or_told_as_what_it_is() {
    for (told, is_short) in [("10", true), ("45", true), ("3000", false)] {
        let limited = Answer::json(403, r#"{"message": "You have exceeded a secondary rate limit"}"#)
            .header("retry-after", told);
        let created = Answer::json(201, json!({"id": 1, "number": 1, "title": "T"}).to_string());
        let (app, transport, _) = scripted([limited, minted(1, "09:00"), created]);
        let client = app.installation(7).client().unwrap();
        let begun = Instant::now();
        let result = client.send(issues::Create::new("octo", "hello", "T")).await;
        if is_short {
            assert!(result.is_ok(), "{told}: {result:?}");
            assert_eq!(transport.requests().len(), 3);
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::RateLimited, connect_github::Sent::No),
            "{error}"
        );
        assert!(begun.elapsed() < SECOND && error.to_string().contains("try again in"), "{error}");
        assert_eq!(transport.requests().len(), 1);
    }
}

/// The refusals that last until somebody changes something.
#[tokio::test]
async fn a_refusal_names_the_app_says_what_to_do_and_is_not_taken_for_the_calls_own() {
    let fake = fake().await;
    let gone = fake.install_app("gone", ["hello"]);
    fake.uninstall_app(gone);
    let suspended = fake.install_app("suspended", ["hello"]);
    fake.suspend_app(suspended);
    let alive = fake.install_app("octo", ["hello"]);
    let wrong_key = builder(&fake).signer(Stamp::default()).build().unwrap();
    let unknown = App::builder("Iv1.unknown").private_key(KEY).base_url(fake.url()).build().unwrap();
    let app = app(&fake);
    let cases = [
        (app.installation(gone), AppRefusal::NoInstallation, "uninstalled"),
        (app.installation(4711), AppRefusal::NoInstallation, "look it up anew"),
        (app.installation(suspended), AppRefusal::Suspended, "resume"),
        (app.installation(alive).permission("contents", "write"), AppRefusal::NotGranted, "ask for less"),
        (app.installation(alive).repositories(["secret"]), AppRefusal::NotGranted, "not accessible"),
        (wrong_key.installation(alive), AppRefusal::KeyNotAccepted, "make a new one"),
        (unknown.installation(alive), AppRefusal::UnknownApp, "client ID"),
    ];
    for (installation, refusal, advice) in cases {
        let error = list(&installation.client().unwrap()).await.unwrap_err();
        assert_eq!(error.details(), Some(&refusal), "{error:#}");
        assert!(matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden), "{error}");
        assert_eq!(error.status(), None, "a deleted installation must not look like a deleted issue");
        let text = format!("{error:#} {error:?}");
        assert!(text.contains("App Iv1.") && text.contains(advice), "{text}");
        for canary in ["eyJ", "canary", "BEGIN", &KEY[100..140]] {
            assert!(!text.contains(canary), "{text}");
        }
    }
    assert_eq!(fake.count("issues/list-for-repo"), 0);
}

#[tokio::test]
async fn a_client_of_an_app_that_github_does_not_know_is_unhealthy_and_says_what_to_do() {
    let fake = fake().await;
    let unknown = App::builder("Iv1.unknown").private_key(KEY).base_url(fake.url()).build().unwrap();
    let health = unknown.client().health(&Context::default()).await;
    assert!(!matches!(health, connect_core::Health::Up { .. }), "{health:?}");
    let raw = connect_core::Raw::<_, Value>::get("/app").unwrap();
    let error = unknown.client().send(raw).await.unwrap_err();
    assert!(error.to_string().contains("take the client ID"), "{error}");
}

#[tokio::test]
async fn an_installation_is_found_by_repository_organization_and_user() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello"]);
    let app = app(&fake);
    assert_eq!(app.installation_of_repo("octo", "hello").await.unwrap().id(), id);
    assert_eq!(app.installation_of_org("octo").await.unwrap().id(), id);
    assert_eq!(app.installation_of_user("octo").await.unwrap().id(), id);
    let error = app.installation_of_repo("octo", "secret").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains("App Iv1.fake has no installation on octo/secret: install it"),
        "{error}"
    );
    assert_eq!(app.installation_of_repo("octo", "../user").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(fake.requests().iter().all(|request| !request.path.contains("/../")));
}

// Defect 4: no credential on the absolute address of the next page, where the server is an Enterprise Server.
#[tokio::test]
async fn every_page_on_an_enterprise_server_carries_the_installations_token() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello"]);
    for number in 0..5 {
        fake.add_issue("octo", "hello", &format!("Issue {number}"));
    }
    let client = app(&fake).installation(id).client().unwrap();
    let all: Vec<_> =
        client.stream(issues::ListForRepo::new("octo", "hello").per_page(2)).try_collect().await.unwrap();
    assert_eq!(all.len(), 5);
    let pages: Vec<_> = fake
        .requests()
        .into_iter()
        .filter(|request| request.operation.as_deref() == Some("issues/list-for-repo"))
        .collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.authorized && page.path.starts_with("/api/v3/")));
}

// Defect 10: building outside of a runtime panics.
#[test]
fn nothing_needs_a_runtime_until_it_is_sent() {
    let app = App::new(ID, KEY).unwrap();
    let client = app.installation(7).repositories(["hello"]).client().unwrap();
    assert!(app.client().web_url() == "https://github.com" && client.web_url() == "https://github.com");
}

// Defect 17: two features for two backends of cryptography, which no build may have at once. Here a key signs with
// whatever features are on: this file is built with all of them.
#[tokio::test]
async fn a_key_is_read_however_it_was_pasted() {
    let fake = fake().await;
    let body = |pem: &str| pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>();
    let pasted = [
        KEY.to_owned(),
        PKCS8.to_owned(),
        KEY.replace('\n', "\\n"),
        format!("\"{}\"", PKCS8.replace('\n', "\\n")),
        KEY.replace('\n', "\r\n"),
        KEY.replace('\n', " "),
        STANDARD.encode(KEY),
        STANDARD.encode(PKCS8),
        body(KEY),
    ];
    for (index, key) in pasted.into_iter().enumerate() {
        let app = App::builder(4242).private_key(key).base_url(fake.url()).build().unwrap();
        let identity = app.client().validate_credentials(&Context::default()).await;
        assert!(identity.is_ok(), "{index}: {identity:?}");
    }
}

#[test]
fn what_is_no_key_of_an_app_is_named_with_what_to_do() {
    let cases = [
        (OPENSSH, "an OpenSSH key: convert"),
        (PUBLIC, "a public key: the private key that belongs to it is needed"),
        (CERTIFICATE, "a certificate: the private key"),
        (EC, "an EC key, and an RSA key is needed"),
        (ENCRYPTED, "encrypted: decrypt it"),
        ("", "empty"),
        ("/run/secrets/canary.pem", "neither PEM nor base64"),
    ];
    for (key, what) in cases {
        let error = App::new(ID, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = format!("{error:#} {error:?}");
        assert!(text.contains("App Iv1.fake") && text.contains(what), "{text}");
        assert!(text.contains("settings page") && !text.contains("canary"), "{text}");
    }
}

#[test]
fn an_empty_token_is_found_when_the_client_is_built() {
    for token in ["", " \n"] {
        let error = GitHub::builder().token(token).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("empty: set it"), "{error}");
    }
}

#[test]
fn settings_that_cannot_work_are_found_when_the_app_is_built() {
    struct Es256;
    #[async_trait::async_trait]
    impl Signer for Es256 {
        fn algorithm(&self) -> Algorithm {
            Algorithm::Es256
        }

        fn key_id(&self) -> Option<&str> {
            None
        }

        async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
            Ok(vec![0; 64])
        }
    }
    let errors = [
        (App::new(" ", KEY), "id is empty"),
        (App::builder(ID).build(), "no private key"),
        (App::builder(ID).signer(Es256).build(), "RS256 only"),
        (App::builder(ID).private_key(KEY).host("https://git.example.com").build(), "git.example.com"),
        (App::builder(ID).private_key(KEY).base_url("http://git.example.com").build(), "https"),
        (App::builder(ID).private_key(KEY).api_version("v3").build(), "api_version"),
    ];
    for (result, word) in errors {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(word), "{word}: {error}");
    }
    let app = App::new(ID, KEY).unwrap();
    let many = (0..501).map(|number| format!("r{number}"));
    let mistakes = [
        (app.installation(7).repositories([""; 0]), "all of them"),
        (app.installation(7).repository_ids([]), "all of them"),
        (app.installation(7).repositories(["octo/hello"]), "without their owner"),
        (app.installation(7).repositories(many), "500"),
        (app.installation(7).permission("issues", ""), "`write`"),
    ];
    for (installation, word) in mistakes {
        let error = installation.client().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.message().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn an_app_is_read_from_variables() {
    let fake = fake().await;
    let file = format!("{}/tests/keys/rsa-2048-pkcs1.test-only.pem", env!("CARGO_MANIFEST_DIR"));
    let ways: [&[(&str, &str)]; 3] = [
        &[("GITHUB_APP_CLIENT_ID", ID), ("GITHUB_APP_PRIVATE_KEY", KEY)],
        &[("GITHUB_APP_ID", "4242"), ("GITHUB_APP_PRIVATE_KEY", KEY)],
        &[("GITHUB_APP_ID", "4242"), ("GITHUB_APP_PRIVATE_KEY_PATH", &file)],
    ];
    for variables in ways {
        let lookup = |name: &str| {
            let url = ("GITHUB_API_URL", fake.url());
            variables
                .iter()
                .chain([&url])
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let app = App::from_vars(lookup).unwrap();
        app.client().validate_credentials(&Context::default()).await.unwrap();
    }
    let mistakes: [(&[(&str, &str)], &str); 5] = [
        (&[], "GITHUB_APP_ID is not set"),
        (&[("GITHUB_APP_ID", "1")], "GITHUB_APP_PRIVATE_KEY is not set"),
        (
            &[("GITHUB_APP_ID", "1"), ("GITHUB_APP_PRIVATE_KEY", PUBLIC)],
            "App 1, GITHUB_APP_PRIVATE_KEY: the signing key is a public key",
        ),
        (
            &[("GITHUB_APP_ID", "1"), ("GITHUB_APP_PRIVATE_KEY_PATH", "/no/canary")],
            "GITHUB_APP_PRIVATE_KEY_PATH names no file",
        ),
        (
            &[
                ("GITHUB_APP_ID", "1"),
                ("GITHUB_APP_PRIVATE_KEY", KEY),
                ("GITHUB_API_URL", "http://canary.example"),
            ],
            "GITHUB_API_URL",
        ),
    ];
    for (variables, word) in mistakes {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let error = App::from_vars(lookup).unwrap_err();
        assert!(error.message().contains(word) && !error.message().contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn an_identity_says_whether_it_is_the_app_an_installation_or_a_user() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello"]);
    let app = app(&fake);
    let cx = Context::default();
    let as_app = app.client().validate_credentials(&cx).await.unwrap();
    assert_eq!((as_app.subject.as_str(), as_app.account.as_deref()), ("app/4242", Some("octo-app[bot]")));

    let client = app.installation(id).client().unwrap();
    let installed = client.validate_credentials(&cx).await.unwrap();
    assert_eq!(installed.subject, format!("installation/{id}"));
    assert_eq!(installed.account.as_deref(), Some("octo-app[bot]"));

    // The same token from elsewhere, as in Actions: it does not say whose it is.
    let token = app.installation(id).token(Duration::ZERO).await.unwrap();
    let bare = GitHub::builder().token(token.value().clone()).base_url(fake.url()).build().unwrap();
    let somebody = bare.validate_credentials(&cx).await.unwrap();
    assert!(somebody.subject.starts_with("installation-on/"), "{somebody:?}");
    assert_eq!(somebody.account.as_deref(), Some("an installation on octo"));

    let person = GitHub::builder().token(fake.token()).base_url(fake.url()).build().unwrap();
    assert_eq!(person.validate_credentials(&cx).await.unwrap().account.as_deref(), Some(fake.login()));
    fake.uninstall_app(id);
    let error = app.installation(id).client().unwrap().validate_credentials(&cx).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn each_client_has_what_the_host_wants_of_all() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello"]);
    let app = builder(&fake).clients(|client| client.api_version("2026-03-10")).build().unwrap();
    list(&app.installation(id).client().unwrap()).await.unwrap();
    let versions: Vec<_> =
        fake.requests().iter().map(|it| it.headers["x-github-api-version"].clone()).collect();
    assert_eq!(versions, ["2026-03-10"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_client_id_asks_for_the_app_id_and_not_for_a_new_key() {
    let words = r#"{"message": "'Issuer' claim ('iss') must be an Integer"}"#;
    let (app, _, _) = scripted((0..4).map(|_| Answer::json(401, words)));
    let error = list(&app.installation(7).client().unwrap()).await.unwrap_err();
    assert_eq!(error.details(), Some(&AppRefusal::UnknownApp), "{error:#}");
    assert!(error.message().contains("the app id"), "{error}");
}

/// The host's part of building a client may itself need a client of the same App.
#[test]
fn the_hosts_change_of_a_client_may_ask_the_app_for_another() {
    let slot: Arc<std::sync::OnceLock<App>> = Arc::default();
    let (own, depth) = (Arc::clone(&slot), AtomicU32::new(0));
    let change = move |client: connect_github::GitHubBuilder| {
        if let Some(app) = own.get().filter(|_| depth.fetch_add(1, Ordering::SeqCst) == 0) {
            app.installation(8).client().unwrap();
        }
        client
    };
    let app = slot.get_or_init(|| App::builder(ID).private_key(KEY).clients(change).build().unwrap());
    assert!(app.installation(7).client().is_ok());
}

#[tokio::test]
async fn health_asks_each_what_it_may_ask() {
    let fake = fake().await;
    let id = fake.install_app("octo", ["hello"]);
    let app = app(&fake);
    let cx = Context::default();
    assert!(matches!(app.client().health(&cx).await, connect_core::Health::Up { .. }));
    assert_eq!((fake.count("apps/get-authenticated"), fake.count("rate-limit/get")), (1, 0));
    let client = app.installation(id).client().unwrap();
    assert!(matches!(client.health(&cx).await, connect_core::Health::Up { .. }));
    assert_eq!(fake.count("rate-limit/get"), 1);
}

#[tokio::test]
async fn an_address_that_is_no_github_is_not_taken_for_an_installation_that_is_gone() {
    let answers = [Answer::json(404, "<html>"), Answer::json(404, "<html>")];
    let app = App::builder(ID).signer(Stamp::default()).transport(Scripted::new(answers)).build().unwrap();
    let error = list(&app.installation(7).client().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.details::<AppRefusal>()), (ErrorKind::Auth, None));
    assert!(error.message().contains("App Iv1.fake got no token for installation 7"), "{error}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn neither_logs_nor_debug_show_a_token_a_signature_or_a_key() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let refused = Answer::json(401, r#"{"message": "Bad credentials"}"#);
    let answers = [minted(1, "09:00"), no_issues(), refused.clone(), minted(2, "09:00"), refused.clone()];
    let (app, transport, _) = scripted(answers);
    let installation = app.installation(7).repositories(["hello"]);
    let client = installation.client().unwrap();
    list(&client).await.unwrap();
    advance(10 * SECOND).await;
    let error = list(&client).await.unwrap_err();
    let token = installation.tokens().unwrap();
    let key = App::builder(ID).private_key(KEY);
    let debug = format!(
        "{app:?} {installation:?} {client:?} {token:?} {:?} {key:?} {:?} {error:#} {error:?}",
        token.current(),
        app.client()
    );
    drop(guard);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let everything = format!("{logged} {debug} {transport:?}");
    for canary in ["canary", "eyJ", &URL_SAFE_NO_PAD.encode("canary-signature")[..12], &KEY[100..140]] {
        assert!(!everything.contains(canary), "{canary}: {everything}");
    }
    assert!(credentials(&transport, MINT)[0].contains("eyJ"), "it was sent, though");
}
