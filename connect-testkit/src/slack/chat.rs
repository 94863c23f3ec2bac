//! `chat.postMessage`, `chat.getPermalink` and `auth.test`.
//!
//! Posting checks what Slack checks first: the channel, something to show, well-formed blocks and metadata.
//! Text is cut after 40,000 characters, as Slack documents. A reply to a reply joins the parent's thread.
//! Not checked: the blocks' own rules, membership in the channel, and the text's markup.

use serde_json::{Map, Value, json};

use super::answer::{Handled, Refused};
use super::arguments::Arguments;
use super::methods::Call;
use super::workspace::{BOT, BOT_NAME, BOT_USER, Message, TEAM, TEAM_NAME, Workspace};

const LONGEST_TEXT: usize = 40_000;

/// `chat.postMessage`
pub(crate) fn post_message(workspace: &mut Workspace, call: &Call<'_>) -> Handled {
    let arguments = call.arguments;
    let channel = arguments
        .text("channel")
        .and_then(|wanted| workspace.channel_by_id_or_name(&wanted))
        .map(|channel| channel.id.clone())
        .ok_or(Refused("channel_not_found"))?;
    let blocks = list(arguments, "blocks", "invalid_blocks_format")?;
    let attachments = list(arguments, "attachments", "invalid_attachments")?;
    let markdown = arguments.text("markdown_text");
    if markdown.is_some() && (blocks.is_some() || arguments.text("text").is_some()) {
        return Err(Refused("markdown_text_conflict"));
    }
    let text = arguments.text("text").or(markdown);
    if text.is_none() && blocks.is_none() && attachments.is_none() {
        return Err(Refused("no_text"));
    }
    let thread_ts = match arguments.text("thread_ts") {
        None => None,
        Some(ts) => {
            let parent = workspace.message(&channel, &ts).ok_or(Refused("cannot_reply_to_message"))?;
            Some(parent.thread_ts.clone().unwrap_or(ts))
        }
    };
    let metadata = metadata(arguments)?;

    let message = Message {
        ts: workspace.next_ts(call.now),
        channel,
        text: text.unwrap_or_default().chars().take(LONGEST_TEXT).collect(),
        user: BOT_USER.to_owned(),
        bot_id: Some(BOT.to_owned()),
        reply_broadcast: thread_ts.is_some() && arguments.flag("reply_broadcast"),
        thread_ts,
        metadata,
        blocks,
        attachments,
    };
    workspace.messages.push(message.clone());
    Ok(object([
        ("channel", message.channel.as_str().into()),
        ("ts", message.ts.as_str().into()),
        ("message", workspace.json(&message, true)),
    ]))
}

/// What a careful client would not send, although Slack takes it.
pub(crate) fn post_message_problem(workspace: &Workspace, arguments: &Arguments) -> Option<&'static str> {
    let channel = arguments.text("channel").unwrap_or_default();
    let parent = arguments.text("thread_ts").and_then(|ts| workspace.message(&channel, &ts));
    if parent.is_some_and(|parent| parent.thread_ts.is_some()) {
        return Some("`thread_ts` names a reply; it should name the parent of the thread");
    }
    let has_blocks = matches!(arguments.json("blocks"), Ok(Some(_)));
    if has_blocks && arguments.text("text").is_none() {
        return Some("`blocks` without `text`: notifications have nothing to show");
    }
    None
}

/// `chat.getPermalink`
pub(crate) fn get_permalink(workspace: &mut Workspace, call: &Call<'_>) -> Handled {
    let channel = channel(workspace, call.arguments)?;
    let ts = call.arguments.text("message_ts").unwrap_or_default();
    let message = workspace.message(&channel, &ts).ok_or(Refused("message_not_found"))?;
    let mut permalink = format!("{}/archives/{channel}/p{}", call.origin, ts.replace('.', ""));
    if let Some(thread) = &message.thread_ts {
        permalink.push_str(&format!("?thread_ts={thread}&cid={channel}"));
    }
    Ok(object([("channel", channel.into()), ("permalink", permalink.into())]))
}

/// `auth.test`
pub(crate) fn auth_test(_: &mut Workspace, call: &Call<'_>) -> Handled {
    Ok(object([
        ("url", format!("{}/", call.origin).into()),
        ("team", TEAM_NAME.into()),
        ("user", BOT_NAME.into()),
        ("team_id", TEAM.into()),
        ("user_id", BOT_USER.into()),
        ("bot_id", BOT.into()),
        ("is_enterprise_install", false.into()),
    ]))
}

/// The id in `channel`; reading takes no names.
pub(crate) fn channel(workspace: &Workspace, arguments: &Arguments) -> Result<String, Refused> {
    let id = arguments.text("channel").filter(|id| workspace.channel(id).is_some());
    id.ok_or(Refused("channel_not_found"))
}

pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A list, as JSON or as text that contains JSON; an empty one counts as absent.
fn list(arguments: &Arguments, name: &str, error: &'static str) -> Result<Option<Value>, Refused> {
    match arguments.json(name) {
        Ok(None) => Ok(None),
        Ok(Some(Value::Array(items))) => Ok((!items.is_empty()).then_some(Value::Array(items))),
        Ok(Some(_)) | Err(()) => Err(Refused(error)),
    }
}

fn metadata(arguments: &Arguments) -> Result<Option<Value>, Refused> {
    let given = arguments.json("metadata").map_err(|()| Refused("invalid_metadata_format"))?;
    let Some(metadata) = given else { return Ok(None) };
    if !metadata.is_object() {
        return Err(Refused("invalid_metadata_format"));
    }
    if !metadata["event_type"].is_string() || !metadata["event_payload"].is_object() {
        return Err(Refused("invalid_metadata_schema"));
    }
    Ok(Some(json!({ "event_type": metadata["event_type"], "event_payload": metadata["event_payload"] })))
}
