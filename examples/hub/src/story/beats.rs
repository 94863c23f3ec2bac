//! The beats, in order. Each leaves the stage settled: nothing waits, nothing runs.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use connect_flow::memory::Counts;
use connect_testkit::{GitHubDelivery, JiraDelivery, Reply, SlackDelivery, send};
use serde_json::json;

use super::{JIRA_SECRET, Stage};
use crate::settings::FAKE_CHANNEL;

type Act = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

pub(super) const ALL: [(&str, Act); 18] = [
    ("the hub answers", |stage| Box::pin(stage.health())),
    ("GitHub: a pull request is opened", |stage| Box::pin(stage.pull_request())),
    ("GitHub: an issue is closed", |stage| Box::pin(stage.issue())),
    ("GitHub: the same delivery three times", |stage| Box::pin(stage.three_times())),
    ("GitHub: a delivery as a form", |stage| Box::pin(stage.form())),
    ("GitHub: an event nobody knows", |stage| Box::pin(stage.unknown())),
    ("GitHub: an event for another tenant", |stage| Box::pin(stage.other_tenant())),
    ("Slack: the handshake", |stage| Box::pin(stage.handshake())),
    ("Slack: an event", |stage| Box::pin(stage.slack_event())),
    ("Jira: an event", |stage| Box::pin(stage.jira_event())),
    ("attack: a wrong signature", |stage| Box::pin(stage.wrong_signature())),
    ("attack: a Slack request of an hour ago", |stage| Box::pin(stage.stale())),
    ("mistake: a body that is too big", |stage| Box::pin(stage.oversized())),
    ("mistake: JSON that is cut off", |stage| Box::pin(stage.malformed())),
    ("mistake: a route that does not exist", |stage| Box::pin(stage.unknown_route())),
    ("Slack answers 429 with Retry-After: 1", |stage| Box::pin(stage.rate_limited())),
    ("Slack answers 500 to a post", |stage| Box::pin(stage.failing_post())),
    ("Slack drops the connection after a post", |stage| Box::pin(stage.dropped_post())),
];

const HTTP_POST: &str = "chat.postMessage";

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn failed(error: std::io::Error) -> String {
    format!("no answer: {error}")
}

fn answered(reply: &Reply, status: u16) -> Result<(), String> {
    ensure(reply.status == status, || {
        format!("answered {} instead of {status}: {}", reply.status, reply.text())
    })
}

fn pull(number: u64, title: &str) -> GitHubDelivery {
    GitHubDelivery::pull_request("opened")
        .repository("octo", "hello")
        .number(number)
        .title(title)
        .sender("mona")
}

impl Stage {
    fn route(&self, path: &str) -> String {
        format!("{}{path}", self.hub.url())
    }

    fn counts(&self) -> Counts {
        self.hub.inbox().counts()
    }

    fn texts(&self) -> Vec<String> {
        self.slack.messages(FAKE_CHANNEL).into_iter().map(|message| message.text).collect()
    }

    fn with_text(&self, part: &str) -> usize {
        self.texts().iter().filter(|text| text.contains(part)).count()
    }

    async fn github(&self, delivery: GitHubDelivery, status: u16) -> Result<(), String> {
        let reply = self.github.deliver(&self.route("/webhooks/github"), delivery).await.map_err(failed)?;
        answered(&reply, status)?;
        self.hub.inbox().settled().await;
        Ok(())
    }

    /// Sends something that must be refused, and makes sure that nothing came of it.
    async fn refused(
        &self,
        status: u16,
        sent: impl Future<Output = std::io::Result<Reply>>,
    ) -> Result<String, String> {
        let (before, messages) = (self.counts(), self.texts().len());
        let refused = self.hub.refused();
        let reply = sent.await.map_err(failed)?;
        answered(&reply, status)?;
        self.hub.inbox().settled().await;
        ensure(self.counts() == before && self.texts().len() == messages, || "something came of it".into())?;
        ensure(self.hub.refused() == refused + 1, || "it was not counted".into())?;
        Ok(format!("{status}, counted, nothing processed"))
    }

    async fn health(&self) -> Result<String, String> {
        let none: [(&str, &str); 0] = [];
        let reply = send(axum::http::Method::GET, &self.route("/health"), &none, "").await.map_err(failed)?;
        answered(&reply, 200)?;
        let expected = json!({"status": "healthy", "service": "connect"});
        ensure(reply.json() == expected, || format!("answered {}", reply.text()))?;
        Ok("200 healthy".into())
    }

    async fn pull_request(&self) -> Result<String, String> {
        self.github(pull(7, "Fix the <!channel> door"), 202).await?;
        let text = self.texts().pop().unwrap_or_default();
        ensure(
            text.contains("mona opened pull request") && text.contains("#7 Fix the &lt;!channel&gt; door"),
            || format!("the message is: {text}"),
        )?;
        Ok("202, one message, the title cannot wake the channel".into())
    }

    async fn issue(&self) -> Result<String, String> {
        let delivery = GitHubDelivery::issues("closed")
            .repository("octo", "hello")
            .number(8)
            .title("Squeaks")
            .sender("hubot");
        self.github(delivery, 202).await?;
        ensure(self.with_text("hubot closed issue") == 1, || {
            format!("the messages are: {:?}", self.texts())
        })?;
        Ok("202, one message".into())
    }

    async fn three_times(&self) -> Result<String, String> {
        let (delivery, before) = (pull(9, "Once only"), self.counts().duplicates);
        for _ in 0..3 {
            self.github(delivery.clone(), 202).await?;
        }
        ensure(self.with_text("#9 Once only") == 1, || {
            format!("{} messages", self.with_text("#9 Once only"))
        })?;
        ensure(self.counts().duplicates == before + 2, || "the duplicates were not recognised".into())?;
        Ok("202 each time, one message, 2 duplicates".into())
    }

    async fn form(&self) -> Result<String, String> {
        self.github(pull(10, "By form & field").form_encoded(), 202).await?;
        ensure(self.with_text("#10 By form &amp; field") == 1, || {
            format!("the messages are: {:?}", self.texts())
        })?;
        Ok("202, one message".into())
    }

    async fn unknown(&self) -> Result<String, String> {
        let (skipped, messages) = (self.counts().skipped, self.texts().len());
        self.github(GitHubDelivery::new("brand_new", json!({"action": "invented"})), 202).await?;
        ensure(self.counts().skipped == skipped + 1, || "it was not counted".into())?;
        ensure(self.texts().len() == messages, || "a message was posted".into())?;
        Ok("202, counted, nothing posted".into())
    }

    async fn other_tenant(&self) -> Result<String, String> {
        let delivery = pull(11, "For acme");
        let reply =
            self.github.deliver(&self.route("/webhooks/acme/github"), delivery).await.map_err(failed)?;
        answered(&reply, 202)?;
        self.hub.inbox().settled().await;
        let tenant = self.hub.inbox().outcomes().pop().map(|outcome| outcome.tenant).unwrap_or_default();
        ensure(tenant == "acme", || format!("handled for {tenant}"))?;
        Ok("202, handled for acme".into())
    }

    async fn handshake(&self) -> Result<String, String> {
        let url = self.route("/webhooks/slack");
        let reply =
            self.slack.deliver(&url, SlackDelivery::url_verification("3eZbrw1a")).await.map_err(failed)?;
        answered(&reply, 200)?;
        ensure(reply.text().contains("3eZbrw1a"), || format!("answered {}", reply.text()))?;
        Ok("200 with the challenge".into())
    }

    async fn slack_event(&self) -> Result<String, String> {
        let before = self.counts().accepted;
        let mention =
            json!({"type": "app_mention", "channel": FAKE_CHANNEL, "text": "hi", "ts": "1700000000.000100"});
        let delivery = SlackDelivery::event_callback(mention);
        let reply = self.slack.deliver(&self.route("/webhooks/slack"), delivery).await.map_err(failed)?;
        answered(&reply, 200)?;
        self.hub.inbox().settled().await;
        ensure(self.counts().accepted == before + 1, || "it was not taken in".into())?;
        Ok("200, counted (no flow for it yet)".into())
    }

    async fn jira_event(&self) -> Result<String, String> {
        let before = self.counts().accepted;
        let delivery =
            JiraDelivery::event("jira:issue_updated").issue("OPS-7", "Disk full").sign(JIRA_SECRET);
        let reply = delivery.deliver_to(&self.route("/webhooks/jira")).await.map_err(failed)?;
        answered(&reply, 202)?;
        self.hub.inbox().settled().await;
        ensure(self.counts().accepted == before + 1, || "it was not taken in".into())?;
        Ok("202, counted (no flow for it yet)".into())
    }

    async fn wrong_signature(&self) -> Result<String, String> {
        let delivery = pull(12, "Forged").with_wrong_signature();
        self.refused(401, self.github.deliver(&self.route("/webhooks/github"), delivery)).await
    }

    async fn stale(&self) -> Result<String, String> {
        // Any fixed time will do: it is far more than the five minutes that Slack allows.
        let delivery = SlackDelivery::event_callback(json!({"type": "app_mention"})).at(1_700_000_000);
        self.refused(401, self.slack.deliver(&self.route("/webhooks/slack"), delivery)).await
    }

    async fn oversized(&self) -> Result<String, String> {
        let text = "x".repeat(1024 * 1024);
        let delivery = SlackDelivery::event_callback(json!({"type": "message", "text": text}));
        self.refused(413, self.slack.deliver(&self.route("/webhooks/slack"), delivery)).await
    }

    async fn malformed(&self) -> Result<String, String> {
        let body = r#"{"action": "opened", "#;
        let signature = connect_testkit::sign::github(self.github.webhook_secret(), body.as_bytes());
        let headers = [
            ("Content-Type", "application/json"),
            ("X-GitHub-Event", "issues"),
            ("X-GitHub-Delivery", "cut-off"),
            ("X-Hub-Signature-256", signature.as_str()),
        ];
        self.refused(400, connect_testkit::post(&self.route("/webhooks/github"), &headers, body)).await
    }

    async fn unknown_route(&self) -> Result<String, String> {
        let none: [(&str, &str); 0] = [];
        let reply = connect_testkit::post(&self.route("/webhook"), &none, "{}").await.map_err(failed)?;
        answered(&reply, 404)?;
        ensure(reply.text().contains("/webhooks/"), || "the answer names no remedy".into())?;
        Ok("404, the answer lists the routes".into())
    }

    async fn rate_limited(&self) -> Result<String, String> {
        let before = self.slack.count(HTTP_POST);
        self.slack.faults().on(HTTP_POST).too_many_requests(Duration::from_secs(1)).times(1);
        self.github(pull(13, "Slowly"), 202).await?;
        ensure(self.slack.count(HTTP_POST) == before + 2, || "it was not sent exactly once more".into())?;
        ensure(self.with_text("#13 Slowly") == 1, || format!("{} messages", self.with_text("#13 Slowly")))?;
        Ok("waited as told, one message".into())
    }

    async fn failing_post(&self) -> Result<String, String> {
        self.slack.faults().on(HTTP_POST).status(500).times(1);
        let what = self.posts_once(pull(14, "Never twice")).await?;
        Ok(format!("sent once, not again; {what}"))
    }

    async fn dropped_post(&self) -> Result<String, String> {
        self.slack.faults().on(HTTP_POST).drop_after_send().times(1);
        let what = self.posts_once(pull(15, "Applied unseen")).await?;
        ensure(self.with_text("#15 Applied unseen") == 1, || "not exactly one message".into())?;
        Ok(format!("one message, not two; {what}"))
    }

    /// Delivers an event whose post fails, and makes sure that it is not sent again and the error says why.
    async fn posts_once(&self, delivery: GitHubDelivery) -> Result<String, String> {
        let (before, posts) = (self.counts().failed, self.slack.count(HTTP_POST));
        self.github(delivery, 202).await?;
        ensure(self.slack.count(HTTP_POST) == posts + 1, || "the post was sent again".into())?;
        ensure(self.counts().failed == before + 1, || "the failure was not recorded".into())?;
        let outcome = self.hub.inbox().outcomes().pop().ok_or("no outcome")?;
        let message = outcome.result.err().map(|failure| failure.message).unwrap_or_default();
        ensure(message.contains("may have been applied"), || format!("the error says: {message}"))?;
        Ok("the error says it may have been applied".into())
    }
}
