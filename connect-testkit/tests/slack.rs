//! The fake Slack answers as Slack does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use connect_testkit::{FakeSlack, Reply, post, send};
use http::Method;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

async fn slack() -> FakeSlack {
    let slack = FakeSlack::builder().start_time(1_700_000_000).start().await.unwrap();
    slack.add_channel("C0PULLS", "pulls");
    slack
}

async fn call(slack: &FakeSlack, method: &str, media: &str, body: impl Into<String>) -> Reply {
    let bearer = format!("Bearer {}", slack.token());
    let headers = [("authorization", bearer.as_str()), ("content-type", media)];
    post(&format!("{}{method}", slack.url()), &headers, body.into()).await.unwrap()
}

async fn form(slack: &FakeSlack, method: &str, fields: &[(&str, &str)]) -> Value {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    call(slack, method, FORM, body).await.json()
}

async fn say(slack: &FakeSlack, text: &str) -> String {
    let answer = form(slack, "chat.postMessage", &[("channel", "C0PULLS"), ("text", text)]).await;
    answer["ts"].as_str().unwrap().to_owned()
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_posted_message_is_kept_and_returned() {
    let slack = slack().await;
    let reply = call(
        &slack,
        "chat.postMessage",
        JSON,
        json!({
            "channel": "C0PULLS",
            "text": "PR 7",
            "blocks": [{ "type": "divider" }],
            "metadata": { "event_type": "pull", "event_payload": { "number": 7, "nested": { "a": [1] } } },
        })
        .to_string(),
    )
    .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(reply.header("x-slack-req-id").is_some() && reply.header("x-oauth-scopes").is_some());
    let answer = reply.json();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["channel"], "C0PULLS");
    assert_eq!(answer["ts"], "1700000000.000001");
    assert_eq!(answer["message"]["text"], "PR 7");
    assert_eq!(answer["message"]["type"], "message");
    assert!(answer["message"]["bot_id"].is_string() && answer["message"]["user"].is_string());

    let held = &slack.messages("C0PULLS")[0];
    assert_eq!(held.ts, "1700000000.000001");
    assert_eq!(held.metadata.as_ref().unwrap()["event_payload"]["nested"]["a"][0], 1);
    assert_eq!(held.blocks, Some(json!([{ "type": "divider" }])));
    assert_eq!(held.thread_ts, None);
    assert!(slack.requests()[0].problems.is_empty());
}

#[tokio::test]
async fn json_inside_a_form_is_understood() {
    let slack = slack().await;
    let metadata = r#"{"event_type":"pull","event_payload":{"number":7}}"#;
    let answer = form(
        &slack,
        "chat.postMessage",
        &[
            ("channel", "#pulls"),
            ("text", "x"),
            ("blocks", r#"[{"type":"divider"}]"#),
            ("metadata", metadata),
        ],
    )
    .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let held = &slack.messages("C0PULLS")[0];
    assert_eq!(held.metadata.as_ref().unwrap()["event_payload"]["number"], 7);
    assert_eq!(held.blocks, Some(json!([{ "type": "divider" }])));
}

#[tokio::test]
async fn wrong_posts_get_slacks_error_words() {
    let slack = slack().await;
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[("text", "x")], "channel_not_found"),
        (&[("channel", "C0NOWHERE"), ("text", "x")], "channel_not_found"),
        (&[("channel", "C0PULLS")], "no_text"),
        (&[("channel", "C0PULLS"), ("text", "")], "no_text"),
        (&[("channel", "C0PULLS"), ("blocks", "{")], "invalid_blocks_format"),
        (&[("channel", "C0PULLS"), ("text", "x"), ("metadata", "[]")], "invalid_metadata_format"),
        (&[("channel", "C0PULLS"), ("text", "x"), ("metadata", "{}")], "invalid_metadata_schema"),
        (&[("channel", "C0PULLS"), ("text", "x"), ("thread_ts", "1.0")], "cannot_reply_to_message"),
        (&[("channel", "C0PULLS"), ("text", "x"), ("markdown_text", "y")], "markdown_text_conflict"),
        (&[("channel", "C0PULLS"), ("text", "x"), ("attachments", "7")], "invalid_attachments"),
    ];
    for (fields, error) in cases {
        let answer = form(&slack, "chat.postMessage", fields).await;
        assert_eq!(answer, json!({ "ok": false, "error": error }), "{fields:?}");
    }
    let bodies = [
        (JSON, "{", "invalid_json"),
        (JSON, "[]", "json_not_object"),
        ("text/plain", "x", "invalid_post_type"),
    ];
    for (media, body, error) in bodies {
        assert_eq!(call(&slack, "chat.postMessage", media, body).await.json()["error"], error);
    }
    assert_eq!(form(&slack, "chat.shout", &[]).await["error"], "unknown_method");
    assert!(slack.messages("C0PULLS").is_empty());
}

#[tokio::test]
async fn the_token_counts_only_in_the_header() {
    let slack = slack().await;
    let url = format!("{}auth.test?token={}", slack.url(), slack.token());
    let none = post(&url, &[("content-type", FORM)], format!("token={}", slack.token())).await.unwrap();
    assert_eq!(none.status, 200);
    assert_eq!(none.json()["error"], "not_authed");
    let wrong = post(&url, &[("authorization", "Bearer xoxb-other")], "").await.unwrap();
    assert_eq!(wrong.json()["error"], "invalid_auth");

    let request = &slack.requests()[0];
    assert!(!request.authorized);
    assert!(request.problems[0].contains("token"), "{:?}", request.problems);
    assert!(!format!("{request:?}").contains(slack.token()));

    let good = form(&slack, "auth.test", &[]).await;
    assert_eq!(good["ok"], true);
    assert!(good["team_id"].as_str().unwrap().starts_with('T'));
}

#[tokio::test]
async fn the_base_url_works_with_and_without_its_slash() {
    let slack = slack().await;
    let bare = slack.url().trim_end_matches('/');
    let bearer = format!("Bearer {}", slack.token());
    for url in [format!("{bare}/auth.test"), format!("{}/auth.test", slack.url())] {
        let reply = post(&url, &[("authorization", &bearer)], "").await.unwrap();
        assert_eq!(reply.json()["ok"], true, "{url}");
    }
    let outside = bare.trim_end_matches("/api").to_owned() + "/auth.test";
    let reply = post(&outside, &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(reply.status, 404);
    assert_eq!(slack.requests()[2].operation, None);
}

#[tokio::test]
async fn channels_are_listed_page_by_page() {
    let slack = FakeSlack::start().await.unwrap();
    for number in 0..5 {
        slack.add_channel(&format!("C{number}"), &format!("channel-{number}"));
    }
    let bearer = format!("Bearer {}", slack.token());
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("limit", "2")
            .append_pair("cursor", &cursor)
            .finish();
        let url = format!("{}conversations.list?{query}", slack.url());
        let answer = send(Method::GET, &url, &[("authorization", &bearer)], "").await.unwrap().json();
        ids.extend(answer["channels"].as_array().unwrap().iter().map(|channel| channel["id"].clone()));
        cursor = answer["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
        assert!(cursor.ends_with('='), "{cursor}");
    }
    assert_eq!(ids, ["C0", "C1", "C2", "C3", "C4"]);
    assert_eq!(slack.count("conversations.list"), 3);

    assert_eq!(
        form(&slack, "conversations.list", &[("cursor", "bm9uc2Vuc2U=")]).await["error"],
        "invalid_cursor"
    );
    assert_eq!(form(&slack, "conversations.list", &[("limit", "5000")]).await["error"], "invalid_limit");
    assert_eq!(form(&slack, "conversations.list", &[("types", "im")]).await["channels"], json!([]));
    assert_eq!(form(&slack, "conversations.list", &[("types", "cat")]).await["error"], "invalid_types");
}

#[tokio::test]
async fn history_is_newest_first_and_steady_while_messages_arrive() {
    let slack = slack().await;
    for text in ["one", "two", "three"] {
        say(&slack, text).await;
    }
    let first = form(&slack, "conversations.history", &[("channel", "C0PULLS"), ("limit", "2")]).await;
    assert_eq!(texts(&first), ["three", "two"]);
    assert_eq!(first["has_more"], true);
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();

    slack.add_message("C0PULLS", "four");
    let second =
        form(&slack, "conversations.history", &[("channel", "C0PULLS"), ("limit", "2"), ("cursor", cursor)])
            .await;
    assert_eq!(texts(&second), ["one"]);
    assert_eq!(second["has_more"], false);
    assert_eq!(second.get("response_metadata"), None);
    assert_eq!(
        form(&slack, "conversations.history", &[("channel", "pulls")]).await["error"],
        "channel_not_found"
    );
}

#[tokio::test]
async fn history_can_be_cut_by_time() {
    let slack = slack().await;
    let stamps = [say(&slack, "one").await, say(&slack, "two").await, say(&slack, "three").await];
    let bounds = [("channel", "C0PULLS"), ("oldest", stamps[0].as_str()), ("latest", stamps[2].as_str())];
    assert_eq!(texts(&form(&slack, "conversations.history", &bounds).await), ["two"]);
    let inclusive = [&bounds[..], &[("inclusive", "true")]].concat();
    assert_eq!(texts(&form(&slack, "conversations.history", &inclusive).await), ["three", "two", "one"]);
    let wrong = [("channel", "C0PULLS"), ("oldest", "yesterday")];
    assert_eq!(form(&slack, "conversations.history", &wrong).await["error"], "invalid_ts_oldest");
}

#[tokio::test]
async fn metadata_is_read_back_only_on_request() {
    let slack = slack().await;
    let metadata = r#"{"event_type":"pull","event_payload":{"key":"octo/hello#7"}}"#;
    form(&slack, "chat.postMessage", &[("channel", "C0PULLS"), ("text", "x"), ("metadata", metadata)]).await;
    let plain = form(&slack, "conversations.history", &[("channel", "C0PULLS")]).await;
    assert_eq!(plain["messages"][0].get("metadata"), None);
    let full = [("channel", "C0PULLS"), ("include_all_metadata", "true")];
    let full = form(&slack, "conversations.history", &full).await;
    assert_eq!(full["messages"][0]["metadata"]["event_payload"]["key"], "octo/hello#7");
}

#[tokio::test]
async fn replies_form_a_thread_below_their_parent() {
    let slack = slack().await;
    let parent = say(&slack, "parent").await;
    let reply = |text: &'static str, broadcast: &'static str, thread: String| {
        let slack = &slack;
        async move {
            form(
                slack,
                "chat.postMessage",
                &[
                    ("channel", "C0PULLS"),
                    ("text", text),
                    ("thread_ts", &thread),
                    ("reply_broadcast", broadcast),
                ],
            )
            .await
        }
    };
    let first = reply("first", "false", parent.clone()).await;
    assert_eq!(first["message"]["thread_ts"], parent);
    reply("loud", "true", parent.clone()).await;
    // A reply's own timestamp is a common mistake: Slack keeps the thread together, and the fake complains.
    reply("nested", "false", first["ts"].as_str().unwrap().to_owned()).await;
    let problems = slack.requests().last().unwrap().problems.clone();
    assert!(problems.iter().any(|problem| problem.contains("parent")), "{problems:?}");

    let history = form(&slack, "conversations.history", &[("channel", "C0PULLS")]).await;
    assert_eq!(texts(&history), ["loud", "parent"]);
    assert_eq!(history["messages"][1]["reply_count"], 3);

    let arguments = [("channel", "C0PULLS"), ("ts", parent.as_str()), ("limit", "3")];
    let thread = form(&slack, "conversations.replies", &arguments).await;
    assert_eq!(texts(&thread), ["parent", "first", "loud"]);
    let cursor = thread["response_metadata"]["next_cursor"].as_str().unwrap();
    let rest = [&arguments[..], &[("cursor", cursor)]].concat();
    assert_eq!(texts(&form(&slack, "conversations.replies", &rest).await), ["nested"]);
    let missing = [("channel", "C0PULLS"), ("ts", "1.0")];
    assert_eq!(form(&slack, "conversations.replies", &missing).await["error"], "thread_not_found");
}

#[tokio::test]
async fn a_permalink_names_channel_and_message() {
    let slack = slack().await;
    let ts = say(&slack, "x").await;
    let link = form(&slack, "chat.getPermalink", &[("channel", "C0PULLS"), ("message_ts", &ts)]).await;
    assert!(link["permalink"].as_str().unwrap().ends_with("/archives/C0PULLS/p1700000000000001"), "{link}");
    let missing = form(&slack, "chat.getPermalink", &[("channel", "C0PULLS"), ("message_ts", "1.0")]).await;
    assert_eq!(missing["error"], "message_not_found");
}

#[tokio::test]
async fn timestamps_are_unique_and_increase() {
    let slack = slack().await;
    let mut stamps = Vec::new();
    for _ in 0..20 {
        stamps.push(say(&slack, "x").await);
    }
    let mut sorted = stamps.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted, stamps);
}

#[tokio::test]
async fn careless_calls_are_answered_and_recorded_as_problems() {
    let slack = slack().await;
    let answer = call(
        &slack,
        "chat.postMessage",
        "application/json",
        r#"{"channel":"C0PULLS","text":"x","color":"red"}"#,
    )
    .await
    .json();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["warning"], "missing_charset");
    assert_eq!(answer["response_metadata"]["warnings"], json!(["missing_charset"]));
    // This method reads no JSON, so the channel is not seen.
    let ignored = call(&slack, "conversations.replies", JSON, r#"{"channel":"C0PULLS"}"#).await.json();
    assert_eq!(ignored["error"], "channel_not_found");

    let problems: Vec<String> = slack.requests().into_iter().flat_map(|request| request.problems).collect();
    for expected in ["`color`", "charset", "reads no JSON"] {
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:?}");
    }
}
