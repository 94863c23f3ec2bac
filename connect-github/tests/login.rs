//! People who log in at GitHub: refusals that come with HTTP 200, and tokens that are refreshed once.
#![cfg(all(feature = "login", feature = "issues"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use connect_core::auth::store::MemoryTokenStore;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{HeaderMap, Request, Response, Secret, StatusCode, Transport, TransportFuture};
use connect_github::login::{
    self, Callback, ConnectionId, Connections, ErrorCode, Login, OAuth, Problem, Tokens,
};
use connect_github::{ErrorKind, GitHub, issues};
use connect_oauth::seal::KeyRing;
use connect_testkit::FakeAuthorization;
use connect_testkit::authorization::{Rotation, Shape};
use tokio::time::Instant;

fn scripted(host: &str, answers: impl IntoIterator<Item = Answer>) -> (OAuth, Scripted) {
    let transport = Scripted::new(answers);
    let oauth = login::oauth(host)
        .unwrap()
        .client_id("Iv1.fake")
        .client_secret("canary-secret")
        .redirect_uri("https://app.example/callback")
        .transport(transport.clone())
        .build()
        .unwrap();
    (oauth, transport)
}

/// What GitHub says no with: HTTP 200.
fn refused(error: &str) -> Answer {
    let page = "https://docs.github.example/errors";
    let body =
        serde_json::json!({"error": error, "error_description": "In GitHub's words.", "error_uri": page});
    Answer::json(200, body.to_string())
}

fn begun() -> Answer {
    let body = r#"{"device_code": "canary-device", "user_code": "ABCD-1234", "interval": 5, "expires_in": 900,
        "verification_uri": "https://git.example.com/login/device"}"#;
    Answer::json(200, body)
}

#[test]
fn a_login_is_at_the_web_pages_of_each_kind_of_github() {
    for host in ["github.com", "octo.ghe.com", "git.example.com", "git.example.com:8443"] {
        let (preset, web) = (login::preset(host).unwrap(), format!("https://{host}/login"));
        assert_eq!(preset.authorize_url().unwrap().as_str(), format!("{web}/oauth/authorize"));
        assert_eq!(preset.token_url().unwrap().as_str(), format!("{web}/oauth/access_token"));
        assert_eq!(preset.device_url().unwrap().as_str(), format!("{web}/device/code"));
        let github = GitHub::builder().host(host).build().unwrap();
        assert_eq!(github.web_url(), format!("https://{host}"));
        let profile = preset.profile_url().unwrap().unwrap();
        assert!(github.origins().contains(&profile), "{host}: the client's API is the login's");
    }
    assert_eq!(login::oauth("https://github.com/canary").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(login::oauth("github.com").unwrap().build().unwrap_err().kind(), ErrorKind::Config);
}

// Defect 11: the person clicks "cancel", and the error is about JSON.
#[tokio::test(start_paused = true)]
async fn a_device_login_that_is_cancelled_says_so() {
    let answers = [begun(), refused("authorization_pending"), refused("access_denied")];
    let (oauth, _) = scripted("git.example.com", answers);
    let device = oauth.device_login(&["repo"]).await.unwrap();
    let began = Instant::now();
    let error = device.wait().await.unwrap_err();
    assert_eq!(error.details::<Problem>().unwrap().code, ErrorCode::AccessDenied);
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::Forbidden, Duration::from_secs(10)));
    assert!(!format!("{error:#} {error:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_a_device_login_is_told_apart() {
    let cases = [
        ("expired_token", ErrorCode::ExpiredToken),
        ("token_expired", ErrorCode::ExpiredToken),
        ("incorrect_device_code", ErrorCode::InvalidGrant),
        ("incorrect_client_credentials", ErrorCode::InvalidClient),
        ("device_flow_disabled", ErrorCode::DeviceFlowDisabled),
        ("unsupported_grant_type", ErrorCode::UnsupportedGrantType),
        ("a_word_of_tomorrow", ErrorCode::Other),
    ];
    for (word, code) in cases {
        let (oauth, _) = scripted("github.com", [begun(), refused(word)]);
        let error = oauth.device_login(&[]).await.unwrap().wait().await.unwrap_err();
        let problem = error.details::<Problem>().unwrap();
        assert_eq!((problem.code, problem.error.as_str()), (code, word));
    }
}

// Defect 12: a bad code, and the error is about a missing field.
#[tokio::test(start_paused = true)]
async fn a_web_login_with_a_bad_code_says_so() {
    let (oauth, transport) = scripted("octo.ghe.com", [refused("bad_verification_code")]);
    let logins = oauth.logins();
    let begun = logins.begin(Login::new("acme", "github").session("cookie")).await.unwrap();
    let parameter = |name: &str| {
        let found = begun.url.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    assert_eq!(begun.url.host_str(), Some("octo.ghe.com"));
    assert_eq!(parameter("code_challenge_method"), "S256");
    assert!(parameter("code_challenge").len() >= 43);

    let back = format!("https://app.example/callback?code=canary-code&state={}", parameter("state"));
    let error = logins.finish(Callback::url(&back).session("cookie")).await.unwrap_err();
    assert_eq!(error.details::<Problem>().unwrap().code, ErrorCode::InvalidGrant);
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error:#} {error:?}").contains("canary"));
    let seen = &transport.requests()[0];
    assert_eq!(seen.url, "https://octo.ghe.com/login/oauth/access_token");
    assert_eq!(seen.headers["accept"], "application/json");
    let sent = String::from_utf8(seen.body.to_vec()).unwrap();
    assert!(sent.contains("code_verifier=") && sent.contains("code=canary-code"), "{sent}");
}

/// A GitHub that takes a token only if it is stored already, and remembers which it took.
#[derive(Clone)]
struct AfterStoring {
    connections: Connections,
    id: ConnectionId,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Transport for AfterStoring {
    fn send(&self, request: Request) -> TransportFuture {
        let this = self.clone();
        Box::pin(async move {
            let (_, value) = request.credential().unwrap();
            let shown = value.to_str().unwrap().to_owned();
            let stored = this.connections.stored(&this.id).await?;
            let is_stored = shown == format!("Bearer {}", stored.access.expose());
            this.taken.lock().unwrap().push(shown);
            let status = if is_stored { StatusCode::OK } else { StatusCode::FORBIDDEN };
            Ok(Response::new(status, HeaderMap::new(), "[]"))
        })
    }
}

#[tokio::test]
async fn a_user_token_that_has_expired_is_refreshed_once_and_stored_before_it_is_used() {
    let fake = FakeAuthorization::builder()
        .shape(Shape::GitHub)
        .rotation(Rotation::ReuseDetected)
        .start()
        .await
        .unwrap();
    let preset = login::preset("github.com").unwrap().with_token_url(fake.token_url());
    let oauth = OAuth::builder(preset)
        .client_id(fake.client_id())
        .client_secret(fake.client_secret().unwrap())
        .build()
        .unwrap();
    let keys = Arc::new(KeyRing::new("test", &std::array::from_fn(|index| 7 * index as u8 + 3)).unwrap());
    let connections =
        Connections::builder(Arc::new(MemoryTokenStore::default()), keys).app(oauth).open().await.unwrap();
    let id = ConnectionId::new("github", "acme", "mona");
    let (access, refresh) = fake.issue(fake.client_id(), &[]);
    let long_ago = SystemTime::UNIX_EPOCH;
    let tokens = Tokens::new(Secret::new(access.clone()), long_ago)
        .with_refresh(Secret::new(refresh))
        .with_expires_at(long_ago + Duration::from_secs(8 * 3600));
    connections.connect(&id, tokens).await.unwrap();

    let server = AfterStoring { connections: connections.clone(), id: id.clone(), taken: Arc::default() };
    let github =
        GitHub::builder().tokens(connections.tokens(&id).unwrap()).transport(server.clone()).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let github = github.clone();
            tokio::spawn(async move { github.send(issues::ListForRepo::new("octo", "hello")).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((fake.refreshes(), fake.reuses()), (1, 0));
    let taken = server.taken.lock().unwrap();
    assert_eq!(taken.len(), 20);
    assert!(taken.iter().all(|shown| *shown == taken[0] && *shown != format!("Bearer {access}")));
}
