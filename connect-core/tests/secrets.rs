//! Canaries: a credential must not show in any text that this crate makes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::io::Write;
use std::sync::{Arc, Mutex};

use connect_core::simulation::{Answer, Scripted};
use connect_core::{Client, Credentials, ErrorKind, Raw};
use tracing_subscriber::fmt::MakeWriter;
use weather::{Ask, TOKEN, Weather, builder, client};

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

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_run_with_trace_logging_shows_no_credential_query_or_body() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let transport = Scripted::new([
        Answer::status(503),
        Answer::json(200, r#"{"private": "canary-body"}"#),
        Answer::json(422, "no canary here"),
        Answer::dropped_connection(),
    ]);
    let client = client(&transport);
    let raw = Raw::<Weather, serde_json::Value>::get("/today?q=canary-query").unwrap();
    let debug = format!("{client:?} {:?} {raw:?} {:?}", builder(&transport), client.send(Ask::read()));
    client.send(raw).await.unwrap();
    let refused = client.send(Ask::write()).await.unwrap_err();
    let dropped = client.send(Ask::write()).await.unwrap_err();
    drop(guard);

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("sending again") && logged.contains("call failed"), "{logged}");
    let everything =
        format!("{logged} {debug} {refused:#} {refused:?} {dropped:#} {dropped:?} {transport:?}");
    for canary in [TOKEN, "canary-query", "canary-body"] {
        assert!(!everything.contains(canary), "{everything}");
    }
    assert!(transport.requests()[0].credential().unwrap().contains(TOKEN), "it was sent, though");
}

#[tokio::test(start_paused = true)]
async fn unusable_settings_are_typed_errors_at_build() {
    let fails = |builder: connect_core::ClientBuilder<Weather>| {
        let error = builder.build().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        error.to_string()
    };
    let fresh = || Client::<Weather>::builder().transport(Scripted::default());
    fails(fresh().base_url("not a url"));
    fails(fresh().base_url("http://api.weather.example"));
    fails(fresh().credentials(Credentials::bearer("")));
    fails(fresh().credentials(Credentials::bearer("a\nb")));
    fails(fresh().config(connect_core::Config::default().with_user_agent("a\r\nb")));
    fails(fresh().config(connect_core::Config::default().with_deadline(std::time::Duration::ZERO)));
}

#[test]
fn a_client_is_built_without_a_runtime() {
    Client::<Weather>::builder().base_url("http://127.0.0.1:9").build().unwrap();
}
