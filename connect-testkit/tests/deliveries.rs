//! What the webhook deliveries look like, and how they arrive.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use connect_testkit::{FakeGitHub, FakeSlack, GitHubDelivery, JiraDelivery, SignedDelivery, SlackDelivery};
use serde_json::{Value, json};

fn json_of(delivery: &SignedDelivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn form_of(delivery: &SignedDelivery) -> Vec<(String, String)> {
    form_urlencoded::parse(&delivery.body).into_owned().collect()
}

#[test]
fn a_pull_request_event_has_the_fields_that_models_require() {
    let delivery = GitHubDelivery::pull_request("opened")
        .repository("octo", "hello")
        .number(7)
        .title("Faster start")
        .body("It was slow.")
        .sender("mona")
        .installation(99)
        .build();
    let payload = json_of(&delivery);
    let expected = [
        ("/action", json!("opened")),
        ("/number", json!(7)),
        ("/pull_request/number", json!(7)),
        ("/pull_request/title", json!("Faster start")),
        ("/pull_request/body", json!("It was slow.")),
        ("/pull_request/state", json!("open")),
        ("/pull_request/user/login", json!("mona")),
        ("/pull_request/head/repo/full_name", json!("octo/hello")),
        ("/pull_request/merged", json!(false)),
        ("/repository/full_name", json!("octo/hello")),
        ("/repository/owner/login", json!("octo")),
        ("/repository/default_branch", json!("main")),
        ("/sender/login", json!("mona")),
        ("/installation/id", json!(99)),
    ];
    for (pointer, value) in expected {
        assert_eq!(payload.pointer(pointer), Some(&value), "{pointer}");
    }
    assert_eq!(delivery.header("X-GitHub-Event"), Some("pull_request"));
    assert!(delivery.header("User-Agent").unwrap().starts_with("GitHub-Hookshot/"));
}

#[test]
fn a_clone_is_a_redelivery_and_a_new_delivery_has_a_new_id() {
    let first = GitHubDelivery::issues("opened");
    let again = first.clone().build();
    let other = GitHubDelivery::issues("opened").build();
    let first = first.build();
    let id = |delivery: &SignedDelivery| delivery.header("X-GitHub-Delivery").unwrap().to_owned();
    assert_eq!(id(&first), id(&again));
    assert_eq!(first.body, again.body);
    assert_ne!(id(&first), id(&other));
    assert_eq!(id(&GitHubDelivery::event("ping").delivery_id("chosen").build()), "chosen");
}

#[test]
fn a_form_encoded_delivery_carries_the_same_json() {
    let delivery = GitHubDelivery::issue_comment("created").comment("Tea & biscuits = good?");
    let plain = json_of(&delivery.clone().build());
    let form = delivery.form_encoded().build();
    assert_eq!(form.header("Content-Type"), Some("application/x-www-form-urlencoded"));
    let fields = form_of(&form);
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].0, "payload");
    assert_eq!(serde_json::from_str::<Value>(&fields[0].1).unwrap(), plain);
    assert_eq!(plain["comment"]["body"], "Tea & biscuits = good?");
}

#[test]
fn a_payload_of_ones_own_is_sent_as_it_is() {
    let payload = json!({ "anything": [1, 2, 3] });
    let delivery = GitHubDelivery::new("deployment", payload.clone()).build();
    assert_eq!(json_of(&delivery), payload);
    assert_eq!(delivery.header("X-GitHub-Event"), Some("deployment"));
    assert_eq!(json_of(&JiraDelivery::new(payload.clone()).build()), payload);
    assert_eq!(json_of(&SlackDelivery::new(payload.clone()).build()), payload);
}

#[test]
fn ping_and_push_have_what_belongs_to_them() {
    let ping = json_of(&GitHubDelivery::event("ping").build());
    assert!(ping["zen"].is_string() && ping["hook"]["config"].is_object() && ping.get("action").is_none());
    let push = json_of(&GitHubDelivery::event("push").set("/ref", "refs/heads/next").build());
    assert_eq!(push["ref"], "refs/heads/next");
    assert_eq!(push["commits"], json!([]));
}

#[test]
fn no_link_in_a_delivery_leads_to_the_real_service() {
    let bodies = [
        GitHubDelivery::pull_request("opened").build().body,
        GitHubDelivery::event("ping").build().body,
        SlackDelivery::message_action("a").build().body,
        SlackDelivery::slash_command("/a", "b").build().body,
        JiraDelivery::event("jira:issue_created").build().body,
    ];
    for body in bodies {
        let text = String::from_utf8(body.to_vec()).unwrap();
        for host in ["github.com", "slack.com", "atlassian.net"] {
            assert!(!text.contains(host), "{host} in {text}");
        }
    }
}

#[test]
fn a_slack_event_keeps_its_id_over_retries() {
    let event = json!({ "type": "app_mention", "text": "hi" });
    let delivery = SlackDelivery::event_callback(event.clone()).at(1_700_000_000);
    let first = json_of(&delivery.clone().build());
    let retry = delivery.retry(2, "http_error").build();
    assert_eq!(json_of(&retry), first);
    assert_eq!(first["type"], "event_callback");
    assert_eq!(first["event"], event);
    assert_eq!(first["event_time"], 1_700_000_000);
    assert!(first["event_id"].as_str().unwrap().starts_with("Ev"));
    assert_eq!(retry.header("X-Slack-Retry-Num"), Some("2"));
    assert_eq!(retry.header("X-Slack-Retry-Reason"), Some("http_error"));
    let chosen = SlackDelivery::event_callback(json!({})).event_id("Ev1").build();
    assert_eq!(json_of(&chosen)["event_id"], "Ev1");
}

#[test]
fn a_message_action_is_a_form_with_a_payload() {
    let delivery = SlackDelivery::message_action("to_issue")
        .channel("C0PULLS", "pulls")
        .message("1700000000.000100", "Crash on start")
        .build();
    let fields = form_of(&delivery);
    assert_eq!(fields.len(), 1);
    let payload: Value = serde_json::from_str(&fields[0].1).unwrap();
    assert_eq!(payload["type"], "message_action");
    assert_eq!(payload["callback_id"], "to_issue");
    assert_eq!(payload["channel"]["id"], "C0PULLS");
    assert_eq!(payload["message_ts"], "1700000000.000100");
    assert_eq!(payload["message"]["text"], "Crash on start");
}

#[test]
fn a_slash_command_is_plain_form_fields() {
    let fields = form_of(&SlackDelivery::slash_command("/deploy", "now & here").build());
    assert!(fields.contains(&("command".to_owned(), "/deploy".to_owned())));
    assert!(fields.contains(&("text".to_owned(), "now & here".to_owned())));
}

#[test]
fn a_jira_event_names_issue_and_time() {
    let delivery = JiraDelivery::event("jira:issue_updated")
        .issue("OPS-12", "Disk full")
        .at(1_700_000_000_123)
        .set("/changelog/id", "1")
        .identifier("same-over-retries")
        .retry(1)
        .build();
    let payload = json_of(&delivery);
    assert_eq!(payload["timestamp"], 1_700_000_000_123_u64);
    assert_eq!(payload["webhookEvent"], "jira:issue_updated");
    assert_eq!(payload["issue"]["key"], "OPS-12");
    assert_eq!(payload["issue"]["fields"]["project"]["key"], "OPS");
    assert_eq!(payload["changelog"]["id"], "1");
    assert_eq!(delivery.header("X-Atlassian-Webhook-Identifier"), Some("same-over-retries"));
    assert_eq!(delivery.header("X-Atlassian-Webhook-Retry"), Some("1"));
}

/// A fake records what it is sent, whatever it is: good enough as a receiver here.
#[tokio::test]
async fn a_delivery_arrives_byte_for_byte() {
    let receiver = FakeGitHub::start().await.unwrap();
    let slack = FakeSlack::start().await.unwrap();
    let url = format!("{}/hooks", receiver.url());

    let delivery = SlackDelivery::url_verification("chäl-lenge");
    let signed = slack.sign(delivery.clone().at(7));
    let reply = slack.deliver(&url, delivery.at(7)).await.unwrap();
    assert_eq!(reply.status, 404);

    let arrived = &receiver.requests()[0];
    assert_eq!(arrived.body, signed.body);
    assert_eq!(arrived.header("x-slack-signature"), signed.header("X-Slack-Signature"));
    assert_eq!(arrived.path, "/hooks");
}

#[tokio::test]
async fn a_fake_signs_with_its_own_secret_and_links_to_itself() {
    let github = FakeGitHub::builder().webhook_secret("s3cret").start().await.unwrap();
    let delivery = GitHubDelivery::issues("opened").number(3);
    let signed = github.sign(delivery);
    let expected = connect_testkit::sign::github("s3cret", &signed.body);
    assert_eq!(signed.header("X-Hub-Signature-256"), Some(expected.as_str()));
    let url = json_of(&signed)["issue"]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("{}/repos/octo/hello/issues/3", github.url()));

    let slack = FakeSlack::builder().start_time(1_700_000_000).start().await.unwrap();
    let event = SlackDelivery::event_callback(json!({}));
    assert_eq!(slack.sign(event.clone()).header("X-Slack-Request-Timestamp"), Some("1700000000"));
    assert_eq!(slack.sign(event.at(5)).header("X-Slack-Request-Timestamp"), Some("5"));
}

#[test]
fn debug_shows_no_secret() {
    let secret = "canary-secret";
    let printed = [
        format!("{:?}", GitHubDelivery::event("ping").secret(secret)),
        format!("{:?}", SlackDelivery::url_verification("c").secret(secret)),
        format!("{:?}", JiraDelivery::event("e").secret(secret)),
        format!("{:?}", FakeGitHub::builder().token(secret).webhook_secret(secret)),
        format!("{:?}", FakeSlack::builder().token(secret).signing_secret(secret)),
    ];
    for text in printed {
        assert!(!text.contains(secret), "{text}");
    }
}
