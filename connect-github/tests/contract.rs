//! Every endpoint once against a server that judges requests by GitHub's own description. `.ci/contract` runs it.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_github::{GitHub, issues, users};
use futures_util::TryStreamExt;

#[tokio::test]
#[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
async fn every_request_is_what_the_description_asks_for() {
    #[expect(clippy::disallowed_methods, reason = "the server's address is given by the script")]
    let url = std::env::var("CONNECT_CONTRACT_URL").unwrap();
    let github = GitHub::builder().token("contract").base_url(&url).build().unwrap();

    github.send(users::GetAuthenticated::new()).await.unwrap();
    // Requests are judged here, not answers: this operation's official example is a dangling reference.
    github.send(issues::Get::new("octo", "hello", 7)).decode_as::<serde_json::Value>().await.unwrap();
    let create =
        issues::Create::new("octo", "hello", "Title").body("Text").labels(["bug"]).assignees(["mona"]);
    github.send(create.milestone(1)).await.unwrap();
    github.send(issues::CreateComment::new("octo", "hello", 7, "Text")).await.unwrap();
    let list = issues::ListForRepo::new("octo", "hello")
        .milestone("1")
        .state("all")
        .assignee("mona")
        .creator("mona")
        .mentioned("mona")
        .labels(["bug", "ui"])
        .sort("updated")
        .direction("asc")
        .since("2026-01-01T00:00:00Z");
    let all: Vec<_> = github.stream(list).try_collect().await.unwrap();
    assert!(all.len() > 1, "the list has several pages");
}
