//! Webhooks of our own: what is sent, to whom, and what is done with the answer.

#![cfg(feature = "send")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_webhook::send::{
    Answer, Cause, Destination, DisableReason, Failure, Guard, HttpTransport, Message, Outgoing, Policy,
    Refusal, Resolve, Schedule, Sender, Transport, Verdict,
};
use connect_webhook::{Clock, FixedClock, Sleep, Timer, UnixTime, async_trait};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

const NOW: UnixTime = UnixTime(1_750_000_000);
const KEY: &[u8] = b"a canary key of thirty-two bytes";
const OLD_KEY: &[u8] = b"an old canary key, 24 by";

fn secret(key: &[u8]) -> connect_webhook::SecretString {
    format!("whsec_{}", STANDARD.encode(key)).into()
}

fn message() -> Message {
    Message::json("msg_1", &serde_json::json!({"type": "invoice.paid", "amount": 7})).unwrap()
}

fn destination(url: &str) -> Destination {
    Destination::new(url, &secret(KEY)).unwrap()
}

/// Computed without the crate.
fn expected_signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(&[format!("{id}.{timestamp}.").as_bytes(), body].concat());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

// ---- in memory

/// Answers from a list, then 200; remembers what was sent.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<Result<Answer, Failure>>>,
    sent: Mutex<Vec<Outgoing>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Answer, Failure>>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self { answers: Mutex::new(answers), sent: Mutex::default() })
    }

    fn statuses(statuses: impl IntoIterator<Item = u16>) -> Arc<Self> {
        Self::new(statuses.into_iter().map(|status| Ok(Answer::new(StatusCode::from_u16(status).unwrap()))))
    }
}

#[async_trait]
impl Transport for Script {
    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
        self.sent.lock().unwrap().push(outgoing);
        self.answers.lock().unwrap().pop().unwrap_or_else(|| Ok(Answer::new(StatusCode::OK)))
    }
}

/// Waits by moving the clock; never for the time-out, which is longer than nothing here.
struct Leaps {
    clock: Arc<FixedClock>,
    timeout: Duration,
}

impl Timer for Leaps {
    fn sleep(&self, duration: Duration) -> Sleep {
        if duration == self.timeout {
            return Box::pin(std::future::pending());
        }
        let clock = Arc::clone(&self.clock);
        Box::pin(async move { clock.advance(duration) })
    }
}

fn leaping(transport: Arc<Script>) -> (Sender, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(NOW));
    let timeout = Duration::from_millis(123);
    let timer = Leaps { clock: Arc::clone(&clock), timeout };
    let policy = Policy::default().with_schedule(Schedule::default().with_jitter_percent(0));
    let sender = Sender::new(transport)
        .with_policy(policy)
        .with_timeout(timeout)
        .with_clock(Arc::clone(&clock))
        .with_timer(timer);
    (sender, clock)
}

#[tokio::test(start_paused = true)]
async fn every_attempt_sends_the_same_id_and_bytes_under_a_new_timestamp() {
    let script = Script::statuses([500, 302, 429]);
    let (sender, clock) = leaping(Arc::clone(&script));
    let last = sender.deliver(&destination("https://customer.example/hooks"), &message()).await;

    assert_eq!((last.number, last.verdict, last.failing_since), (4, Verdict::Delivered, None));
    assert_eq!(clock.now(), UnixTime(NOW.0 + 5 + 300 + 1800));
    let sent = script.sent.lock().unwrap();
    let timestamps: Vec<_> =
        sent.iter().map(|outgoing| outgoing.headers["webhook-timestamp"].to_str().unwrap()).collect();
    assert_eq!(timestamps, ["1750000000", "1750000005", "1750000305", "1750002105"]);
    for (outgoing, timestamp) in sent.iter().zip(timestamps) {
        assert_eq!(outgoing.url.as_str(), "https://customer.example/hooks");
        assert_eq!(outgoing.headers["webhook-id"], "msg_1");
        assert_eq!(outgoing.headers["content-type"], "application/json");
        assert_eq!(outgoing.body, message().body());
        let signature = expected_signature(KEY, "msg_1", timestamp, message().body());
        assert_eq!(outgoing.headers["webhook-signature"], signature);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_nobody_takes_is_given_up_after_the_schedule() {
    let script = Script::statuses([500; 20]);
    let (sender, clock) = leaping(Arc::clone(&script));
    let last = sender.deliver(&destination("https://customer.example"), &message()).await;
    assert_eq!(last.verdict, Verdict::GiveUp { why: Cause::Status(500) });
    assert_eq!((last.number, script.sent.lock().unwrap().len()), (10, 10));
    assert_eq!(clock.now(), UnixTime(NOW.0 + 5 + 300 + 1800 + (2 + 5 + 10 + 14 + 20 + 24) * 3600));
    assert_eq!(last.failing_since, Some(NOW));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_gone_or_failed_for_days_gets_one_attempt() {
    let (sender, _) = leaping(Script::statuses([410]));
    let last = sender.deliver(&destination("https://customer.example"), &message()).await;
    assert_eq!((last.number, last.verdict), (1, Verdict::Disable { why: DisableReason::Gone }));

    let (sender, _) = leaping(Script::statuses([500]));
    let since = UnixTime(NOW.0 - 120 * 3600);
    let failing = destination("https://customer.example").with_failing_since(Some(since));
    let last = sender.deliver(&failing, &message()).await;
    assert_eq!(last.verdict, Verdict::Disable { why: DisableReason::FailingSince(since) });
    assert_eq!(last.failing_since, Some(since));
}

#[tokio::test]
async fn both_secrets_sign_while_they_overlap_the_new_one_first() {
    let script = Script::statuses([]);
    let sender = Sender::new(Arc::clone(&script));
    let rotating = destination("https://customer.example").with_old_secret(&secret(OLD_KEY), NOW).unwrap();
    sender.attempt(&rotating, &message(), 1, NOW).await;
    sender.attempt(&rotating, &message(), 2, UnixTime(NOW.0 + 1)).await;

    let sent = script.sent.lock().unwrap();
    let sign = |key, timestamp| expected_signature(key, "msg_1", timestamp, message().body());
    let both = format!("{} {}", sign(KEY, "1750000000"), sign(OLD_KEY, "1750000000"));
    assert_eq!(sent[0].headers["webhook-signature"], both);
    assert_eq!(sent[1].headers["webhook-signature"], sign(KEY, "1750000001"));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_times_out_and_the_wait_begins_then() {
    struct Hangs;
    #[async_trait]
    impl Transport for Hangs {
        async fn post(&self, _outgoing: Outgoing) -> Result<Answer, Failure> {
            std::future::pending().await
        }
    }
    let policy = Policy::default().with_schedule(Schedule::default().with_jitter_percent(0));
    let sender = Sender::new(Hangs).with_policy(policy);
    let attempt = sender.attempt(&destination("https://customer.example"), &message(), 1, NOW).await;
    assert_eq!(attempt.failure, Some(Failure::TimedOut { after: Duration::from_secs(20) }));
    assert_eq!(attempt.elapsed.as_secs(), 20);
    // tokio's timer rounds up to a millisecond, the verdict to a second.
    let Verdict::RetryAt { at, why: Cause::TimedOut } = attempt.verdict else { panic!("{attempt:?}") };
    assert!((25..=26).contains(&(at.0 - NOW.0)), "{at}");
}

#[tokio::test]
async fn messages_of_one_outage_come_back_at_different_times_and_each_at_its_own() {
    let sender = Sender::new(Script::statuses([500; 300]));
    let here = destination("https://customer.example");
    let mut times = std::collections::BTreeSet::new();
    for number in 0..100 {
        let message = Message::json(&format!("msg_{number}"), &()).unwrap();
        let first = sender.attempt(&here, &message, 3, NOW).await.verdict;
        let again = sender.attempt(&here, &message, 3, NOW).await.verdict;
        let Verdict::RetryAt { at, .. } = first else { panic!("{first:?}") };
        let Verdict::RetryAt { at: repeated, .. } = again else { panic!("{again:?}") };
        // The wait begins after the attempt, which takes no time worth a second here.
        assert!((at.0 - repeated.0).abs() <= 1);
        assert!((1800..=2162).contains(&(at.0 - NOW.0)), "{at}");
        times.insert(at);
    }
    assert!(times.len() > 50, "{}", times.len());
}

// ---- over a socket

/// What a server read: the head and the body.
struct Received {
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

async fn receive(stream: &mut tokio::net::TcpStream) -> Received {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the sender hung up");
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0, "the sender hung up");
    }
    Received { line, headers, body }
}

/// Serves each connection one answer; counts connections.
async fn serve(answer: impl Into<Vec<u8>>) -> (u16, Arc<AtomicUsize>, Arc<Mutex<Vec<Received>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let received = Arc::new(Mutex::new(Vec::new()));
    let (count, log, answer) = (Arc::clone(&connections), Arc::clone(&received), answer.into());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let request = receive(&mut stream).await;
            log.lock().unwrap().push(request);
            // The sender may hang up in the middle of a long answer.
            let _ = stream.write_all(&answer).await;
        }
    });
    (port, connections, received)
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

#[tokio::test]
async fn what_arrives_over_a_socket_verifies() {
    let (port, _, received) =
        serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let sender = Sender::new(HttpTransport::new(local()).unwrap());
    let here = destination(&format!("http://127.0.0.1:{port}/hooks?tenant=7"));
    let attempt = sender.attempt(&here, &message(), 1, NOW).await;

    assert_eq!((attempt.verdict, attempt.status), (Verdict::Delivered, Some(StatusCode::OK)));
    assert_eq!(attempt.snippet, "ok");
    let received = received.lock().unwrap();
    let Received { line, headers, body } = &received[0];
    assert_eq!(line, "POST /hooks?tenant=7 HTTP/1.1");
    assert_eq!(body, br#"{"amount":7,"type":"invoice.paid"}"#);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], concat!("connect-webhook/", env!("CARGO_PKG_VERSION")));
    assert!(!headers.contains_key("accept-encoding"));
    assert_eq!(headers["webhook-timestamp"], NOW.to_string().as_str());
    assert_eq!(headers["webhook-signature"], expected_signature(KEY, "msg_1", "1750000000", body));
}

#[tokio::test]
async fn a_private_address_is_refused_before_a_connection_is_opened() {
    let (port, connections, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let sender = Sender::new(HttpTransport::new(Guard::new().allow_http()).unwrap());
    for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "0"] {
        let attempt =
            sender.attempt(&destination(&format!("http://{host}:{port}/")), &message(), 1, NOW).await;
        assert!(
            matches!(attempt.failure, Some(Failure::Refused(Refusal::Address { .. }))),
            "{host}: {attempt:?}"
        );
        assert_eq!(attempt.verdict, Verdict::GiveUp { why: Cause::Refused }, "{host}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let (port, connections, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let transport = HttpTransport::with_resolver(Guard::new().allow_http(), loopback()).unwrap();
    let here = destination(&format!("http://customer.example:{port}/"));
    let attempt = Sender::new(transport).attempt(&here, &message(), 1, NOW).await;
    let Some(Failure::Refused(refusal @ Refusal::Name { .. })) = &attempt.failure else {
        panic!("{attempt:?}")
    };
    assert_eq!(
        refusal.to_string(),
        "`customer.example` resolves to an address that is loopback (RFC 1122); \
         point the name to a public address, or change the guard's networks"
    );
    assert!(matches!(attempt.verdict, Verdict::RetryAt { why: Cause::Refused, .. }));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_systems_own_names_are_judged_as_well() {
    let (port, connections, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let sender = Sender::new(HttpTransport::new(Guard::new().allow_http()).unwrap());
    let attempt =
        sender.attempt(&destination(&format!("http://localhost:{port}/")), &message(), 1, NOW).await;
    assert!(matches!(attempt.failure, Some(Failure::Refused(Refusal::Name { .. }))), "{attempt:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_allowed_host_is_reached_at_the_address_that_was_checked() {
    let (port, connections, received) = serve("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    /// A second lookup could answer differently (DNS rebinding), so there must be none.
    struct Rebinds(AtomicUsize);
    #[async_trait]
    impl Resolve for Rebinds {
        async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "a name is resolved once an attempt");
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        }
    }
    let guard = Guard::new().allow_http().allow_host("hooks.internal").unwrap();
    let transport = HttpTransport::with_resolver(guard, Rebinds(AtomicUsize::new(0))).unwrap();
    let here = destination(&format!("http://hooks.internal:{port}/"));
    let attempt = Sender::new(transport).attempt(&here, &message(), 1, NOW).await;
    assert_eq!(attempt.verdict, Verdict::Delivered);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert_eq!(received.lock().unwrap()[0].headers["host"], format!("hooks.internal:{port}").as_str());
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let (elsewhere, untouched, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for status in [301, 302, 303, 307, 308] {
        let (port, connections, _) = serve(format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let sender = Sender::new(HttpTransport::new(local()).unwrap());
        let attempt =
            sender.attempt(&destination(&format!("http://127.0.0.1:{port}/")), &message(), 1, NOW).await;
        assert!(matches!(attempt.verdict, Verdict::RetryAt { why: Cause::Redirect(_), .. }), "{attempt:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
    assert_eq!(untouched.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let mut endless = b"HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n".to_vec();
    endless.resize(4 * 1024 * 1024, b'x');
    let (port, _, _) = serve(endless.clone()).await;
    let url = format!("http://127.0.0.1:{port}/");
    let script = Script::statuses([]);
    Sender::new(Arc::clone(&script)).attempt(&destination(&url), &message(), 1, NOW).await;
    let outgoing = script.sent.lock().unwrap().remove(0);

    let transport = HttpTransport::new(local()).unwrap();
    assert_eq!(transport.post(outgoing.clone()).await.unwrap().body.len(), 50 * 1024);
    for limit in [0, 1, 1000] {
        let transport = transport.clone().with_answer_limit_bytes(limit);
        assert_eq!(transport.post(outgoing.clone()).await.unwrap().body.len(), limit);
    }
    let attempt = Sender::new(transport).attempt(&destination(&url), &message(), 1, NOW).await;
    assert_eq!((attempt.status, attempt.snippet.len()), (Some(StatusCode::INTERNAL_SERVER_ERROR), 1024));
}

#[tokio::test]
async fn a_server_that_hangs_after_reading_is_left_at_the_time_out() {
    /// Lets the time-out pass as soon as the server has read the request.
    struct WhenRead(Arc<Notify>);
    impl Timer for WhenRead {
        fn sleep(&self, _duration: Duration) -> Sleep {
            let read = Arc::clone(&self.0);
            Box::pin(async move { read.notified().await })
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let read = Arc::new(Notify::new());
    let signal = Arc::clone(&read);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        receive(&mut stream).await;
        signal.notify_one();
        // The sender hangs up; nothing more comes.
        stream.read(&mut [0; 1]).await.unwrap_or(0)
    });
    let sender = Sender::new(HttpTransport::new(local()).unwrap()).with_timer(WhenRead(read));
    let attempt = sender.attempt(&destination(&url), &message(), 1, NOW).await;
    assert!(matches!(attempt.verdict, Verdict::RetryAt { why: Cause::TimedOut, .. }), "{attempt:?}");
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn broken_connections_are_failures_that_say_which() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        receive(&mut stream).await;
    });
    let sender = Sender::new(HttpTransport::new(local()).unwrap());
    let here = destination(&format!("http://127.0.0.1:{port}/"));
    let attempt = sender.attempt(&here, &message(), 1, NOW).await;
    assert!(matches!(attempt.failure, Some(Failure::Interrupted { .. })), "{attempt:?}");
    // The listener is gone now.
    server.await.unwrap();
    let attempt = sender.attempt(&here, &message(), 1, NOW).await;
    assert!(matches!(attempt.failure, Some(Failure::Unreachable { .. })), "{attempt:?}");
}

#[tokio::test]
async fn plain_http_and_nameless_hosts_are_failures() {
    let strict = HttpTransport::new(Guard::new());
    let attempt = Sender::new(strict.unwrap())
        .attempt(&destination("http://customer.example"), &message(), 1, NOW)
        .await;
    assert_eq!(attempt.failure, Some(Refusal::Scheme.into()));

    let nowhere = HttpTransport::with_resolver(Guard::new(), Everywhere(Vec::new())).unwrap();
    let here = destination("https://customer.example");
    let attempt = Sender::new(nowhere).attempt(&here, &message(), 1, NOW).await;
    assert!(matches!(attempt.failure, Some(Failure::Unreachable { .. })), "{attempt:?}");
}

/// Without TLS in the build, nothing must go out in the clear instead.
#[tokio::test]
async fn an_https_address_is_spoken_to_in_tls_or_not_at_all() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let here = destination(&format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port()));
    let sender = Sender::new(HttpTransport::new(local()).unwrap());
    let message = message();
    let mut attempt = std::pin::pin!(sender.attempt(&here, &message, 1, NOW));
    let (attempt, first_byte) = tokio::select! {
        attempt = &mut attempt => (attempt, None),
        accepted = listener.accept() => {
            let (mut stream, _) = accepted.unwrap();
            let byte = tokio::select! {
                byte = stream.read_u8() => byte.unwrap(),
                early = &mut attempt => panic!("{early:?}"),
            };
            drop(stream);
            (attempt.await, Some(byte))
        }
    };
    assert!(matches!(attempt.failure, Some(Failure::Unreachable { .. })), "{attempt:?}");
    // 22 is a handshake record (RFC 8446, 5.1).
    let tls = cfg!(any(feature = "rustls", feature = "rustls-aws-lc", feature = "native-tls"));
    assert_eq!(first_byte, tls.then_some(22));
}
