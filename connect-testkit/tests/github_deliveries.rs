//! The fake GitHub keeps what became of deliveries, and delivers again when it is asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connect_testkit::{FakeGitHub, GitHubDelivery, Reply, send};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const START: u64 = 1_700_000_000;
const HOOK: &str = "/repos/octo/hello/hooks/1/deliveries";

async fn github() -> FakeGitHub {
    FakeGitHub::builder().start_time(START).start().await.unwrap()
}

async fn call(github: &FakeGitHub, method: Method, path: &str) -> Reply {
    let bearer = format!("Bearer {}", github.token());
    let headers = [("user-agent", "tests"), ("authorization", bearer.as_str())];
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", github.url()) };
    send(method, &url, &headers, "").await.unwrap()
}

async fn list(github: &FakeGitHub, path: &str) -> Vec<Value> {
    let reply = call(github, Method::GET, path).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json().as_array().unwrap().clone()
}

/// A receiver that is up or down, and counts.
struct Receiver {
    url: String,
    is_up: Arc<AtomicBool>,
    got: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        let (is_up, got) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (up, count) = (Arc::clone(&is_up), Arc::clone(&got));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // A whole small request comes in one piece on loopback, often enough in two.
                let mut request = vec![0; 65_536];
                let mut read = stream.read(&mut request).await.unwrap();
                while !String::from_utf8_lossy(&request[..read]).contains("\r\n\r\n") {
                    read += stream.read(&mut request[read..]).await.unwrap();
                }
                let status = if up.load(Ordering::Relaxed) { "202 Accepted" } else { "500 Oops" };
                count.fetch_add(usize::from(up.load(Ordering::Relaxed)), Ordering::Relaxed);
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, is_up, got }
    }
}

fn small() -> GitHubDelivery {
    let payload = json!({ "action": "opened", "repository": { "id": 5 } });
    GitHubDelivery::new("issues", payload).repository("octo", "hello")
}

#[tokio::test]
async fn a_failed_delivery_is_delivered_again_when_it_is_asked_for() {
    let (github, receiver) = (github().await, Receiver::start().await);
    receiver.is_up.store(false, Ordering::Relaxed);
    let reply = github.deliver(&receiver.url, small().delivery_id("guid-1")).await.unwrap();
    assert_eq!(reply.status, 500);

    let listed = list(&github, HOOK).await;
    let first = &listed[0];
    assert_eq!(
        (
            &first["guid"],
            &first["status_code"],
            &first["redelivery"],
            &first["action"],
            &first["repository_id"]
        ),
        (&json!("guid-1"), &json!(500), &json!(false), &json!("opened"), &json!(5))
    );
    assert_eq!(first["delivered_at"], "2023-11-14T22:13:20Z");

    receiver.is_up.store(true, Ordering::Relaxed);
    let asked = call(&github, Method::POST, &format!("{HOOK}/{}/attempts", first["id"])).await;
    assert_eq!((asked.status.as_u16(), asked.json()), (202, json!({})));
    github.wait_for_deliveries(2).await;
    assert_eq!(receiver.got.load(Ordering::Relaxed), 1);

    let listed = list(&github, HOOK).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["guid"], &listed[0]["status"], &listed[0]["redelivery"]),
        (&json!("guid-1"), &json!("OK"), &json!(true))
    );
    assert_ne!(listed[0]["id"], listed[1]["id"]);
    let seen = github.deliveries();
    assert_eq!((seen[0].status_code, seen[1].status_code, seen[1].redelivery), (500, 202, true));

    let detail = call(&github, Method::GET, &format!("{HOOK}/{}", listed[0]["id"])).await.json();
    assert_eq!(detail["request"]["headers"]["X-GitHub-Delivery"], "guid-1");
    assert_eq!(detail["request"]["payload"]["action"], "opened");
    assert_eq!((&detail["response"]["payload"], &detail["url"]), (&json!("done"), &json!(receiver.url)));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_a_failed_attempt() {
    let github = github().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(github.deliver(&format!("http://{closed}/"), small()).await.is_err());
    let attempt = &list(&github, HOOK).await[0];
    assert_eq!(
        (&attempt["status_code"], &attempt["status"]),
        (&json!(0), &json!("failed to connect to host"))
    );
}

#[tokio::test]
async fn deliveries_are_paged_by_cursor_and_filtered_by_outcome() {
    let (github, receiver) = (github().await, Receiver::start().await);
    for number in 0..7 {
        receiver.is_up.store(number % 2 == 0, Ordering::Relaxed);
        github.deliver(&receiver.url, small().delivery_id(format!("g{number}"))).await.unwrap();
    }
    let mut next = Some(format!("{HOOK}?per_page=3"));
    let mut pages = Vec::new();
    while let Some(path) = next.take() {
        let reply = call(&github, Method::GET, &path).await;
        let guids: Vec<String> = reply
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["guid"].as_str().unwrap().to_owned())
            .collect();
        pages.push(guids);
        next = reply.header("link").map(|link| link[1..].split('>').next().unwrap().to_owned());
    }
    assert_eq!(pages, [vec!["g6", "g5", "g4"], vec!["g3", "g2", "g1"], vec!["g0"]]);
    assert_eq!(list(&github, &format!("{HOOK}?status=failure")).await.len(), 3);
    assert_eq!(list(&github, &format!("{HOOK}?status=success")).await.len(), 4);
    for wrong in ["status=maybe", "cursor=7"] {
        assert_eq!(call(&github, Method::GET, &format!("{HOOK}?{wrong}")).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn each_hook_lists_its_own_deliveries() {
    let (github, receiver) = (github().await, Receiver::start().await);
    let deliveries = [small(), small().from_organization_hook(), small().installation(9)];
    for delivery in deliveries {
        github.deliver(&receiver.url, delivery).await.unwrap();
    }
    assert_eq!(list(&github, HOOK).await.len(), 1);
    assert_eq!(list(&github, "/orgs/octo/hooks/1/deliveries").await.len(), 1);
    for empty in [
        "/orgs/other/hooks/1/deliveries",
        "/repos/octo/other/hooks/1/deliveries",
        "/repos/octo/hello/hooks/2/deliveries",
    ] {
        assert!(list(&github, empty).await.is_empty(), "{empty}");
    }
    let of_the_app = github.deliveries()[2].id;
    let foreign = call(&github, Method::GET, &format!("{HOOK}/{of_the_app}")).await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn after_three_days_nothing_is_delivered_again() {
    let (github, receiver) = (github().await, Receiver::start().await);
    github.deliver(&receiver.url, small()).await.unwrap();
    let id = github.deliveries()[0].id;
    github.advance_clock(Duration::from_secs(3 * 24 * 3600 + 1));
    assert_eq!(call(&github, Method::POST, &format!("{HOOK}/{id}/attempts")).await.status, 422);
    assert_eq!(call(&github, Method::POST, &format!("{HOOK}/7/attempts")).await.status, 404);
    assert_eq!(github.deliveries().len(), 1);
}
