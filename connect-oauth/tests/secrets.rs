//! Nothing secret in any log, error or `Debug`, with everything logged that can be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use connect_core::auth::store::MemoryTokenStore;
use connect_oauth::{Callback, Connections, Login};
use connect_testkit::FakeAuthorization;
use connect_testkit::authorization::{Rotation, Shape};
use serde_json::json;
use support::{Clock, app, expired, keys};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_token_code_verifier_state_or_secret_is_printed() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut shown = String::new();
    let mut secrets = Vec::new();

    for shape in [Shape::Standard, Shape::GitHub, Shape::Slack, Shape::Atlassian] {
        let fake = FakeAuthorization::builder()
            .client_secret("canary-client-secret")
            .rotation(Rotation::ReuseDetected)
            .shape(shape)
            .require_pkce()
            .start()
            .await
            .unwrap();
        for row in [json!({}), json!({"client-authentication": "basic"}), json!({"token-body": "json"})] {
            let clock = Clock::new();
            let oauth = app(&fake, row).clock(clock.read()).build().unwrap();
            let logins = oauth.logins();
            let connections = Connections::builder(Arc::new(MemoryTokenStore::default()), keys())
                .app(oauth.clone())
                .clock(clock.read())
                .open()
                .await
                .unwrap();
            let begun = logins
                .begin(Login::new("acme", "crm").scopes(["read"]).session("canary-session"))
                .await
                .unwrap();
            let back = fake.authorize(begun.url.as_str()).unwrap();
            let query = connect_core::Url::parse(&back).unwrap();
            secrets.extend(
                query.query_pairs().filter(|(name, _)| name != "iss").map(|(_, value)| value.into_owned()),
            );
            let callback = Callback::url(back.as_str()).session("canary-session");
            shown += &format!("{oauth:?} {logins:?} {begun:?} {callback:?}");
            let finished = logins.finish(callback).await.unwrap();
            let again = logins.finish(Callback::url(back).session("canary-session")).await.unwrap_err();
            connections.connect_login(&finished).await.unwrap();
            shown += &format!("{finished:?} {again:#} {again:?} {connections:?}");

            let (access, refresh) = fake.issue(fake.client_id(), &[]);
            connections.connect(&finished.id, expired(&access, &refresh)).await.unwrap();
            let token = connections.tokens(&finished.id).unwrap().get().await.unwrap();
            shown += &format!("{token:?} {:?}", connections.stored(&finished.id).await.unwrap());

            let (access, refresh) = fake.issue(fake.client_id(), &[]);
            connections.connect(&finished.id, expired(&access, &refresh)).await.unwrap();
            fake.faults().on("token/refresh_token").drop_after_send();
            let error = connections.tokens(&finished.id).unwrap().get().await.unwrap_err();
            shown += &format!("{error:#} {error:?} {:?}", error.details::<connect_oauth::Problem>());
        }
        for issued in fake.issued() {
            secrets.push(issued.access_token.clone());
            secrets.extend(issued.refresh_token.clone());
        }
    }
    secrets.extend(["canary-client-secret", "canary-session"].map(str::to_owned));
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("fake/refresh_token"), "the log is there");
    let everything = shown + &logged;
    assert!(secrets.len() > 60, "{}", secrets.len());
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret} is printed");
    }
}
