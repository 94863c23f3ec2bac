//! Webhooks to Slack, over loopback: the fake GitHub delivers, the fake Slack is posted to.
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_examples_github::forward::{post, receiver};
use connect_github::webhook::verifier;
use connect_slack::Slack;
use connect_testkit::{FakeSlack, GitHubDelivery};
use tokio::sync::mpsc::Receiver as Lines;

const SECRET: &str = "It's a Secret to Everybody";

/// The program without its `main`: where it listens, and its lines.
async fn serve() -> (String, Lines<String>) {
    let (receiver, lines) = receiver(verifier(SECRET).unwrap()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, connect_webhook::axum::router(receiver)).await });
    (url, lines)
}

fn opened(number: u64) -> GitHubDelivery {
    GitHubDelivery::issues("opened").number(number).title("Roof <leaks> & drips").sender("mona")
}

#[tokio::test]
async fn each_event_becomes_one_message_however_often_it_is_delivered() {
    let (url, lines) = serve().await;
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C1", "general");
    let client = Slack::builder().token(slack.token()).base_url(slack.url()).build().unwrap();
    let posting = tokio::spawn(async move { post(&client, "C1", lines).await });

    let issue = opened(7).sign(SECRET);
    for _ in 0..2 {
        assert_eq!(issue.deliver_to(&url).await.unwrap().status, 202);
    }
    let pull = GitHubDelivery::pull_request("review_requested").number(9).title("Fix").sender("hubot");
    assert_eq!(pull.sign(SECRET).deliver_to(&url).await.unwrap().status, 202);
    slack.wait_for("chat.postMessage", 2).await;

    let texts: Vec<String> = slack.messages("C1").into_iter().map(|message| message.text).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("*octo/hello* mona opened issue <http"), "{texts:?}");
    assert!(texts[0].contains("#7 Roof &lt;leaks&gt; &amp; drips>"), "{texts:?}");
    assert!(texts[1].contains("hubot review requested pull request"), "{texts:?}");
    posting.abort();
}

#[tokio::test]
async fn what_is_not_genuine_makes_no_line_and_what_has_no_words_is_answered() {
    let (url, mut lines) = serve().await;
    let forged = opened(1).with_wrong_signature().sign(SECRET).deliver_to(&url).await.unwrap();
    assert_eq!(forged.status, 401);
    let star = GitHubDelivery::event("star").action("created").sign(SECRET).deliver_to(&url).await.unwrap();
    assert_eq!(star.status, 202);
    assert!(lines.try_recv().is_err());
}

#[tokio::test]
async fn a_full_queue_asks_to_come_again_and_remembers_nothing() {
    let (url, mut lines) = serve().await;
    for number in 0..256 {
        assert_eq!(opened(number).sign(SECRET).deliver_to(&url).await.unwrap().status, 202);
    }
    let late = opened(256).sign(SECRET);
    let busy = late.deliver_to(&url).await.unwrap();
    assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, Some("30")));
    assert!(lines.recv().await.unwrap().contains("#0 "));
    assert_eq!(late.deliver_to(&url).await.unwrap().status, 202, "it was not taken for a repetition");
}
