//! The beats, in order. Each leaves the stage settled: nothing waits, nothing runs.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http::Method;
use connect_testkit::{GitHubDelivery, JiraDelivery, Reply, SlackDelivery, post, send};
use serde_json::{Value, json};

use super::process::{Process, look};
use super::stage::{Stage, until};
use crate::settings::{FAKE_CHANNEL, FAKE_PROJECT};

type Act = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

pub(super) const ALL: [(&str, Act); 29] = [
    ("the hub answers", |stage| Box::pin(stage.health())),
    ("GitHub: a pull request is opened", |stage| Box::pin(stage.pull_request())),
    ("GitHub: an issue is closed", |stage| Box::pin(stage.issue())),
    ("GitHub: the same delivery three times", |stage| Box::pin(stage.three_times())),
    ("GitHub: a delivery as a form", |stage| Box::pin(stage.form())),
    ("GitHub: an event nobody knows", |stage| Box::pin(stage.unknown())),
    ("GitHub: an event for another tenant", |stage| Box::pin(stage.other_tenant())),
    ("Slack: the handshake", |stage| Box::pin(stage.handshake())),
    ("Slack: an event", |stage| Box::pin(stage.slack_event())),
    ("Slack: a shortcut on a message, twice", |stage| Box::pin(stage.shortcut())),
    ("Jira: the issue is moved", |stage| Box::pin(stage.transition())),
    ("Jira: somebody comments", |stage| Box::pin(stage.comment())),
    ("Jira: an echo of our own doing", |stage| Box::pin(stage.echo())),
    ("an event handed in by a program", |stage| Box::pin(stage.handed_in())),
    ("attack: a wrong signature", |stage| Box::pin(stage.wrong_signature())),
    ("attack: a Slack request of an hour ago", |stage| Box::pin(stage.stale())),
    ("mistake: a body that is too big", |stage| Box::pin(stage.oversized())),
    ("mistake: JSON that is cut off", |stage| Box::pin(stage.malformed())),
    ("mistake: a route that does not exist", |stage| Box::pin(stage.unknown_route())),
    ("Slack answers 429 with Retry-After: 1", |stage| Box::pin(stage.rate_limited())),
    ("Slack answers 500 to a post", |stage| Box::pin(stage.failing_post())),
    ("Slack drops the connection after a post", |stage| Box::pin(stage.dropped_post())),
    ("Jira answers 429 with Retry-After: 1", |stage| Box::pin(stage.jira_rate_limited())),
    ("Jira drops the connection after a create", |stage| Box::pin(stage.dropped_create())),
    ("Slack is down, then healed and replayed", |stage| Box::pin(stage.dead_letter())),
    ("one tenant floods, another sends one", |stage| Box::pin(stage.flood())),
    ("kill -9 after Jira made the issue", |stage| Box::pin(stage.killed_after_effect())),
    ("kill -9 after the commit", |stage| Box::pin(stage.killed_after_commit())),
    ("the hub is down for three GitHub deliveries", |stage| Box::pin(stage.down_for_three())),
];

const POST: &str = "chat.postMessage";
const CREATE: &str = "createIssue";

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

const NO_HEADERS: [(&str, &str); 0] = [];

impl Stage {
    async fn github(&self, delivery: GitHubDelivery, status: u16) -> Result<(), String> {
        let reply = self.github.deliver(&self.route("/webhooks/github"), delivery).await.map_err(failed)?;
        answered(&reply, status)?;
        self.settled().await.map(drop)
    }

    async fn slack(&self, delivery: SlackDelivery, status: u16) -> Result<Reply, String> {
        let reply = self.slack.deliver(&self.route("/webhooks/slack"), delivery).await.map_err(failed)?;
        answered(&reply, status)?;
        self.settled().await?;
        Ok(reply)
    }

    async fn jira(&self, delivery: JiraDelivery) -> Result<(), String> {
        let reply = self.jira.deliver(&self.route("/webhooks/jira"), delivery).await.map_err(failed)?;
        answered(&reply, 202)?;
        self.settled().await.map(drop)
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let reply = send(Method::GET, &self.route(path), &NO_HEADERS, "").await.map_err(failed)?;
        answered(&reply, 200)?;
        Ok(reply.json())
    }

    /// Sends something that must be refused, and makes sure that nothing came of it.
    async fn refused(
        &self,
        status: u16,
        sent: impl Future<Output = std::io::Result<Reply>>,
    ) -> Result<String, String> {
        let (before, messages, refused) = (self.settled().await?, self.texts().len(), self.hub.refused());
        let reply = sent.await.map_err(failed)?;
        answered(&reply, status)?;
        let after = self.settled().await?;
        ensure(after == before && self.texts().len() == messages, || "something came of it".into())?;
        ensure(self.hub.refused() == refused + 1, || "it was not counted".into())?;
        Ok(format!("{status}, counted, nothing stored"))
    }

    async fn health(&self) -> Result<String, String> {
        let answer = self.get("/health").await?;
        ensure(answer == json!({"status": "healthy", "service": "connect"}), || {
            format!("answered {answer}")
        })?;
        Ok("200 healthy".into())
    }

    async fn pull_request(&self) -> Result<String, String> {
        self.github(pull(7, "Fix the <!channel> door"), 202).await?;
        let text = self.texts().pop().unwrap_or_default();
        let expected =
            text.contains("mona opened pull request") && text.contains("#7 Fix the &lt;!channel&gt; door");
        ensure(expected, || format!("the message is: {text}"))?;
        Ok("202, one message, the title cannot wake the channel".into())
    }

    async fn issue(&self) -> Result<String, String> {
        let delivery =
            GitHubDelivery::issues("closed").repository("octo", "hello").number(8).title("Squeaks");
        self.github(delivery.sender("hubot"), 202).await?;
        ensure(self.with_text("hubot closed issue") == 1, || {
            format!("the messages are: {:?}", self.texts())
        })?;
        Ok("202, one message".into())
    }

    async fn three_times(&self) -> Result<String, String> {
        let (delivery, before) = (pull(9, "Once only"), self.settled().await?.done);
        for _ in 0..3 {
            self.github(delivery.clone(), 202).await?;
        }
        ensure(self.with_text("#9 Once only") == 1, || {
            format!("{} messages", self.with_text("#9 Once only"))
        })?;
        ensure(self.counts().await?.done == before + 1, || "it was stored more than once".into())?;
        Ok("202 each time, stored once, one message".into())
    }

    async fn form(&self) -> Result<String, String> {
        self.github(pull(10, "By form & field").form_encoded(), 202).await?;
        let found = self.with_text("#10 By form &amp; field");
        ensure(found == 1, || format!("the messages are: {:?}", self.texts()))?;
        Ok("202, one message".into())
    }

    async fn unknown(&self) -> Result<String, String> {
        let (skipped, messages) = (self.settled().await?.skipped, self.texts().len());
        self.github(GitHubDelivery::new("brand_new", json!({"action": "invented"})), 202).await?;
        ensure(self.counts().await?.skipped == skipped + 1, || "it was not counted".into())?;
        ensure(self.texts().len() == messages, || "a message was posted".into())?;
        Ok("202, counted, nothing posted".into())
    }

    async fn other_tenant(&self) -> Result<String, String> {
        let delivery = pull(11, "For acme");
        let reply =
            self.github.deliver(&self.route("/webhooks/acme/github"), delivery).await.map_err(failed)?;
        answered(&reply, 202)?;
        self.settled().await?;
        ensure(self.with_text("#11 For acme") == 1, || "no message".into())?;
        let newest = self.hub.store().log("acme", connect_flow::Slice::default()).await;
        let rows = newest.map_err(|error| error.to_string())?.total;
        ensure(rows == 1, || format!("{rows} rows in acme's log"))?;
        Ok("202, one message, one row in acme's own log".into())
    }

    async fn handshake(&self) -> Result<String, String> {
        let reply = self.slack(SlackDelivery::url_verification("3eZbrw1a"), 200).await?;
        ensure(reply.text().contains("3eZbrw1a"), || format!("answered {}", reply.text()))?;
        Ok("200 with the challenge".into())
    }

    async fn slack_event(&self) -> Result<String, String> {
        let before = self.settled().await?.skipped;
        let mention =
            json!({"type": "app_mention", "channel": FAKE_CHANNEL, "text": "hi", "ts": "1700000000.000100"});
        self.slack(SlackDelivery::event_callback(mention), 200).await?;
        ensure(self.counts().await?.skipped == before + 1, || "it was not counted".into())?;
        Ok("200, counted (no flow for it)".into())
    }

    /// A message in the fake channel, and somebody's shortcut on it.
    fn shortcut_on(&self, text: &str) -> SlackDelivery {
        let ts = self.slack.add_message(FAKE_CHANNEL, text);
        SlackDelivery::message_action("to_jira").channel(FAKE_CHANNEL, "pulls").message(&ts, text)
    }

    fn issues_about(&self, part: &str) -> Vec<String> {
        let issues = self.jira.issues(FAKE_PROJECT);
        issues.into_iter().filter(|issue| issue.summary.contains(part)).map(|issue| issue.key).collect()
    }

    async fn shortcut(&self) -> Result<String, String> {
        let delivery = self.shortcut_on("The printer is on fire");
        for _ in 0..2 {
            self.slack(delivery.clone(), 200).await?;
        }
        let keys = self.issues_about("printer");
        let [key] = keys.as_slice() else { return Err(format!("{} issues", keys.len())) };
        ensure(self.with_text(&format!("|{key}>")) == 1, || "the thread has no link".into())?;
        let mappings = self.get(&format!("/api/v1/mappings?target_id={key}")).await?;
        ensure(mappings["total"] == 1, || format!("the mappings are {mappings}"))?;
        Ok(format!("one issue ({key}), one mapping, its link in the thread"))
    }

    fn printer(&self) -> Result<String, String> {
        self.issues_about("printer").pop().ok_or_else(|| "there is no issue to speak of".to_owned())
    }

    async fn transition(&self) -> Result<String, String> {
        let key = self.printer()?;
        let moved =
            JiraDelivery::event("jira:issue_updated").issue(&key, "printer").transition("To Do", "Done");
        self.jira(moved.user("5b-somebody")).await?;
        ensure(self.with_text(&format!("moved {key} from To Do to *Done*")) == 1, || {
            format!("the messages are: {:?}", self.texts())
        })?;
        Ok("202, one message in the thread".into())
    }

    async fn comment(&self) -> Result<String, String> {
        let key = self.printer()?;
        let comment = JiraDelivery::event("comment_created").issue(&key, "printer");
        self.jira(comment.comment("10001", "Water is on its way", "5b-somebody")).await?;
        ensure(self.with_text("Water is on its way") == 1, || {
            format!("the messages are: {:?}", self.texts())
        })?;
        Ok("202, one message in the thread".into())
    }

    async fn echo(&self) -> Result<String, String> {
        let (key, skipped) = (self.printer()?, self.settled().await?.skipped);
        let own = JiraDelivery::event("comment_created").issue(&key, "printer");
        self.jira(own.comment("10002", "Our own words", self.jira.account_id())).await?;
        ensure(self.with_text("Our own words") == 0, || "it was echoed".into())?;
        ensure(self.counts().await?.skipped == skipped + 1, || "it was not counted".into())?;
        Ok("202, counted, nothing posted".into())
    }

    async fn handed_in(&self) -> Result<String, String> {
        let url = self.route("/api/v1/integrations");
        let body = json!({"source_service": "github", "target_service": "slack", "event_type": "ping", "payload": {}});
        let reply = post(&url, &NO_HEADERS, body.to_string()).await.map_err(failed)?;
        answered(&reply, 202)?;
        let id = reply.json()["id"].clone();
        ensure(reply.json()["success"] == true && id.is_i64(), || format!("answered {}", reply.text()))?;
        self.settled().await?;
        let record = self.get(&format!("/api/v1/integrations/{id}")).await?;
        let wrote = (record["status"].as_str(), record["target_service"].as_str());
        ensure(wrote == (Some("skipped"), Some("slack")), || format!("the log says {record}"))?;
        let listed = self.get("/api/v1/integrations?limit=1").await?;
        ensure(listed["integrations"][0]["id"] == id, || format!("the newest row is {listed}"))?;
        let wrong =
            json!({"source_service": "gitlab", "target_service": "slack", "event_type": "x", "payload": {}});
        let reply = post(&url, &NO_HEADERS, wrong.to_string()).await.map_err(failed)?;
        answered(&reply, 400)?;
        let of_a_web_page = [("Origin", "https://evil.example")];
        let reply = post(&url, &of_a_web_page, body.to_string()).await.map_err(failed)?;
        answered(&reply, 403)?;
        Ok("202 with its id, one row; a wrong service is 400, a web page 403".into())
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
        self.refused(400, post(&self.route("/webhooks/github"), &headers, body)).await
    }

    async fn unknown_route(&self) -> Result<String, String> {
        let reply = post(&self.route("/webhook"), &NO_HEADERS, "{}").await.map_err(failed)?;
        answered(&reply, 404)?;
        ensure(reply.text().contains("/webhooks/"), || "the answer names no remedy".into())?;
        Ok("404, the answer lists the routes".into())
    }

    async fn rate_limited(&self) -> Result<String, String> {
        let before = self.slack.count(POST);
        self.slack.faults().on(POST).too_many_requests(Duration::from_secs(1)).times(1);
        self.github(pull(13, "Slowly"), 202).await?;
        ensure(self.slack.count(POST) == before + 2, || "it was not sent exactly once more".into())?;
        ensure(self.with_text("#13 Slowly") == 1, || format!("{} messages", self.with_text("#13 Slowly")))?;
        Ok("waited as told, one message".into())
    }

    async fn failing_post(&self) -> Result<String, String> {
        let (looks, posts) = (self.slack.count("conversations.history"), self.slack.count(POST));
        self.slack.faults().on(POST).status(500).times(1);
        self.github(pull(14, "Never twice"), 202).await?;
        ensure(self.with_text("#14 Never twice") == 1, || {
            format!("{} messages", self.with_text("#14 Never twice"))
        })?;
        ensure(self.slack.count("conversations.history") > looks, || "nobody looked for it first".into())?;
        ensure(self.slack.count(POST) == posts + 2, || format!("{} posts", self.slack.count(POST) - posts))?;
        Ok("looked for it, waited, posted again: one message".into())
    }

    async fn dropped_post(&self) -> Result<String, String> {
        let posts = self.slack.count(POST);
        self.slack.faults().on(POST).drop_after_send().times(1);
        self.github(pull(15, "Applied unseen"), 202).await?;
        let found = self.with_text("#15 Applied unseen");
        ensure(found == 1 && self.slack.count(POST) == posts + 1, || format!("{found} messages"))?;
        Ok("found in the channel, not posted again: one message".into())
    }

    async fn jira_rate_limited(&self) -> Result<String, String> {
        let before = self.jira.count(CREATE);
        self.jira.faults().on(CREATE).too_many_requests(Duration::from_secs(1)).times(1);
        self.slack(self.shortcut_on("The coffee is cold"), 200).await?;
        ensure(self.jira.count(CREATE) == before + 2, || "it was not sent exactly once more".into())?;
        ensure(self.issues_about("coffee").len() == 1, || format!("{:?}", self.issues_about("coffee")))?;
        Ok("waited as told, one issue".into())
    }

    async fn dropped_create(&self) -> Result<String, String> {
        let before = self.jira.count(CREATE);
        self.jira.faults().on(CREATE).drop_after_send().times(1);
        self.slack(self.shortcut_on("The door squeaks"), 200).await?;
        let keys = self.issues_about("squeaks");
        ensure(keys.len() == 1 && self.jira.count(CREATE) == before + 1, || format!("{keys:?}"))?;
        Ok("found by its label, not created again: one issue".into())
    }

    async fn dead_letter(&self) -> Result<String, String> {
        self.slack.faults().on(POST).status(503).always();
        self.slack.faults().on("conversations.history").status(503).always();
        let before = self.settled().await?.dead;
        self.github(pull(16, "In vain"), 202).await?;
        self.slack.faults().clear();
        ensure(self.counts().await?.dead == before + 1, || "it was not given up".into())?;
        let letters = self.get("/api/v1/dead-letters").await?;
        let letter = letters["dead_letters"][0].clone();
        let chain = letter["attempts"].as_array().map_or(0, Vec::len);
        ensure(chain == 4, || format!("{chain} attempts: {letter}"))?;

        let url = self.route(&format!("/api/v1/dead-letters/{}/replay", letter["id"]));
        let reply = post(&url, &NO_HEADERS, "").await.map_err(failed)?;
        answered(&reply, 202)?;
        self.settled().await?;
        ensure(self.with_text("#16 In vain") == 1, || format!("{} messages", self.with_text("#16 In vain")))?;
        let letters = self.get("/api/v1/dead-letters").await?;
        let kept = &letters["dead_letters"][0];
        ensure(kept["replayed_as"] == reply.json()["id"] && kept["attempts"] == letter["attempts"], || {
            format!("the original is {kept}")
        })?;
        Ok(format!("{chain} attempts, dead letter, replayed: one message, the chain is kept"))
    }

    async fn flood(&self) -> Result<String, String> {
        const FLOOD: usize = 2_000;
        let url = self.route("/webhooks/acme/github");
        // An event without a flow costs the worker next to nothing, so that the queue, not Slack, is what is tested.
        let deliveries = (0..FLOOD).map(|number| {
            let delivery = self.github.sign(GitHubDelivery::new("flood", json!({"number": number})));
            let url = url.clone();
            async move { delivery.deliver_to(&url).await }
        });
        let mut sending =
            futures_util::StreamExt::buffer_unordered(futures_util::stream::iter(deliveries), 32);
        let mut accepted = 0;
        let mut single = None;
        while let Some(reply) = futures_util::StreamExt::next(&mut sending).await {
            answered(&reply.map_err(failed)?, 202)?;
            accepted += 1;
            if accepted == FLOOD / 2 {
                let url = self.route("/webhooks/github");
                let reply = self.github.deliver(&url, GitHubDelivery::event("ping")).await.map_err(failed)?;
                answered(&reply, 202)?;
                let newest =
                    self.hub.store().log("default", connect_flow::Slice { offset: 0, limit: 1 }).await;
                single = newest.map_err(|error| error.to_string())?.rows.pop().map(|row| row.event);
            }
        }
        self.settled().await?;
        let event = single.ok_or("the single event is not in the log")?;
        let store = self.hub.store();
        until(|| async {
            store
                .log_row("default", event)
                .await
                .is_ok_and(|row| row.is_some_and(|row| row.status == "skipped"))
        })
        .await;
        let row = store.log_row("default", event).await.map_err(|error| error.to_string())?;
        let waited = row.ok_or("the single event has no row")?.duration;
        // Two rounds of claims take milliseconds; the flood takes seconds.
        ensure(waited < Duration::from_secs(1), || format!("the single event took {waited:?}"))?;
        Ok(format!("{FLOOD} events from one, the other's took {} ms", waited.as_millis()))
    }

    async fn killed_after_effect(&self) -> Result<String, String> {
        let database = self._directory.file("killed-effect.sqlite");
        let before = self.jira.count(CREATE);
        // The issue is made, but nobody hears of it: exactly what a process that dies in between leaves behind.
        self.jira.faults().on(CREATE).drop_after_send().times(1);
        let first = Process::start(self, &database).await?;
        let delivery = self.slack.sign(self.shortcut_on("The lamp flickers"));
        let reply = delivery.deliver_to(&format!("{}/webhooks/slack", first.url)).await.map_err(failed)?;
        answered(&reply, 200)?;
        self.jira.wait_for(CREATE, before + 1).await;
        first.kill().await?;

        let second = Process::start(self, &database).await?;
        let store = look(&database)?;
        until(|| async { store.counts().await.is_ok_and(|counts| counts.done == 1) }).await;
        second.kill().await?;
        let keys = self.issues_about("flickers");
        ensure(keys.len() == 1 && self.jira.count(CREATE) == before + 1, || format!("{keys:?}"))?;
        let links = self.with_text(&format!("|{}>", keys[0]));
        ensure(links == 1, || format!("{links} links in the thread"))?;
        Ok("restarted on the same file: still one issue, one link".into())
    }

    async fn killed_after_commit(&self) -> Result<String, String> {
        let database = self._directory.file("killed-commit.sqlite");
        let delivery = self.github.sign(pull(17, "Twice delivered"));
        let first = Process::start(self, &database).await?;
        let store = look(&database)?;
        let url = format!("{}/webhooks/github", first.url);
        // Killed as soon as the event is in the file, whether the sender has its 2xx by then or not.
        let sending = tokio::spawn({
            let delivery = delivery.clone();
            async move { delivery.deliver_to(&url).await }
        });
        let stored = || async {
            let counts = store.counts().await;
            counts.is_ok_and(|counts| counts.pending + counts.leased + counts.done > 0)
        };
        until(stored).await;
        first.kill().await?;
        let _ = sending.await;

        let second = Process::start(self, &database).await?;
        let reply = delivery.deliver_to(&format!("{}/webhooks/github", second.url)).await.map_err(failed)?;
        answered(&reply, 202)?;
        ensure(reply.text().contains("duplicate"), || format!("answered {}", reply.text()))?;
        until(|| async { store.counts().await.is_ok_and(|counts| counts.done == 1) }).await;
        second.kill().await?;
        let found = self.with_text("#17 Twice delivered");
        ensure(found == 1, || format!("{found} messages"))?;
        Ok("the redelivery is a duplicate, one message".into())
    }

    async fn down_for_three(&self) -> Result<String, String> {
        const LIST: &str = "repos/list-webhook-deliveries";
        const ASK: &str = "repos/redeliver-webhook-delivery";
        let variables = [
            ("GITHUB_TOKEN", self.github.token()),
            ("GITHUB_API_URL", self.github.url()),
            ("CONNECT_GITHUB_REDELIVERY", "repos/octo/attic/hooks/1"),
            ("CONNECT_GITHUB_REDELIVERY_SECONDS", "0.1"),
            // Once at once, and then not before it has settled.
            ("CONNECT_GITHUB_REDELIVERY_WAITS", "0,60"),
        ];
        let database = self._directory.file("down.sqlite");
        let of_attic = |number: u64| pull(number, &format!("Attic {number}")).repository("octo", "attic");
        let first = Process::start_on(self, &database, "127.0.0.1:0", &variables).await?;
        let address = first.url.trim_start_matches("http://").to_owned();
        let url = format!("{}/webhooks/github", first.url);
        let reply = self.github.deliver(&url, of_attic(20)).await.map_err(failed)?;
        answered(&reply, 202)?;
        first.kill().await?;
        for number in 21..24 {
            let reply = self.github.deliver(&url, of_attic(number)).await;
            ensure(reply.is_err(), || "somebody answered for a hub that is down".into())?;
        }

        let second = Process::start_on(self, &database, &address, &variables).await?;
        let store = look(&database)?;
        until(|| async { store.counts().await.is_ok_and(|counts| counts.done == 4) }).await;
        // Some more passes, which must find nothing to ask for.
        self.github.wait_for(LIST, self.github.count(LIST) + 3).await;
        second.kill().await?;
        let asked = self.github.count(ASK);
        ensure(asked == 3, || format!("{asked} redeliveries were asked for"))?;
        for number in 20..24 {
            let found = self.with_text(&format!("#{number} Attic {number}"));
            ensure(found == 1, || format!("{found} messages about #{number}"))?;
        }
        Ok("the next hub asks for them: each arrived once, one message each".into())
    }
}
