//! The published vectors, so that the fakes sign what the providers sign.

use connect_testkit::{GitHubDelivery, JiraDelivery, SlackDelivery, sign};
use serde_json::json;

const SECRET: &str = "It's a Secret to Everybody";

#[test]
fn github_signs_as_its_published_vector_says() {
    assert_eq!(
        sign::github(SECRET, b"Hello, World!"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
}

#[test]
fn slack_signs_as_its_published_vector_says() {
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    assert_eq!(
        sign::slack("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body),
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    );
    assert_eq!(
        sign::slack("fa2c05deeef5a4077494e89f54394de0", 1_531_420_618, b"test-body"),
        "v0=baa91ef62d346e56607bbdd278a8acd570b91226854f15a382f43d33be42f666"
    );
}

#[test]
fn jira_signs_as_its_published_vector_says() {
    assert_eq!(
        sign::jira(SECRET, b"Hello World!"),
        "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    );
}

#[test]
fn deliveries_sign_the_exact_bytes_they_carry() {
    let github = GitHubDelivery::issues("opened").form_encoded().sign(SECRET);
    assert_eq!(github.header("x-hub-signature-256"), Some(sign::github(SECRET, &github.body).as_str()));

    let slack = SlackDelivery::message_action("to_issue").at(42).sign(SECRET);
    assert_eq!(slack.header("x-slack-signature"), Some(sign::slack(SECRET, 42, &slack.body).as_str()));
    assert_eq!(slack.header("x-slack-request-timestamp"), Some("42"));

    let jira = JiraDelivery::event("jira:issue_updated").issue("TEST-7", "A summary").sign(SECRET);
    assert_eq!(jira.header("x-hub-signature"), Some(sign::jira(SECRET, &jira.body).as_str()));
}

#[test]
fn a_wrong_signature_is_well_formed_and_does_not_fit() {
    let cases = [
        ("X-Hub-Signature-256", GitHubDelivery::event("ping").with_wrong_signature().sign(SECRET), 71),
        (
            "X-Slack-Signature",
            SlackDelivery::url_verification("c").at(42).with_wrong_signature().sign(SECRET),
            67,
        ),
        ("X-Hub-Signature", JiraDelivery::new(json!({})).with_wrong_signature().sign(SECRET), 71),
    ];
    for (name, delivery, length) in cases {
        let value = delivery.header(name).unwrap();
        assert_eq!(value.len(), length, "{name}");
        assert_ne!(value, sign::github(SECRET, &delivery.body));
        assert_ne!(value, sign::slack(SECRET, 42, &delivery.body));
    }
}

#[test]
fn without_a_secret_there_is_no_signature() {
    assert_eq!(GitHubDelivery::event("ping").build().header("X-Hub-Signature-256"), None);
    assert_eq!(SlackDelivery::url_verification("c").build().header("X-Slack-Signature"), None);
    assert_eq!(JiraDelivery::event("jira:issue_created").build().header("X-Hub-Signature"), None);
}
