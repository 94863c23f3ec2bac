//! Nothing that can be printed about sending shows a secret, a signature, a path, a query string or a body.
//!
//! Alone in its file: another test that logs at the same time decides for both whether an event is wanted.

#![cfg(feature = "send")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_webhook::send::{
    Answer, Destination, Failure, Guard, HttpTransport, Message, Outgoing, Resolve, Sender, Transport,
};
use connect_webhook::{SecretString, UnixTime, async_trait};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const NOW: UnixTime = UnixTime(1_750_000_000);
const KEY: &[u8] = b"a canary key of thirty-two bytes";
const OLD_KEY: &[u8] = b"an old canary key, 24 by";

fn secret(key: &[u8]) -> SecretString {
    format!("whsec_{}", STANDARD.encode(key)).into()
}

fn destination(url: &str) -> Destination {
    Destination::new(url, &secret(KEY)).unwrap()
}

/// Answers 200, then 500, and remembers what was sent.
#[derive(Default)]
struct Script {
    sent: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl Transport for Script {
    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
        let mut sent = self.sent.lock().unwrap();
        sent.push(outgoing);
        Ok(Answer::new(if sent.len() == 1 { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }))
    }
}

fn local() -> Guard {
    Guard::new().allow_http().allow_network("127.0.0.0/8").unwrap()
}

/// Knows one answer for every name.
struct Everywhere(Vec<IpAddr>);

#[async_trait]
impl Resolve for Everywhere {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}

fn loopback() -> Everywhere {
    Everywhere(vec![Ipv4Addr::LOCALHOST.into()])
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_path_query_or_body_is_shown() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let echo = "HTTP/1.1 500 Oops\r\nx-echo: canary-echo\r\nconnection: close\r\n\r\ncanary-echo";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"yx") {
            assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0, "the sender hung up");
        }
        stream.write_all(echo.as_bytes()).await.unwrap();
    });
    let body = format!("canary-body {}x", "y".repeat(30_000));
    let message = Message::new("msg_1", "text/plain", body).unwrap();
    let script = Arc::new(Script::default());
    let transport = HttpTransport::with_resolver(local(), Everywhere(Vec::new())).unwrap();
    let refusing = HttpTransport::with_resolver(Guard::new().allow_http(), loopback()).unwrap();
    let mut shown = String::new();
    for (transport, host) in [
        (Arc::clone(&script) as Arc<dyn Transport>, "customer.example".to_owned()),
        (script.clone(), "customer.example".to_owned()),
        (Arc::new(transport.clone()), format!("127.0.0.1:{port}")),
        (Arc::new(transport), "nowhere.example".to_owned()),
        (Arc::new(refusing.clone()), "inside.example".to_owned()),
        (Arc::new(refusing), "127.0.0.1".to_owned()),
    ] {
        let here = destination(&format!("http://{host}/canary-path?key=canary-query"))
            .with_old_secret(&secret(OLD_KEY), NOW)
            .unwrap();
        let sender = Sender::new(transport);
        let attempt = sender.attempt(&here, &message, 1, NOW).await;
        shown += &format!("{here:?} {sender:?} {attempt:?} {attempt:#?} {message:?}");
        shown += &attempt.failure.map(|failure| format!("{failure} {failure:?}")).unwrap_or_default();
    }
    for error in [
        Destination::new("https://canary-user:canary-password@x.example", &secret(KEY)).unwrap_err(),
        Destination::new("canary-url", &secret(KEY)).unwrap_err(),
        Destination::new("https://x.example", &"canary-secret".into()).unwrap_err(),
        Destination::new("https://x.example", &secret(b"canary-short")).unwrap_err(),
    ] {
        shown += &format!("{error} {error:?}");
    }
    server.await.unwrap();
    let mut hidden = vec!["canary".to_owned()];
    hidden.extend([KEY, OLD_KEY].map(|key| STANDARD.encode(key)));
    for outgoing in script.sent.lock().unwrap().iter() {
        shown += &format!("{outgoing:?} {:?}", outgoing.headers);
        let signatures = outgoing.headers["webhook-signature"].to_str().unwrap();
        hidden.extend(signatures.split(' ').map(str::to_owned));
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("webhook not delivered") && logged.contains("above 20 KB"), "{logged}");
    for text in hidden {
        assert!(!shown.contains(&text), "{text} in {shown}");
        assert!(!logged.contains(&text), "{text} in {logged}");
    }
}
