//! The hub as its users run it: a process with variables, arguments, a port and logs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::{Output, Stdio};
use std::time::Duration;

use connect_testkit::github::FakeApp;
use connect_testkit::{FakeGitHub, FakeSlack, GitHubDelivery, SlackDelivery};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far longer than anything here takes; only a hang ends it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub with these variables and no others.
fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-hub"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn finished(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        timeout(PATIENCE, command(arguments, variables).output()).await.expect("it ends by itself").unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A hub that listens, with what it printed so far.
struct Running {
    child: Child,
    url: String,
    output: String,
    /// Read from the start: a full pipe would hold the hub up.
    log: JoinHandle<String>,
}

async fn all_of(mut pipe: impl AsyncReadExt + Unpin) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn started(variables: &[(&str, &str)]) -> Running {
    started_on("127.0.0.1:0", variables).await
}

async fn started_on(address: &str, variables: &[(&str, &str)]) -> Running {
    let mut child = command(&["--bind", address], variables).spawn().unwrap();
    let log = tokio::spawn(all_of(child.stderr.take().unwrap()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut output = String::new();
    loop {
        let line =
            timeout(PATIENCE, lines.next_line()).await.expect("it starts").unwrap().expect("it listens");
        output.push_str(&line);
        output.push('\n');
        if let Some(rest) = line.strip_prefix("listening on ") {
            let url = rest.split(' ').next().unwrap().to_owned();
            return Running { child, url, output, log };
        }
    }
}

impl Running {
    /// Sends a signal. The shell's own `kill`: not every machine has the program.
    async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop, and yields everything it ever printed.
    async fn stop(mut self) -> String {
        self.signal("TERM").await;
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it stops").unwrap();
        let printed = self.output + &self.log.await.unwrap();
        assert!(status.success(), "it stops in order: {printed}");
        printed
    }
}

#[tokio::test]
async fn the_story_holds_and_is_told_as_json_too() {
    let (code, stdout, stderr) = finished(&["--check", "--json"], &[]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(told["failed"], 0);
    assert!(told["beats"].as_array().unwrap().iter().all(|beat| beat["holds"] == true));
}

#[tokio::test]
async fn the_story_with_trace_logging_shows_no_credential() {
    // Every credential of the story's fakes contains this.
    let canary = "fake-testkit";
    let (code, stdout, stderr) = finished(&["--check"], &[("CONNECT_LOG", "trace")]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stderr.contains("TRACE"), "the log is there");
    let found = stdout.lines().chain(stderr.lines()).find(|line| line.contains(canary));
    assert!(found.is_none(), "a credential shows: {found:?}");
}

#[tokio::test]
async fn a_proxy_in_the_environment_sees_nothing() {
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let variables = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, url.as_str()));
    let (code, stdout, stderr) = finished(&["--check"], &variables).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(timeout(Duration::ZERO, proxy.accept()).await.is_err(), "something went to the proxy");
}

#[tokio::test]
async fn a_second_signal_ends_a_hub_that_waits_for_a_slow_client() {
    let mut hub = started(&[("GITHUB_WEBHOOK_SECRET", "s3cret")]).await;
    let address = hub.url.strip_prefix("http://").unwrap();
    let mut dawdler = tokio::net::TcpStream::connect(address).await.unwrap();
    dawdler.write_all(b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n").await.unwrap();
    hub.signal("TERM").await;
    loop {
        hub.signal("TERM").await;
        if let Ok(status) = timeout(Duration::from_millis(20), hub.child.wait()).await {
            assert!(!status.unwrap().success(), "it says that it did not end in order");
            break;
        }
    }
}

#[tokio::test]
async fn no_credential_shows_in_any_line_even_with_trace_logging() {
    let github = FakeGitHub::builder().token("ghp_canary1").webhook_secret("canary2").start().await.unwrap();
    let slack = FakeSlack::builder().token("xoxb-canary3").signing_secret("canary4").start().await.unwrap();
    slack.add_channel("C1", "pulls");
    let hub = started(&[
        ("CONNECT_LOG", "trace"),
        ("GITHUB_TOKEN", "ghp_canary1"),
        ("GITHUB_WEBHOOK_SECRET", "canary2"),
        ("GITHUB_API_URL", github.url()),
        ("CONNECT_GITHUB_REDELIVERY", "repos/octo/hello/hooks/1"),
        ("SLACK_BOT_TOKEN", "xoxb-canary3"),
        ("SLACK_SIGNING_SECRET", "canary4"),
        ("SLACK_API_URL", slack.url()),
        ("CONNECT_SLACK_CHANNEL", "C1"),
        ("JIRA_BASE_URL", "http://127.0.0.1:9"),
        ("JIRA_EMAIL", "hub@example.com"),
        ("JIRA_API_TOKEN", "canary5"),
        ("JIRA_WEBHOOK_SECRET", "canary6"),
    ])
    .await;

    // The story in short: a message, a failing post, forged and stale deliveries.
    let url = format!("{}/webhooks/github", hub.url);
    // Every event has a body of its own; the same bytes under a new id would be a replay.
    let opened = |number| {
        GitHubDelivery::pull_request("opened")
            .repository("octo", "hello")
            .number(number)
            .title("Door")
            .sender("mona")
    };
    let mut answers = String::new();
    for (delivery, status) in [(opened(7), 202), (opened(7).with_wrong_signature(), 401)] {
        let reply = github.deliver(&url, delivery).await.unwrap();
        assert_eq!(reply.status, status);
        answers.push_str(&format!("{:?} {}", reply.headers, reply.text()));
    }
    timeout(PATIENCE, slack.wait_for("chat.postMessage", 1)).await.unwrap();
    slack.faults().on("chat.postMessage").status(500).times(1);
    assert_eq!(github.deliver(&url, opened(8)).await.unwrap().status, 202);
    timeout(PATIENCE, slack.wait_for("chat.postMessage", 2)).await.unwrap();
    let stale = SlackDelivery::event_callback(json!({"type": "app_mention"})).at(1_700_000_000);
    let reply = slack.deliver(&format!("{}/webhooks/slack", hub.url), stale).await.unwrap();
    assert_eq!(reply.status, 401);
    answers.push_str(&format!("{:?} {}", reply.headers, reply.text()));

    timeout(PATIENCE, github.wait_for("repos/list-webhook-deliveries", 1)).await.unwrap();
    let printed = hub.stop().await;
    assert!(
        printed.contains("TRACE") && printed.contains("may have been applied"),
        "the log is there: {printed}"
    );
    assert!(slack.requests().iter().any(|request| request.authorized), "the token was used");
    let basic = "aHViQGV4YW1wbGUuY29tOmNhbmFyeTU="; // hub@example.com:canary5
    for canary in ["canary", basic] {
        let found = printed.lines().chain(answers.lines()).find(|line| line.contains(canary));
        assert!(found.is_none(), "a credential shows: {found:?}");
    }
}

#[tokio::test]
async fn the_hub_signs_in_as_an_app_and_asks_for_what_its_webhook_missed() {
    const LIST: &str = "apps/list-webhook-deliveries";
    const ASK: &str = "apps/redeliver-webhook-delivery";
    let public = include_str!("../../../connect-github/tests/keys/public.test-only.pem");
    let key = include_str!("../../../connect-github/tests/keys/rsa-2048.test-only.pem");
    let github = FakeGitHub::builder().app(FakeApp::new("Iv1.fake", 4242, public)).start().await.unwrap();
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C1", "pulls");
    let delivery = |number: u64| {
        let pull = GitHubDelivery::pull_request("opened").repository("octo", "hello").number(number);
        pull.title(format!("Missed {number}")).installation(9)
    };
    // Nobody listens there until the hub does.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/webhooks/github");
    for number in 1..=3 {
        assert!(github.deliver(&url, delivery(number)).await.is_err());
    }

    let hub = started_on(
        &address,
        &[
            ("CONNECT_LOG", "trace"),
            ("GITHUB_WEBHOOK_SECRET", github.webhook_secret()),
            ("GITHUB_API_URL", github.url()),
            ("GITHUB_APP_ID", "4242"),
            ("GITHUB_APP_PRIVATE_KEY", key),
            ("CONNECT_GITHUB_REDELIVERY", "app"),
            ("CONNECT_GITHUB_REDELIVERY_SECONDS", "0.1"),
            // Once at once, and then not before it has settled.
            ("CONNECT_GITHUB_REDELIVERY_WAITS", "0,60"),
            ("SLACK_BOT_TOKEN", slack.token()),
            ("SLACK_API_URL", slack.url()),
            ("CONNECT_SLACK_CHANNEL", "C1"),
        ],
    )
    .await;
    assert!(hub.output.contains("failed deliveries of app 4242 are asked for"), "{}", hub.output);
    timeout(PATIENCE, slack.wait_for("chat.postMessage", 3)).await.unwrap();
    // Some more passes, which must find nothing to ask for.
    timeout(PATIENCE, github.wait_for(LIST, github.count(LIST) + 3)).await.unwrap();
    let printed = hub.stop().await;
    assert_eq!(github.count(ASK), 3, "{printed}");
    let again: Vec<_> = github.deliveries().into_iter().filter(|attempt| attempt.redelivery).collect();
    assert!(again.len() == 3 && again.iter().all(|attempt| attempt.status_code == 202), "{again:?}");
    let messages = slack.messages("C1");
    for number in 1..=3 {
        let about = format!("Missed {number}");
        assert_eq!(messages.iter().filter(|message| message.text.contains(&about)).count(), 1, "{about}");
    }
    // What it signs in with begins with `{"alg"` or `{"typ"` in base64; a line of the key is enough to know it by.
    for canary in ["eyJhbGci", "eyJ0eXAi", key.lines().nth(3).unwrap()] {
        assert!(!printed.contains(canary), "a credential shows");
    }
}

#[tokio::test]
async fn what_was_accepted_is_finished_before_the_hub_stops() {
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C1", "pulls");
    let hub = started(&[
        ("GITHUB_WEBHOOK_SECRET", "s3cret"),
        ("SLACK_BOT_TOKEN", slack.token()),
        ("SLACK_API_URL", slack.url()),
        ("CONNECT_SLACK_CHANNEL", "C1"),
        ("CONNECT_GITHUB_ACTIONS", "opened"),
    ])
    .await;
    assert!(hub.output.contains("durability: memory"), "{}", hub.output);
    assert!(hub.output.contains("jira    off"), "{}", hub.output);
    let url = format!("{}/webhooks/github", hub.url);
    for number in 1..=20 {
        let action = if number % 2 == 0 { "labeled" } else { "opened" };
        let delivery =
            GitHubDelivery::issues(action).repository("octo", "hello").number(number).sign("s3cret");
        assert_eq!(delivery.deliver_to(&url).await.unwrap().status, 202);
    }
    hub.stop().await;
    assert_eq!(slack.messages("C1").len(), 10, "only the announced action");
}

#[tokio::test]
async fn mistakes_get_one_clear_line_that_names_the_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let github = ("GITHUB_WEBHOOK_SECRET", "s3cret");
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);
    let cases: &[Case] = &[
        (&["--frob"], &[], 2, "--frob"),
        (&["--bind", "nowhere"], &[], 2, "127.0.0.1:5001"),
        (&["--fake", "gitlab"], &[], 2, "github, slack, jira"),
        (&["--bind", "0.0.0.0:0"], &[github], 2, "CONNECT_API_TOKEN"),
        (&["--db", "/nonexistent/folder/hub.db"], &[github], 1, "/nonexistent/folder/hub.db"),
        (&[], &[github, ("CONNECT_RETRY_SECONDS", "soon")], 2, "CONNECT_RETRY_SECONDS"),
        (&[], &[github, ("CONNECT_LEASE_SECONDS", "0")], 2, "CONNECT_LEASE_SECONDS"),
        (&["--bind", &port], &[github], 1, "the port is in use"),
        (&[], &[github, ("CONNECT_BIND", "x")], 2, "CONNECT_BIND"),
        (&[], &[github, ("CONNECT_LOG", "=,=loud")], 2, "CONNECT_LOG"),
        (&[], &[("GITHUB_TOKEN", "canary")], 2, "GITHUB_WEBHOOK_SECRET is not set"),
        (&[], &[("SLACK_BOT_TOKEN", "canary")], 2, "CONNECT_SLACK_CHANNEL is not set"),
        (&[], &[("JIRA_EMAIL", "a@example.com")], 2, "JIRA_BASE_URL is not set"),
        (&[], &[("GITHUB_API_URL", "http://x.example"), github], 2, "GITHUB_API_URL"),
        (&["--json"], &[github], 2, "--check"),
        (&["--fake", "github"], &[("CONNECT_GITHUB_REDELIVERY", "app")], 2, "the fake GitHub has no App"),
        (
            &[],
            &[
                github,
                ("CONNECT_GITHUB_REDELIVERY", "app"),
                ("GITHUB_APP_ID", "7"),
                ("GITHUB_APP_PRIVATE_KEY", "canary"),
            ],
            2,
            "GITHUB_APP_PRIVATE_KEY",
        ),
    ];
    for (arguments, variables, code, part) in cases {
        let (exit, stdout, stderr) = finished(arguments, variables).await;
        assert_eq!(exit, *code, "{arguments:?} {variables:?}: {stdout}{stderr}");
        let line = stderr.lines().find(|line| line.starts_with("connect-hub: ")).unwrap_or_default();
        assert!(line.contains(part), "{arguments:?} {variables:?}: {stderr}");
        assert!(!stderr.contains("canary") && !stderr.contains("panicked"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

/// A folder of its own, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("connect-hub-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_database_holds_no_credential_and_survives_a_restart() {
    let folder = Folder::new("canary");
    let database = folder.file("hub.db");
    let slack = FakeSlack::builder().token("xoxb-canary1").signing_secret("canary2").start().await.unwrap();
    slack.add_channel("C1", "pulls");
    let variables = [
        ("CONNECT_DATABASE_URL", database.as_str()),
        ("GITHUB_WEBHOOK_SECRET", "canary3"),
        ("SLACK_BOT_TOKEN", "xoxb-canary1"),
        ("SLACK_SIGNING_SECRET", "canary2"),
        ("SLACK_API_URL", slack.url()),
        ("CONNECT_SLACK_CHANNEL", "C1"),
        ("CONNECT_API_TOKEN", "canary4"),
    ];
    let hub = started(&variables).await;
    assert!(hub.output.contains("durability: disk"), "{}", hub.output);
    let mention = json!({"type": "app_mention", "text": "hi"});
    let legacy = SlackDelivery::new(json!({
        "type": "event_callback", "event_id": "Ev1", "team_id": "T1", "token": "canary5", "event": mention,
    }));
    assert_eq!(
        slack.deliver(&format!("{}/webhooks/slack", hub.url), legacy.clone()).await.unwrap().status,
        200
    );
    let opened = GitHubDelivery::issues("opened").repository("octo", "hello").number(1).sign("canary3");
    assert_eq!(opened.deliver_to(&format!("{}/webhooks/github", hub.url)).await.unwrap().status, 202);
    let handed_in = json!({
        "source_service": "slack", "target_service": "jira", "event_type": "message_action",
        "payload": {"token": "canary6"},
    });
    let (url, headers) = (format!("{}/api/v1/integrations", hub.url), [("authorization", "Bearer canary4")]);
    let post = axum::http::Method::POST;
    let reply = connect_testkit::send(post, &url, &headers, handed_in.to_string()).await.unwrap();
    assert_eq!(reply.status, 202, "{}", reply.text());
    timeout(PATIENCE, slack.wait_for("chat.postMessage", 1)).await.unwrap();
    hub.stop().await;

    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "a credential is in the file");
    }

    let hub = started(&variables).await;
    let url = format!("{}/webhooks/github", hub.url);
    let again = opened.deliver_to(&url).await.unwrap();
    assert!(again.text().contains("duplicate"), "{}", again.text());
    let api = format!("{}/api/v1/integrations/2", hub.url);
    let get = |headers: Vec<(&'static str, &'static str)>| {
        let api = api.clone();
        async move { connect_testkit::send(axum::http::Method::GET, &api, &headers, "").await.unwrap() }
    };
    assert_eq!(get(vec![]).await.status, 401);
    assert_eq!(get(vec![("authorization", "Bearer wrong")]).await.status, 401);
    let record = get(vec![("authorization", "Bearer canary4")]).await;
    assert_eq!(
        (record.status.as_u16(), record.json()["status"].clone()),
        (200, json!("ok")),
        "{}",
        record.text()
    );
    assert_eq!(slack.messages("C1").len(), 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = Folder::new("foreign");
    let database = folder.file("notes.txt");
    std::fs::write(&database, "these are my notes, not a database; please leave them alone".repeat(100))
        .unwrap();
    let before = std::fs::read(&database).unwrap();
    let (code, _, stderr) = finished(&["--db", &database], &[("GITHUB_WEBHOOK_SECRET", "s3cret")]).await;
    assert_eq!((code, stderr.lines().count()), (1, 1), "{stderr}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[tokio::test]
async fn nothing_configured_exits_2_with_instructions() {
    let (code, _, stderr) = finished(&[], &[]).await;
    assert_eq!(code, 2);
    for part in ["--demo", "GITHUB_WEBHOOK_SECRET", "SLACK_BOT_TOKEN", "JIRA_API_TOKEN"] {
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[tokio::test]
async fn a_fake_for_one_service_says_so_loudly() {
    let mut child =
        command(&["--fake", "github", "--fake", "slack", "--bind", "127.0.0.1:0"], &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut output = String::new();
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        let last = line.starts_with("listening on");
        output.push_str(&line);
        output.push('\n');
        if last {
            break;
        }
    }
    assert!(
        output.contains("github  FAKE on http://127.0.0.1") && output.contains("slack   FAKE"),
        "{output}"
    );
    child.kill().await.unwrap();
}
