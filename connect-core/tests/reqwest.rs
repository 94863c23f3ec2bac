//! The default transport over real sockets. No timing is asserted: paused time and sockets do not mix.
#![cfg(feature = "transport-reqwest")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::{Client, Config, Credentials, ErrorKind, RetryPolicy, Sent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use weather::{Ask, TOKEN, Weather};

/// Answers each connection with the next text and closes it; yields what it was sent.
async fn serve(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let read = socket.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                });
                if read == 0 || body.len() >= length.unwrap_or(0) {
                    break;
                }
            }
            seen.push(String::from_utf8(request).unwrap());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        seen
    });
    (url, server)
}

fn client(url: &str) -> Client<Weather> {
    Client::<Weather>::builder()
        .base_url(url)
        .credentials(Credentials::bearer(TOKEN))
        .config(Config::default().with_retry(RetryPolicy::never()).with_body_limit_bytes(64))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_request_arrives_with_its_headers_and_the_answer_is_collected() {
    let (url, server) =
        serve(vec!["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"sun\":true}"]).await;
    let value = client(&url).send(Ask::write()).await.unwrap();
    assert_eq!(value["sun"], true);
    let request = server.await.unwrap().remove(0);
    assert!(request.starts_with("POST /reports HTTP/1.1\r\n"), "{request}");
    for part in [
        "authorization: Bearer canary-token",
        "accept: application/json",
        "user-agent: connect-core/",
        "{\"rain\":1}",
    ] {
        assert!(request.contains(part), "{part} is missing in {request}");
    }
}

#[tokio::test]
async fn a_get_carries_no_body_headers() {
    let (url, server) =
        serve(vec!["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"]).await;
    client(&url).send(Ask::read()).await.unwrap();
    let request = server.await.unwrap().remove(0).to_ascii_lowercase();
    assert!(!request.contains("content-length") && !request.contains("content-type"), "{request}");
}

#[tokio::test]
async fn a_refused_connection_is_proven_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::No));
    assert!(!format!("{error:#}").contains("/reports"), "no URL in errors: {error:#}");
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_may_have_been_applied() {
    let (url, _server) = serve(vec![""]).await;
    let error = client(&url).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe));
}

#[tokio::test]
async fn a_truncated_answer_is_an_error_and_not_a_short_value() {
    let (url, _server) = serve(vec!["HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"sun\":true}"]).await;
    let error = client(&url).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe));
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[tokio::test]
async fn an_answer_above_the_limit_is_refused_announced_or_not() {
    let (url, _server) = serve(vec!["HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n"]).await;
    let error = client(&url).send(Ask::read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("64 bytes"), "{error}");

    let endless = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\"0123456789012345678901234567890123456789012345678901234567890123456789\"";
    let (url, _server) = serve(vec![endless]).await;
    let error = client(&url).send(Ask::read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (url, _server) = serve(vec!["HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"]).await;
    let error = client(&url).send(Ask::read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.status().unwrap().as_u16(), 302);
}
