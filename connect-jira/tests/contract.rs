//! Every endpoint once against a server that judges requests by Jira's own description. `.ci/contract` runs it.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_jira::{Jira, adf, issue_comments, issue_search, issues, myself};
use futures_util::TryStreamExt;
use serde_json::json;

#[tokio::test]
#[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
async fn every_request_is_what_the_description_asks_for() {
    #[expect(clippy::disallowed_methods, reason = "the server's address is given by the script")]
    let url = std::env::var("CONNECT_CONTRACT_URL").unwrap();
    let jira = Jira::builder().base_url(&url).api_token("hub@example.com", "contract").build().unwrap();

    jira.send(myself::GetCurrentUser::new()).await.unwrap();
    // Requests are judged here, not answers: the official example of an issue has a number for its date.
    let get = issues::GetIssue::new("OPS-7").fields(["summary", "status"]).expand("names");
    jira.send(get).decode_as::<serde_json::Value>().await.unwrap();
    let fields = json!({
        "project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "S", "description": adf::text("T"),
    });
    let create = issues::CreateIssue::new(fields)
        .update(json!({"labels": [{"add": "connect"}]}))
        .properties(json!([{"key": "connect", "value": {"id": "1"}}]));
    jira.send(create).await.unwrap();
    jira.send(issues::GetTransitions::new("OPS-7").expand("transitions.fields")).await.unwrap();
    let transition = issues::DoTransition::new("OPS-7", "31")
        .fields(json!({"resolution": {"name": "Done"}}))
        .update(json!({"comment": [{"add": {"body": adf::text("Done.")}}]}));
    jira.send(transition).await.unwrap();
    let comment = issue_comments::AddComment::new("OPS-7", adf::text("Hi"))
        .properties(json!([{"key": "connect", "value": {"id": "1"}}]))
        .visibility(json!({"type": "role", "value": "Administrators"}));
    jira.send(comment).await.unwrap();
    let search = issue_search::Search::new("project = \"OPS\"")
        .max_results(10)
        .expand("names")
        .reconcile_issues([10_001, 10_002]);
    let pages: Vec<_> = jira.pages(search).try_collect().await.unwrap();
    assert!(!pages.is_empty());
}
