//! `conversations.list`, `conversations.history` and `conversations.replies`, page by page.
//!
//! History is newest first and shows replies only when they were broadcast; a thread is oldest first, its
//! parent at the head. Metadata comes along only with `include_all_metadata`.
//! Not here: private channels and direct messages. Asking for only those lists nothing.

use serde_json::{Value, json};

use super::answer::{Handled, Refused};
use super::arguments::Arguments;
use super::chat::{channel, object};
use super::cursor::page;
use super::methods::Call;
use super::workspace::{BOT_USER, Channel, Message, TEAM, Workspace, micros};

const CHANNEL_TYPES: [&str; 4] = ["public_channel", "private_channel", "mpim", "im"];

/// `conversations.list`
pub(crate) fn list(workspace: &mut Workspace, call: &Call<'_>) -> Handled {
    let types = call.arguments.text("types").unwrap_or_else(|| CHANNEL_TYPES[0].to_owned());
    let types: Vec<&str> = types.split(',').map(str::trim).collect();
    if !types.iter().all(|kind| CHANNEL_TYPES.contains(kind)) {
        return Err(Refused("invalid_types"));
    }
    let shown = workspace.channels.iter().filter(|_| types.contains(&CHANNEL_TYPES[0]));
    let (channels, next) = page(shown.collect(), call.arguments, "channel", |channel| &channel.id)?;
    let channels: Vec<Value> = channels.into_iter().map(channel_json).collect();
    // This method always answers with a cursor, an empty one at the end.
    let metadata = json!({ "next_cursor": next.unwrap_or_default() });
    Ok(object([("channels", channels.into()), ("response_metadata", metadata)]))
}

/// `conversations.history`
pub(crate) fn history(workspace: &mut Workspace, call: &Call<'_>) -> Handled {
    let channel = channel(workspace, call.arguments)?;
    let window = Window::of(call.arguments)?;
    let shown: Vec<&Message> = workspace
        .messages
        .iter()
        .rev()
        .filter(|message| message.channel == channel && message.is_in_channel() && window.contains(message))
        .collect();
    let mut answer = messages_page(workspace, shown, call.arguments, "next_ts")?;
    answer.insert("pin_count".to_owned(), 0.into());
    Ok(answer)
}

/// `conversations.replies`
pub(crate) fn replies(workspace: &mut Workspace, call: &Call<'_>) -> Handled {
    let channel = channel(workspace, call.arguments)?;
    let window = Window::of(call.arguments)?;
    let ts = call.arguments.text("ts").unwrap_or_default();
    let root = workspace.message(&channel, &ts).ok_or(Refused("thread_not_found"))?;
    // The parent is part of every thread, whatever the window.
    let replies = workspace.replies(root).into_iter().filter(|reply| window.contains(reply));
    let thread: Vec<&Message> = std::iter::once(root).chain(replies).collect();
    messages_page(workspace, thread, call.arguments, "thread_ts")
}

fn messages_page(
    workspace: &Workspace,
    messages: Vec<&Message>,
    arguments: &Arguments,
    kind: &str,
) -> Handled {
    let (messages, next) = page(messages, arguments, kind, |message| &message.ts)?;
    let with_metadata = arguments.flag("include_all_metadata");
    let messages: Vec<Value> =
        messages.into_iter().map(|message| workspace.json(message, with_metadata)).collect();
    let mut answer = object([("messages", messages.into()), ("has_more", next.is_some().into())]);
    // Unlike the list of channels, these two leave the cursor out at the end.
    if let Some(next) = next {
        answer.insert("response_metadata".to_owned(), json!({ "next_cursor": next }));
    }
    Ok(answer)
}

/// The stretch of time between `oldest` and `latest`; its ends belong to it only when `inclusive` says so.
struct Window {
    oldest: Option<u64>,
    latest: Option<u64>,
    inclusive: bool,
}

impl Window {
    fn of(arguments: &Arguments) -> Result<Self, Refused> {
        let bound = |name: &str, error: &'static str| match arguments.text(name) {
            None => Ok(None),
            Some(ts) => micros(&ts).map(Some).ok_or(Refused(error)),
        };
        Ok(Self {
            oldest: bound("oldest", "invalid_ts_oldest")?,
            latest: bound("latest", "invalid_ts_latest")?,
            inclusive: arguments.flag("inclusive"),
        })
    }

    fn contains(&self, message: &Message) -> bool {
        let at = micros(&message.ts).unwrap_or_default();
        let inside = |bound: Option<u64>, is_inside: fn(u64, u64) -> bool| {
            bound.is_none_or(|bound| is_inside(at, bound) || (self.inclusive && at == bound))
        };
        inside(self.oldest, |at, oldest| at > oldest) && inside(self.latest, |at, latest| at < latest)
    }
}

fn channel_json(channel: &Channel) -> Value {
    let text = json!({ "value": "", "creator": "", "last_set": 0 });
    json!({
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "previous_names": [],
        "created": channel.created,
        "updated": channel.created.saturating_mul(1000),
        "creator": BOT_USER,
        "is_channel": true,
        "is_group": false,
        "is_im": false,
        "is_mpim": false,
        "is_private": false,
        "is_archived": false,
        "is_general": false,
        "is_member": true,
        "is_shared": false,
        "is_ext_shared": false,
        "is_org_shared": false,
        "is_pending_ext_shared": false,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "shared_team_ids": [TEAM],
        "context_team_id": TEAM,
        "parent_conversation": null,
        "unlinked": 0,
        "num_members": 1,
        "topic": text.clone(),
        "purpose": text,
    })
}
