//! The transports over real sockets, all by the same cases. No timing is asserted: paused time and sockets do not mix.
#![cfg(feature = "transport-reqwest")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::Arc;
use std::time::Duration;

use connect_core::transport::{HyperTransport, ReqwestTransport};
use connect_core::{
    Body, ByteStream, Bytes, Client, Config, Credentials, Error, ErrorKind, HeaderValue, Method, Operation,
    Origins, Request, RetryPolicy, Safety, Sent, Transport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weather::{Ask, Once, TOKEN, Weather};

/// Answers each connection with the next text and closes it; yields what it was sent.
async fn serve(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            seen.push(read_request(&mut socket).await);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        seen
    });
    (url, server)
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..read]);
        if read == 0 || is_complete(&String::from_utf8_lossy(&request)) {
            return String::from_utf8(request).unwrap();
        }
    }
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

type Make = fn(&Config, &Origins) -> Result<Arc<dyn Transport>, Error>;

const TRANSPORTS: [(&str, Make); 2] = [
    ("reqwest", |config, origins| Ok(Arc::new(ReqwestTransport::new(config, origins)?))),
    ("hyper", |config, origins| Ok(Arc::new(HyperTransport::new(config, origins)?))),
];

fn config() -> Config {
    Config::default().with_retry(RetryPolicy::never()).with_body_limit_bytes(64)
}

fn client_with(make: Make, url: &str, config: Config) -> Client<Weather> {
    let transport = make(&config, &Origins::new(url).unwrap()).unwrap();
    Client::<Weather>::builder()
        .base_url(url)
        .credentials(Credentials::bearer(TOKEN))
        .config(config)
        .transport(transport)
        .build()
        .unwrap()
}

fn client(make: Make, url: &str) -> Client<Weather> {
    client_with(make, url, config())
}

const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"sun\":true}";

#[tokio::test]
async fn a_request_arrives_with_its_headers_and_the_answer_is_collected() {
    for (name, make) in TRANSPORTS {
        let (url, server) = serve(vec![OK]).await;
        let value = client(make, &url).send(Ask::write()).await.unwrap();
        assert_eq!(value["sun"], true);
        let request = server.await.unwrap().remove(0);
        assert!(request.starts_with("POST /reports HTTP/1.1\r\n"), "{name}: {request}");
        let host = format!("host: {}\r\n", url.strip_prefix("http://").unwrap());
        for part in [
            "authorization: Bearer canary-token",
            "accept: application/json",
            "user-agent: connect-core/",
            "content-length: 10",
            "{\"rain\":1}",
            &host,
        ] {
            assert!(request.contains(part), "{name}: {part} is missing in {request}");
        }
    }
}

#[tokio::test]
async fn a_get_carries_no_body_headers() {
    for (name, make) in TRANSPORTS {
        let (url, server) = serve(vec![OK]).await;
        client(make, &url).send(Ask::read()).await.unwrap();
        let request = server.await.unwrap().remove(0).to_ascii_lowercase();
        assert!(
            !request.contains("content-length") && !request.contains("content-type"),
            "{name}: {request}"
        );
        assert!(!request.contains("transfer-encoding"), "{name}: {request}");
    }
}

#[tokio::test]
async fn answers_without_a_length_in_chunks_and_without_a_body_are_collected() {
    let chunked = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
                   7\r\n{\"sun\":\r\n5\r\ntrue}\r\n0\r\n\r\n";
    let until_closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"sun\":true}";
    for (name, make) in TRANSPORTS {
        for answer in [chunked, until_closed] {
            let (url, _server) = serve(vec![answer]).await;
            let value = client(make, &url).send(Ask::read()).await.unwrap();
            assert_eq!(value["sun"], true, "{name}");
        }
        let (url, _server) = serve(vec!["HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"]).await;
        let error = client(make, &url).send(Ask::read()).await.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Decode, 204), "{name}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_proven_not_sent() {
    for (name, make) in TRANSPORTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = client(make, &url).send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::No), "{name}");
        assert!(!format!("{error:#}").contains("/reports"), "no URL in errors: {error:#}");
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_may_have_been_applied() {
    for (name, make) in TRANSPORTS {
        let (url, _server) = serve(vec![""]).await;
        let error = client(make, &url).send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe), "{name}");
    }
}

#[tokio::test]
async fn a_pooled_connection_closed_after_the_request_may_have_been_applied() {
    for (name, make) in TRANSPORTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            read_request(&mut socket).await;
            let keep = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"sun\":true}";
            socket.write_all(keep.as_bytes()).await.unwrap();
            // The second request comes on the same connection, and is read before that is closed.
            read_request(&mut socket).await
        });
        let client = client(make, &url);
        client.send(Ask::read()).await.unwrap();
        let error = client.send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe), "{name}");
        assert!(server.await.unwrap().starts_with("POST /reports"), "{name}");
    }
}

#[tokio::test]
async fn a_truncated_answer_is_an_error_and_not_a_short_value() {
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"sun\":true}";
    let nothing = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n";
    for (name, make) in TRANSPORTS {
        for answer in [begun, nothing] {
            let (url, _server) = serve(vec![answer]).await;
            let error = client(make, &url).send(Ask::write()).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe), "{name}");
            assert!(error.to_string().contains("cut off"), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_stalls_is_given_up() {
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"sun\":true}";
    let nothing = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n";
    for (name, make) in TRANSPORTS {
        for answer in [begun, nothing] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = tokio::spawn(async move {
                let (mut socket, _) = listener.accept().await.unwrap();
                read_request(&mut socket).await;
                socket.write_all(answer.as_bytes()).await.unwrap();
                socket // stays open
            });
            let client = client_with(make, &url, config().with_read_timeout(Duration::from_millis(1)));
            let error = client.send(Ask::write()).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Maybe), "{name}");
            assert!(error.to_string().contains("stalled"), "{name}: {error}");
            drop(server.await.unwrap());
        }
    }
}

#[tokio::test]
async fn an_answer_above_the_limit_is_refused_announced_or_not() {
    let endless = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\"0123456789012345678901234567890123456789012345678901234567890123456789\"";
    for (name, make) in TRANSPORTS {
        for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n", endless] {
            let (url, _server) = serve(vec![answer]).await;
            let error = client(make, &url).send(Ask::read()).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Unsupported, Sent::Maybe), "{name}");
            assert!(error.to_string().contains("64 bytes"), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn transports_follow_no_redirect() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (name, make) in TRANSPORTS {
        let (url, _server) = serve(vec![moved]).await;
        // A write, because the layer above follows for reads.
        let error = client(make, &url).send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Unsupported, 302), "{name}");
    }
}

#[tokio::test]
async fn a_streamed_body_is_sent_with_its_length_or_in_chunks() {
    fn stream() -> ByteStream {
        Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))]))
    }
    fn post(body: Body) -> Once {
        let operation = Operation::new("report", Method::POST, "/reports", Safety::Unsafe);
        Once::new(
            Request::builder(&operation).body(HeaderValue::from_static("text/plain"), body).build().unwrap(),
        )
    }
    for (name, make) in TRANSPORTS {
        let (url, server) = serve(vec![OK]).await;
        client(make, &url).send(post(Body::factory(Some(3), stream))).await.unwrap();
        let request = server.await.unwrap().remove(0);
        assert!(
            request.contains("content-length: 3\r\n") && request.ends_with("\r\n\r\nabc"),
            "{name}: {request}"
        );

        let (url, server) = serve(vec![OK]).await;
        client(make, &url).send(post(Body::stream(None, stream()))).await.unwrap();
        let request = server.await.unwrap().remove(0);
        assert!(request.contains("transfer-encoding: chunked\r\n"), "{name}: {request}");

        let (url, _server) = serve(vec![OK]).await;
        let error = client(make, &url).send(post(Body::stream(Some(4), stream()))).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe), "{name}");
        assert!(format!("{error:#}").contains("shorter than its announced length"), "{name}: {error:#}");
    }
}

#[tokio::test]
async fn a_big_answer_is_downloaded_without_being_collected() {
    let big: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{}", "x".repeat(1_000_000))
            .into_boxed_str(),
    );
    for (name, make) in TRANSPORTS {
        let (url, _server) = serve(vec![big]).await;
        // Far above the limit of what is collected.
        let download = client(make, &url).download(Ask::read()).await.unwrap();
        assert_eq!(download.length(), Some(1_000_000), "{name}");
        assert_eq!(download.collect().await.unwrap().len(), 1_000_000, "{name}");
    }
}

#[tokio::test]
async fn a_service_of_the_hosts_own_is_a_transport() {
    use connect_core::body::TransportBody;
    use connect_core::transport::ServiceTransport;
    use http_body_util::{BodyExt, Full};

    let echo = tower::service_fn(async |request: http::Request<TransportBody>| {
        assert_eq!(request.headers()["authorization"], "Bearer canary-token-4711");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, std::io::Error>(http::Response::new(Full::new(body)))
    });
    let broken = tower::service_fn(async |_: http::Request<TransportBody>| {
        Err::<http::Response<Full<Bytes>>, _>(std::io::Error::other("no route"))
    });
    let build = |transport: Arc<dyn Transport>| {
        let builder = Client::<Weather>::builder().credentials(Credentials::bearer(TOKEN));
        builder.config(config()).transport(transport).build().unwrap()
    };
    let value = build(Arc::new(ServiceTransport::new(echo))).send(Ask::write()).await.unwrap();
    assert_eq!(value["rain"], 1);
    let error = build(Arc::new(ServiceTransport::new(broken))).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe));
    assert!(format!("{error:#}").contains("no route"));
    let knows = ServiceTransport::new(broken)
        .with_failure(|error| Error::new(ErrorKind::Transport, "refused").with_source(error));
    let error = build(Arc::new(knows)).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.message(), error.sent()), ("refused", Sent::No));
}

/// Runs one of the tests above in a process whose environment names a proxy that is not there.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let test = "a_request_arrives_with_its_headers_and_the_answer_is_collected";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env_remove("NO_PROXY").env_remove("no_proxy");
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(variable, "http://127.0.0.1:1");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}
