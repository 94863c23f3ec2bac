//! Every method against a server that judges requests by Slack's own method reference. `.ci/contract` runs it.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_slack::{Slack, auth, chat, conversations};
use futures_util::TryStreamExt;
use serde_json::json;

fn client() -> Slack {
    #[expect(clippy::disallowed_methods, reason = "the server's address is given by the script")]
    let url = std::env::var("CONNECT_CONTRACT_URL").unwrap();
    Slack::builder().token("xoxb-contract").base_url(&format!("{url}/api/")).build().unwrap()
}

#[tokio::test]
#[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
async fn typed_requests_are_what_the_reference_asks_for() {
    let slack = client();
    slack.send(auth::Test::new()).await.unwrap();
    let post = chat::PostMessage::new("C0123456789")
        .text("hi")
        .blocks(json!([{"type": "divider"}]))
        .metadata(json!({"event_type": "x", "event_payload": {"id": "1"}}))
        .thread_ts("1700000000.000100")
        .reply_broadcast(true);
    slack.send(post).await.unwrap();
    slack.send(chat::PostMessage::new("C0123456789").markdown_text("**hi**")).await.unwrap();
    slack.send(chat::GetPermalink::new("C0123456789", "1700000000.000100")).await.unwrap();
    let list = conversations::List::new().exclude_archived(true).types("public_channel");
    let all: Vec<_> = slack.stream(list).try_collect().await.unwrap();
    assert!(all.len() > 1, "the list has several pages");
}

#[cfg(feature = "by-name")]
#[path = "../../connect-github/tests/arguments/mod.rs"]
mod arguments;

#[cfg(feature = "by-name")]
mod every_method {
    use connect_core::argument::Payload;
    use connect_core::by_name::{Entry, Named};
    use connect_core::{Body, Error, ErrorKind, Paging};
    use connect_slack::{CATALOG, Slack, SlackApi};
    use futures_util::TryStreamExt;
    use serde_json::Value;

    use super::arguments::{Amount, Samples};

    /// What the reference says in words only.
    const SAMPLES: Samples = Samples {
        by_name: &[
            ("attachments", r#"[{"text": "hi"}]"#),
            ("blocks", r#"[{"type": "divider"}]"#),
            ("metadata", r#"{"event_type": "a", "event_payload": {"id": "1"}}"#),
            ("unfurls", r#"{"https://example.com/1": {"text": "hi"}}"#),
            ("view", r#"{"type": "home", "blocks": []}"#),
        ],
        by_operation: &[],
    };

    /// Its pages are numbered inside `files`, which the server does not play.
    const ONE_PAGE: &[&str] = &["search.files"];

    #[tokio::test]
    #[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
    async fn is_called_with_all_arguments_and_pages_to_the_end() {
        let slack = super::client();
        let mut wrong = Vec::new();
        for entry in CATALOG.entries() {
            for amount in [Amount::Required, Amount::Everything] {
                for arguments in SAMPLES.of(entry, amount, false) {
                    match call(&slack, entry, amount, arguments).await {
                        Ok(Some(1)) if !ONE_PAGE.contains(&&*entry.operation.name) => {
                            wrong.push(format!("{}: only one page", entry.operation.name));
                        }
                        Ok(_) => {}
                        // Requests are judged here; models have tests of their own.
                        Err(error) if error.kind() == ErrorKind::Decode => {}
                        Err(error) => wrong.push(error.to_string()),
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// How many pages there were, if it is a list.
    async fn call(
        slack: &Slack,
        entry: &Entry,
        amount: Amount,
        arguments: Value,
    ) -> Result<Option<usize>, Error> {
        let named = Named::<SlackApi>::of(entry, arguments)?;
        if matches!(entry.operation.payload, Payload::File(_) | Payload::Multipart(_)) {
            slack.upload(named, Body::from("content")).await?;
        } else if entry.operation.paging != Paging::None && amount == Amount::Required {
            return Ok(Some(slack.pages(named).try_fold(0, async |pages, _| Ok(pages + 1)).await?));
        } else {
            slack.send(named).await?;
        }
        Ok(None)
    }
}
