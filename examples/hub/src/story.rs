//! The story that `--demo` and `--check` play: the fakes of GitHub, Slack and Jira, real HTTP, real signatures, a real
//! database file.
//!
//! Each beat does something a provider (or an attacker, or a power cut) does, and looks at what came out: the answer, the
//! messages in the fake channel, the requests the fakes saw. `--check` is the end-to-end test: it fails if one beat does
//! not hold.

mod beats;
mod process;
mod stage;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;

use crate::Failure;
use crate::settings::FAKE_CHANNEL;
use crate::table::{Table, say};
use stage::Stage;

/// Longer than any beat takes; a beat that needs more hangs.
const LONGEST_BEAT: Duration = Duration::from_secs(30);

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

/// Plays all beats in order; `show` sees each as soon as it ends.
async fn play(stage: &Stage, mut show: impl FnMut(&Beat)) -> Vec<Beat> {
    let mut played = Vec::new();
    for (name, act) in beats::ALL {
        let result = tokio::time::timeout(LONGEST_BEAT, act(stage)).await;
        let result = result.unwrap_or_else(|_| Err(format!("no end within {LONGEST_BEAT:?}")));
        let beat = Beat { name, result };
        show(&beat);
        played.push(beat);
    }
    played
}

/// `--check`: plays the story headless; fails if one beat does not hold.
pub(crate) async fn check(json: bool) -> Result<(), Failure> {
    let stage = Stage::set_up(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let played = if json {
        play(&stage, |_| {}).await
    } else {
        let table = Table::begin();
        play(&stage, |beat| table.row(beat)).await
    };
    stage.hub.stop().await?;
    let failed = played.iter().filter(|beat| !beat.holds()).count();
    if json {
        let rows: Vec<_> = played
            .iter()
            .map(|beat| json!({"beat": beat.name, "holds": beat.holds(), "what": beat.what()}))
            .collect();
        say(json!({"beats": rows, "failed": failed}));
    } else {
        say(format_args!("\n{} beats, {failed} failed", played.len()));
    }
    if failed > 0 { Err(Failure::Failed(format!("{failed} beats do not hold"))) } else { Ok(()) }
}

/// `--demo`: plays the story once, then stays up.
pub(crate) async fn demo(bind: SocketAddr) -> Result<(), Failure> {
    let stage = Stage::set_up(bind).await?;
    say(format_args!(
        "FAKE GitHub {}   FAKE Slack {}   FAKE Jira {}   durability: {} (temporary)\n",
        stage.github.url(),
        stage.slack.url(),
        stage.jira.url(),
        stage.hub.durability(),
    ));
    let table = Table::begin();
    play(&stage, |beat| table.row(beat)).await;

    say("\nmessages in the fake channel #pulls");
    for message in stage.slack.messages(FAKE_CHANNEL).iter().take(20) {
        say(format_args!("  {}{}", if message.thread_ts.is_some() { "  > " } else { "" }, message.text));
    }
    say(format_args!("\nlistening on {} (stop with Ctrl-C)", stage.hub.url()));
    say(format_args!("  curl {}/health", stage.hub.url()));
    say(format_args!("  curl {}/api/v1/mappings", stage.hub.url()));
    let Stage { hub, _directory, .. } = stage;
    hub.run_until_stopped().await
}
