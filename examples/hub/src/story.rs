//! The story that `--demo` and `--check` play: the fakes of GitHub and Slack, real HTTP, real signatures.
//!
//! Each beat does something a provider (or an attacker) does, and looks at what came out: the answer, the messages in
//! the fake channel, the requests the fakes saw. `--check` is the end-to-end test: it fails if one beat does not hold.

mod beats;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use connect_testkit::{FakeGitHub, FakeSlack};
use serde_json::json;

use crate::Failure;
use crate::hub::Hub;
use crate::settings::{GitHubSettings, JiraSettings, Settings, SlackSettings};
use crate::table::{Table, say};

/// What signs Jira's deliveries in the story; there is no fake Jira yet.
const JIRA_SECRET: &str = "fake-testkit-jira-secret";

/// Longer than any beat takes; a beat that needs more hangs.
const LONGEST_BEAT: Duration = Duration::from_secs(20);

/// One step of the story, and how it went.
pub(crate) struct Beat {
    pub(crate) name: &'static str,
    result: Result<String, String>,
}

impl Beat {
    /// Did everything happen that should, and nothing else?
    pub(crate) fn holds(&self) -> bool {
        self.result.is_ok()
    }

    /// One line about it.
    pub(crate) fn what(&self) -> &str {
        match &self.result {
            Ok(what) | Err(what) => what,
        }
    }
}

/// Hub and fakes.
pub(crate) struct Stage {
    hub: Hub,
    github: Arc<FakeGitHub>,
    slack: Arc<FakeSlack>,
}

impl Stage {
    async fn set_up(bind: SocketAddr) -> Result<Self, Failure> {
        let cannot =
            |error: std::io::Error| Failure::Failed(format!("a fake cannot listen on loopback: {error}"));
        let github = Arc::new(FakeGitHub::start().await.map_err(cannot)?);
        let slack = Arc::new(FakeSlack::start().await.map_err(cannot)?);
        let jira = connect_jira::webhook::verifier(JIRA_SECRET)
            .map_err(|error| Failure::Failed(format!("the story's Jira: {error}")))?;
        let settings = Settings {
            github: Some(GitHubSettings::fake(Arc::clone(&github))?),
            slack: Some(SlackSettings::fake(Arc::clone(&slack))?),
            jira: Some(JiraSettings { client: None, verifier: Some(jira) }),
            tenants: BTreeSet::from(["default".to_owned(), "acme".to_owned()]),
            actions: None,
        };
        Ok(Self { hub: Hub::start(settings, bind).await?, github, slack })
    }

    /// Plays all beats in order; `show` sees each as soon as it ends.
    async fn play(&self, mut show: impl FnMut(&Beat)) -> Vec<Beat> {
        let mut played = Vec::new();
        for (name, act) in beats::ALL {
            let result = tokio::time::timeout(LONGEST_BEAT, act(self)).await;
            let result = result.unwrap_or_else(|_| Err(format!("no end within {LONGEST_BEAT:?}")));
            let beat = Beat { name, result };
            show(&beat);
            played.push(beat);
        }
        played
    }
}

/// `--check`: plays the story headless; fails if one beat does not hold.
pub(crate) async fn check(json: bool) -> Result<(), Failure> {
    let stage = Stage::set_up(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let played = if json {
        stage.play(|_| {}).await
    } else {
        let table = Table::begin();
        stage.play(|beat| table.row(beat)).await
    };
    stage.hub.stop().await?;
    let failed = played.iter().filter(|beat| !beat.holds()).count();
    if json {
        let rows: Vec<_> = played
            .iter()
            .map(|beat| json!({"beat": beat.name, "holds": beat.holds(), "what": beat.what()}))
            .collect();
        say(format_args!("{}", json!({"beats": rows, "failed": failed})));
    } else {
        say(format_args!("\n{} beats, {failed} failed", played.len()));
    }
    if failed > 0 { Err(Failure::Failed(format!("{failed} beats do not hold"))) } else { Ok(()) }
}

/// `--demo`: plays the story once, then stays up.
pub(crate) async fn demo(bind: SocketAddr) -> Result<(), Failure> {
    let stage = Stage::set_up(bind).await?;
    say(format_args!(
        "FAKE GitHub {}   FAKE Slack {}   durability: memory\n",
        stage.github.url(),
        stage.slack.url()
    ));
    let table = Table::begin();
    stage.play(|beat| table.row(beat)).await;

    say("\nmessages in the fake channel #pulls");
    for message in stage.slack.messages(crate::settings::FAKE_CHANNEL) {
        say(format_args!("  {}", message.text));
    }
    say(format_args!("\nlistening on {} (stop with Ctrl-C)", stage.hub.url()));
    say(format_args!("  curl {}/health", stage.hub.url()));
    stage.hub.run_until_stopped().await
}
