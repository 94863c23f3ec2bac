//! What the fake Jira sends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod jira_support;

use connect_testkit::{FakeGitHub, FakeJira, JiraDelivery, SignedDelivery, sign};
use jira_support::{START, jira};
use serde_json::{Value, json};

fn json_of(delivery: &SignedDelivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

#[test]
fn a_comment_event_names_text_and_author() {
    let delivery = JiraDelivery::event("comment_created")
        .issue("OPS-7", "Disk full")
        .comment("30001", "h2. Still full", "account-of-mona")
        .at(1_700_000_000_123);
    let payload = json_of(&delivery.build());
    let expected = [
        ("/issue/key", json!("OPS-7")),
        ("/comment/id", json!("30001")),
        ("/comment/body", json!("h2. Still full")),
        ("/comment/author/accountId", json!("account-of-mona")),
        ("/comment/created", json!("2023-11-14T22:13:20.000+0000")),
    ];
    for (pointer, value) in expected {
        assert_eq!(payload.pointer(pointer), Some(&value), "{pointer}");
    }
    assert_eq!((payload.get("user"), payload.get("changelog")), (None, None));
}

#[test]
fn a_transition_is_in_the_changelog_and_in_the_issue() {
    let delivery = JiraDelivery::event("jira:issue_updated").transition("To Do", "Done").user("acc-1");
    let payload = json_of(&delivery.build());
    let item = &payload["changelog"]["items"][0];
    assert_eq!(item["field"], "status");
    assert_eq!((&item["fromString"], &item["toString"]), (&json!("To Do"), &json!("Done")));
    assert_eq!(item["to"], payload["issue"]["fields"]["status"]["id"]);
    assert_ne!(item["from"], item["to"]);
    assert_eq!(payload["issue"]["fields"]["status"]["statusCategory"]["key"], "done");
    assert_eq!(payload["user"]["accountId"], "acc-1");

    let odd = json_of(&JiraDelivery::event("e").transition("To Do", "In Review").build());
    assert_eq!(odd["issue"]["fields"]["status"]["name"], "In Review");
    assert_ne!(odd["changelog"]["items"][0]["from"], odd["changelog"]["items"][0]["to"]);
}

#[tokio::test]
async fn a_fake_signs_with_its_own_secret_time_links_and_ids() {
    let jira = FakeJira::builder().start_time(START).webhook_secret("s3cret").start().await.unwrap();
    let key = jira.add_issue("OPS", "Disk full");
    let id = jira.issues("OPS")[0].id.clone();
    let signed = jira.sign(JiraDelivery::event("jira:issue_created").issue(&key, "Disk full"));
    let expected = sign::jira("s3cret", &signed.body);
    assert_eq!(signed.header("X-Hub-Signature"), Some(expected.as_str()));
    let payload = json_of(&signed);
    assert_eq!(payload["timestamp"], START * 1000);
    assert_eq!(payload["issue"]["id"], id.as_str());
    assert_eq!(payload["issue"]["self"], format!("{}/rest/api/2/issue/{id}", jira.url()));

    let own = JiraDelivery::event("e").issue(&key, "x").issue_id("7").at(5);
    let payload = json_of(&jira.sign(own));
    assert_eq!((&payload["timestamp"], &payload["issue"]["id"]), (&json!(5), &json!("7")));
    let unknown = json_of(&jira.sign(JiraDelivery::event("e").issue("OPS-9", "x")));
    assert_eq!(unknown["issue"]["id"], "10001");
}

/// A fake records what it is sent, whatever it is: good enough as a receiver here.
#[tokio::test]
async fn a_delivery_arrives_byte_for_byte() {
    let receiver = FakeGitHub::start().await.unwrap();
    let jira = jira().await;
    let delivery = JiraDelivery::event("jira:issue_updated").transition("To Do", "Done");
    let signed = jira.sign(delivery.clone().set("/changelog/id", "1"));
    let url = format!("{}/webhooks/jira", receiver.url());
    jira.deliver(&url, delivery.set("/changelog/id", "1")).await.unwrap();
    let arrived = &receiver.requests()[0];
    assert_eq!(arrived.body, signed.body);
    for name in ["X-Hub-Signature", "X-Atlassian-Webhook-Identifier"] {
        assert_eq!(arrived.header(name), signed.header(name), "{name}");
    }
}
