//! The fake Jira's comments and transitions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod jira_support;

use std::time::Duration;

use jira_support::{START, document, get, jira, post};
use serde_json::{Value, json};

#[tokio::test]
async fn comments_hang_on_their_issue() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    jira.advance_clock(Duration::from_secs(60));
    let body = document("Looking into it");
    let created = post(&jira, &format!("/issue/{key}/comment"), json!({ "body": body })).await;
    assert_eq!(created.status, 201);
    let comment = created.json();
    assert_eq!(comment["body"], body);
    assert_eq!(comment["author"]["accountId"], jira.account_id());
    assert_eq!(comment["created"], "2023-11-14T22:14:20.000+0000");

    let held = &jira.comments(&key)[0];
    assert_eq!((&held.body, held.author.as_str(), held.created_at), (&body, jira.account_id(), START + 60));
    assert_eq!(comment["id"], held.id.as_str());
    let issue = get(&jira, &format!("/issue/{key}?fields=comment,updated")).await.json();
    assert_eq!(issue["fields"]["comment"]["comments"][0], comment);
    assert_eq!(issue["fields"]["updated"], "2023-11-14T22:14:20.000+0000");
    assert_eq!(jira.issues("OPS")[0].comments.len(), 1);
}

#[tokio::test]
async fn a_comment_must_be_a_document() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let empty = json!({ "type": "doc", "version": 1, "content": [] });
    for body in [json!({}), json!({ "body": "text" }), json!({ "body": {} }), json!({ "body": empty })] {
        let refused = post(&jira, &format!("/issue/{key}/comment"), body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.json()["errors"]["comment"].is_string(), "{body}");
    }
    assert!(jira.comments(&key).is_empty());
}

#[tokio::test]
async fn comments_are_paged_by_start_and_size() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    for number in 0..105 {
        assert!(jira.add_comment(&key, &format!("Comment {number}")).is_some());
    }
    assert_eq!(jira.add_comment("OPS-9", "lost"), None);
    let cases = [
        ("", 0, 100, 100, "Comment 0"),
        ("?startAt=100", 100, 100, 5, "Comment 100"),
        ("?startAt=2&maxResults=3", 2, 3, 3, "Comment 2"),
        ("?maxResults=5000", 0, 100, 100, "Comment 0"),
        ("?orderBy=-created&maxResults=1", 0, 1, 1, "Comment 104"),
        ("?orderBy=%2Bcreated&maxResults=1", 0, 1, 1, "Comment 0"),
    ];
    for (query, start, size, length, first) in cases {
        let page = get(&jira, &format!("/issue/{key}/comment{query}")).await.json();
        let comments = page["comments"].as_array().unwrap();
        assert_eq!(
            (&page["startAt"], &page["maxResults"], &page["total"], comments.len()),
            (&json!(start), &json!(size), &json!(105), length),
            "{query}"
        );
        assert_eq!(comments[0]["body"], document(first), "{query}");
    }
    let beyond = get(&jira, &format!("/issue/{key}/comment?startAt=18446744073709551615")).await.json();
    assert_eq!(beyond["comments"], json!([]));
    for query in ["?startAt=-1", "?maxResults=many", "?orderBy=author"] {
        assert_eq!(get(&jira, &format!("/issue/{key}/comment{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn transitions_lead_through_the_workflow() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let path = format!("/issue/{key}/transitions");
    let offered = get(&jira, &path).await.json();
    let shown: Vec<(&Value, &Value, &Value)> = offered["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| (&offer["id"], &offer["to"]["name"], &offer["to"]["statusCategory"]["key"]))
        .collect();
    let expected = [
        (json!("11"), json!("To Do"), json!("new")),
        (json!("21"), json!("In Progress"), json!("indeterminate")),
        (json!("31"), json!("Done"), json!("done")),
    ];
    assert_eq!(shown, expected.each_ref().map(|(id, name, category)| (id, name, category)));

    for (id, status) in [("21", "In Progress"), ("31", "Done"), ("31", "Done"), ("11", "To Do")] {
        let moved = post(&jira, &path, json!({ "transition": { "id": id } })).await;
        assert_eq!((moved.status.as_u16(), moved.body.len()), (204, 0));
        assert_eq!(jira.issues("OPS")[0].status, status);
        let issue = get(&jira, &format!("/issue/{key}?fields=status")).await.json();
        assert_eq!(issue["fields"]["status"]["name"], status);
    }
    assert_eq!(jira.count("doTransition"), 4);
}

#[tokio::test]
async fn an_unknown_transition_is_refused_and_changes_nothing() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let path = format!("/issue/{key}/transitions");
    for body in [json!({}), json!({ "transition": {} }), json!({ "transition": { "id": "99" } })] {
        let refused = post(&jira, &path, body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.json()["errorMessages"][0].is_string(), "{body}");
    }
    assert_eq!(jira.issues("OPS")[0].status, "To Do");
}

#[tokio::test]
async fn a_person_can_move_an_issue_too() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    assert!(jira.transition(&key, "done"));
    assert_eq!(jira.issues("ops")[0].status, "Done");
    assert!(!jira.transition(&key, "Lost"));
    assert!(!jira.transition("OPS-9", "Done"));
}

#[tokio::test]
async fn a_single_transition_and_its_fields_can_be_asked_for() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let path = format!("/issue/{key}/transitions?transitionId=31&expand=transitions.fields");
    let offered = get(&jira, &path).await.json();
    assert_eq!(offered["transitions"].as_array().unwrap().len(), 1);
    assert_eq!(offered["transitions"][0]["fields"], json!({}));
}
