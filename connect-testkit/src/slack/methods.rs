//! The methods that the fake knows: one row each, with what Slack documents about it.
//!
//! A row names the documented verb, whether JSON bodies are read, and every documented argument. Slack answers
//! calls with other arguments and merely warns, so they are recorded as problems; so is a documented argument
//! that this fake does not act on where a test might wait for its effect.
//! Every other name is `unknown_method`.

use http::Method;

use super::answer::Handled;
use super::arguments::Arguments;
use super::workspace::Workspace;
use super::{chat, conversations};
use crate::server::Received;

/// One call, with everything that a handler may look at.
pub(crate) struct Call<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) origin: &'a str,
    pub(crate) now: u64,
}

type Handler = fn(&mut Workspace, &Call<'_>) -> Handled;

pub(crate) struct Row {
    pub(crate) name: &'static str,
    verb: Method,
    pub(crate) reads_json: bool,
    arguments: &'static [&'static str],
    /// A complaint that depends on the values.
    check: fn(&Workspace, &Arguments) -> Option<&'static str>,
    pub(crate) handler: Handler,
}

const METHODS: &[Row] = &[
    Row {
        name: "auth.test",
        verb: Method::POST,
        reads_json: true,
        arguments: &[],
        check: nothing,
        handler: chat::auth_test,
    },
    Row {
        name: "chat.getPermalink",
        verb: Method::GET,
        reads_json: false,
        arguments: &["channel", "message_ts"],
        check: nothing,
        handler: chat::get_permalink,
    },
    Row {
        name: "chat.postMessage",
        verb: Method::POST,
        reads_json: true,
        arguments: &[
            "as_user",
            "attachments",
            "blocks",
            "channel",
            "current_draft_last_updated_ts",
            "icon_emoji",
            "icon_url",
            "link_names",
            "markdown_text",
            "metadata",
            "mrkdwn",
            "parse",
            "reply_broadcast",
            "text",
            "thread_ts",
            "unfurl_links",
            "unfurl_media",
            "username",
        ],
        check: chat::post_message_problem,
        handler: chat::post_message,
    },
    Row {
        name: "conversations.history",
        verb: Method::GET,
        reads_json: true,
        arguments: &["channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"],
        check: nothing,
        handler: conversations::history,
    },
    Row {
        name: "conversations.list",
        verb: Method::GET,
        reads_json: false,
        arguments: &["cursor", "exclude_archived", "limit", "team_id", "types"],
        check: nothing,
        handler: conversations::list,
    },
    Row {
        name: "conversations.replies",
        verb: Method::GET,
        reads_json: false,
        arguments: &[
            "channel",
            "cursor",
            "include_all_metadata",
            "inclusive",
            "latest",
            "limit",
            "oldest",
            "ts",
        ],
        check: nothing,
        handler: conversations::replies,
    },
];

fn nothing(_: &Workspace, _: &Arguments) -> Option<&'static str> {
    None
}

pub(crate) fn find(name: &str) -> Option<&'static Row> {
    METHODS.iter().find(|row| row.name == name)
}

impl Row {
    pub(crate) fn problems(&self, request: &Received, workspace: &Workspace) -> Vec<String> {
        let name = self.name;
        let Ok(arguments) = Arguments::parse(request, self.reads_json) else { return Vec::new() };
        let mut problems = Vec::new();
        for argument in arguments.names() {
            if argument == "token" {
                problems.push(format!("{name} got a token as argument; it belongs in the header"));
            } else if !self.arguments.contains(&argument) {
                problems.push(format!("{name} has no argument `{argument}`"));
            }
        }
        // Slack takes POST for everything, so only the other direction is odd.
        if self.verb == Method::POST && request.method == Method::GET {
            problems.push(format!("{name} is documented with POST"));
        }
        if arguments.ignored_json {
            problems.push(format!("{name} reads no JSON; its arguments were ignored"));
        }
        if arguments.lacks_charset {
            problems.push(format!("{name} got JSON without `charset=utf-8`"));
        }
        problems.extend((self.check)(workspace, &arguments).map(str::to_owned));
        problems
    }
}
