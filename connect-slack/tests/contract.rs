//! Every method once against a server that judges requests by Slack's own method reference. `.ci/contract` runs it.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_slack::{Slack, auth, chat, conversations};
use futures_util::TryStreamExt;
use serde_json::json;

#[tokio::test]
#[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
async fn every_request_is_what_the_reference_asks_for() {
    #[expect(clippy::disallowed_methods, reason = "the server's address is given by the script")]
    let url = std::env::var("CONNECT_CONTRACT_URL").unwrap();
    let slack = Slack::builder().token("xoxb-contract").base_url(&format!("{url}/api/")).build().unwrap();

    slack.send(auth::Test::new()).await.unwrap();
    let post = chat::PostMessage::new("C0123456789")
        .text("hi")
        .blocks(json!([{"type": "divider"}]))
        .metadata(json!({"event_type": "x", "event_payload": {"id": "1"}}))
        .thread_ts("1700000000.000100")
        .reply_broadcast(true)
        .unfurl_links(false)
        .unfurl_media(false)
        .username("hub")
        .icon_emoji(":robot_face:");
    slack.send(post).await.unwrap();
    slack.send(chat::PostMessage::new("C0123456789").markdown_text("**hi**")).await.unwrap();
    slack.send(chat::GetPermalink::new("C0123456789", "1700000000.000100")).await.unwrap();
    let list =
        conversations::List::new().exclude_archived(true).team_id("T0123456789").types("public_channel");
    let _: Vec<_> = slack.stream(list).try_collect().await.unwrap();
    let history = conversations::History::new("C0123456789")
        .include_all_metadata(true)
        .inclusive(true)
        .oldest("1600000000.000000")
        .latest("1700000000.000000")
        .limit(15);
    let _: Vec<_> = slack.stream(history).try_collect().await.unwrap();
    let replies = conversations::Replies::new("C0123456789", "1700000000.000100").include_all_metadata(true);
    let _: Vec<_> = slack.stream(replies).try_collect().await.unwrap();
}
