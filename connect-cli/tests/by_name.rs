//! `CallByName`, as a host sees it that knows only when it runs what to call.
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::by_name::CallByName;
use connect_core::{Context, ErrorKind};
use connect_github::GitHub;
use connect_slack::Slack;
use connect_testkit::{FakeGitHub, FakeSlack};
use serde_json::json;

#[tokio::test]
async fn connectors_are_called_through_one_trait() {
    let (github, slack) = (FakeGitHub::start().await.unwrap(), FakeSlack::start().await.unwrap());
    github.add_issue("octo", "hello", "Title");
    slack.add_channel("C1", "general");
    let connectors: [(Box<dyn CallByName>, &str, _, &str); 2] = [
        (
            Box::new(GitHub::builder().token(github.token()).base_url(github.url()).build().unwrap()),
            "issues/get",
            json!({"owner": "octo", "repo": "hello", "issue_number": 1}),
            "/title",
        ),
        (
            Box::new(Slack::builder().token(slack.token()).base_url(slack.url()).build().unwrap()),
            "chat.postMessage",
            json!({"channel": "C1", "text": "Title"}),
            "/message/text",
        ),
    ];
    for (connector, operation, arguments, pointer) in connectors {
        assert!(connector.catalog().find(operation).is_ok());
        let answer = connector.call(&Context::default(), operation, arguments).await.unwrap();
        assert_eq!(answer.pointer(pointer), Some(&json!("Title")));
        let unknown = connector.call(&Context::default(), "dance", json!({})).await.unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_call_that_needs_a_file_says_so_and_sends_nothing() {
    let fake = FakeGitHub::start().await.unwrap();
    let github = GitHub::builder().token(fake.token()).base_url(fake.url()).build().unwrap();
    let arguments = json!({"owner": "octo", "repo": "hello", "release_id": 1, "name": "a.zip"});
    let error = github.call(&Context::default(), "repos/upload-release-asset", arguments).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("client.upload"), "{error}");
    assert!(fake.requests().is_empty());
}
