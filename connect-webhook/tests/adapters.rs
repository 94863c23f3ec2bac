//! The adapters beside axum's: a hyper service, and single calls of serverless platforms.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;

use base64::Engine;
use connect_webhook::lambda::{Event, Reply};
use connect_webhook::{Acceptance, Endpoint, FixedClock, Receiver, schemes};
use serde_json::json;
use support::{Memory, NOW, signed, verifier};

const FORM: &str = "payload=%7B%22action%22%3A%22a+b%22%7D";

fn receiver(sink: &Arc<Memory>) -> Receiver {
    Receiver::builder()
        .endpoint(Endpoint::new("default", "github", verifier(&schemes::GITHUB)))
        .endpoint(Endpoint::new("acme & co", "github", verifier(&schemes::GITHUB)))
        .endpoint(Endpoint::new("default", "dropbox", verifier(&schemes::DROPBOX)))
        .sink(Arc::clone(sink))
        .clock(FixedClock::new(NOW))
        .build()
        .unwrap()
}

fn event(path: &str, query: &str, method: &str, body: &str, is_base64: bool) -> Event {
    let headers: serde_json::Map<_, _> = signed(&schemes::GITHUB, body)
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .chain(
            (body == FORM).then(|| ("Content-Type".to_owned(), "application/x-www-form-urlencoded".into())),
        )
        .collect();
    let coded = base64::engine::general_purpose::STANDARD.encode(body);
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": ["a=b"],
        "headers": headers,
        "requestContext": { "http": { "method": method, "path": path }, "stage": "$default" },
        "body": if is_base64 { coded } else { body.to_owned() },
        "isBase64Encoded": is_base64,
    });
    serde_json::from_value(event).unwrap()
}

#[tokio::test]
async fn a_serverless_call_goes_the_same_way() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&sink);
    for (path, body, is_base64, tenant) in [
        ("/webhooks/github", "{}", false, "default"),
        ("/webhooks/github", "{}", true, "default"),
        ("/webhooks/github", FORM, true, "default"),
        ("/webhooks/acme%20%26%20co/github", FORM, false, "acme & co"),
    ] {
        let reply = receiver.call(event(path, "", "POST", body, is_base64)).await;
        assert_eq!((reply.status_code, &*reply.body), (202, r#"{"status":"accepted"}"#), "{path}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!((&*sink.last().tenant, &sink.last().body[..]), (tenant, body.as_bytes()));
    }
    let reply = receiver.call(event("/webhooks/dropbox", "challenge=a%2Bb", "GET", "", false)).await;
    assert_eq!((reply.status_code, &*reply.body), (200, "a+b"));
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert_eq!(sink.count(), 4);
}

#[tokio::test]
async fn a_serverless_call_that_is_none_is_refused() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&sink);
    let mut broken = event("/webhooks/github", "", "POST", "{}", true);
    broken.body = Some("not base64!".to_owned());
    let mut odd = event("/webhooks/github", "", "POST", "{}", false);
    odd.headers.insert("a b".to_owned(), "x".to_owned());
    for (event, expected) in [
        (event("/webhooks/gitlab", "", "POST", "{}", false), 404),
        (event("/", "", "POST", "{}", false), 404),
        (event("/webhooks/github", "", "GET", "{}", false), 405),
        (event("/webhooks/github", "", "A B", "{}", false), 400),
        (broken, 400),
        (odd, 400),
    ] {
        assert_eq!(receiver.call(event).await.status_code, expected);
    }
    assert_eq!((sink.count(), receiver.counters().refused("malformed_request")), (0, 3));
}

#[tokio::test]
async fn a_serverless_reply_is_what_the_gateway_reads() {
    let image = Acceptance::answer("image/png", &b"\x89PNG"[..]);
    let reply: Reply = receiver(&Memory::answering(Ok(image)))
        .call(event("/webhooks/github", "", "POST", "{}", false))
        .await;
    let expected = json!({
        "statusCode": 200,
        "headers": { "content-type": "image/png" },
        "body": "iVBORw==",
        "isBase64Encoded": true,
    });
    assert_eq!(serde_json::to_value(reply).unwrap(), expected);
}

#[cfg(feature = "hyper")]
mod hyper {
    use super::*;
    use ::hyper::service::Service;
    use bytes::Bytes;
    use connect_webhook::hyper::WebhookService;
    use http::{Method, Request, StatusCode};
    use http_body_util::{BodyExt, Full};
    use support::with;

    fn request(path: &str, body: &str) -> Request<Full<Bytes>> {
        let mut request = signed(&schemes::GITHUB, body);
        *request.uri_mut() = path.parse().unwrap();
        request
    }

    #[tokio::test]
    async fn both_paths_reach_their_tenant() {
        for (path, tenant) in
            [("/webhooks/github", "default"), ("/webhooks/acme%20%26%20co/github", "acme & co")]
        {
            let sink = Arc::new(Memory::default());
            let service = WebhookService::new(receiver(&sink));
            let form = with(request(path, FORM), "content-type", "application/x-www-form-urlencoded");
            let response = service.call(form).await.unwrap();
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!((&body[..], &*sink.last().tenant), (&br#"{"status":"accepted"}"#[..], tenant));
        }
    }

    #[tokio::test]
    async fn other_paths_are_404_and_other_methods_405() {
        let sink = Arc::new(Memory::default());
        let service = WebhookService::new(receiver(&sink));
        for path in ["/webhooks/gitlab", "/webhooks/globex/github", "/webhooks/%FF", "/webhooks", "/"] {
            let status = service.call(request(path, "{}")).await.unwrap().status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
        let mut get = request("/webhooks/github", "{}");
        *get.method_mut() = Method::GET;
        let response = service.call(get).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!((&response.headers()["allow"], sink.count()), (&"POST".parse().unwrap(), 0));
    }
}
