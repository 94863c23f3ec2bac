//! Jira -> Slack: transitions and comments go into the thread that the issue came from.
//!
//! What our own account did is skipped: it would only echo.

use connect_flow::mapping::MappingFilter;
use connect_flow::{Cx, Envelope, Failure, Handled, Slice};
use connect_jira::webhook::Event;
use connect_jira::{Jira, adf, myself};
use connect_slack::mrkdwn;
use tokio::sync::OnceCell;

use super::failure;
use super::slack_thread::{Place, Poster};
use crate::settings::{Settings, SlackSettings};

/// Longer comments are cut; the issue has the whole.
const COMMENT_CHARS: usize = 500;

pub(super) struct JiraToSlack {
    jira: Jira,
    poster: Poster,
    /// Who we are in Jira; asked once.
    account: OnceCell<String>,
}

impl JiraToSlack {
    pub(super) fn new(slack: &SlackSettings, jira: Jira, settings: &Settings) -> Self {
        let poster = Poster::new(slack.client.clone(), settings.settle);
        Self { jira, poster, account: OnceCell::new() }
    }

    pub(super) async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        let parsed: Event = serde_json::from_slice(&event.payload)
            .map_err(|_| failure::of_payload("the payload is no Jira event"))?;
        let Some(issue) = &parsed.issue else {
            return Ok(Handled::Skipped("the event names no issue".into()));
        };
        let Some(text) = text(&parsed, &issue.key) else {
            return Ok(Handled::Skipped(format!("nothing to say about this change of {}", issue.key)));
        };
        let filter = MappingFilter {
            source_service: Some("slack".to_owned()),
            target_service: Some("jira".to_owned()),
            target_id: Some(issue.key.clone()),
            ..MappingFilter::default()
        };
        let found = cx.store().mappings(cx.tenant(), &filter, Slice::default()).await;
        let found = found.map_err(|error| Failure::retry("store", error.to_string()))?;
        let Some((channel, ts)) = found.rows.first().and_then(|mapping| mapping.source_id.split_once('/'))
        else {
            return Ok(Handled::Skipped(format!("{} is linked to no thread", issue.key)));
        };
        // Asked last: most events end above.
        if actor(&parsed) == Some(self.account().await?) {
            return Ok(Handled::Skipped("an echo of our own doing".into()));
        }
        let place = Place { channel, thread: Some(ts) };
        let posted = self.poster.post(cx, "post-update", &event.dedupe_key, place, text).await?;
        Ok(Handled::Done(format!("posted {posted} into the thread of {}", issue.key)))
    }

    async fn account(&self) -> Result<&str, Failure> {
        let ask =
            || async { self.jira.send(myself::GetCurrentUser::new()).await.map(|user| user.account_id) };
        let account = self.account.get_or_try_init(ask).await;
        account.map(String::as_str).map_err(|error| failure::of_read(&error))
    }
}

/// Whose doing it was.
fn actor(event: &Event) -> Option<&str> {
    let author = event.comment.as_ref().and_then(|comment| comment.author.as_ref());
    author.or(event.user.as_ref()).map(|user| user.account_id.as_str())
}

fn text(event: &Event, key: &str) -> Option<String> {
    let name = |user: &connect_jira::model::User| mrkdwn::escape(&user.display_name).into_owned();
    if let Some(comment) = &event.comment {
        let who = comment.author.as_ref().or(event.user.as_ref()).map_or_else(|| "Somebody".to_owned(), name);
        let words = adf::plain_text(&comment.body);
        let mut short: String = words.chars().take(COMMENT_CHARS).collect();
        if words.chars().nth(COMMENT_CHARS).is_some() {
            short.push('…');
        }
        return Some(format!("{who} commented on {key}: {}", mrkdwn::escape(&short)));
    }
    let status = event.changelog.as_ref()?.items.iter().find(|item| item.field == "status")?;
    let who = event.user.as_ref().map_or_else(|| "Somebody".to_owned(), name);
    let (from, to) =
        (status.from_string.as_deref().unwrap_or("?"), status.to_string.as_deref().unwrap_or("?"));
    Some(format!("{who} moved {key} from {} to *{}*", mrkdwn::escape(from), mrkdwn::escape(to)))
}
