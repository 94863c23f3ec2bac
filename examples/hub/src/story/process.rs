//! A hub in a process of its own, on the stage's fakes, to be killed without warning.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use connect_flow::Store;
use connect_store_sqlite::SqliteStore;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::stage::{RETRY_SECONDS, SETTLE, Stage};
use crate::settings::{FAKE_CHANNEL, FAKE_PROJECT};

pub(super) struct Process {
    child: Child,
    pub(super) url: String,
}

impl Process {
    /// Starts a hub on a database file. Its leases are short, so that a successor need not wait long.
    pub(super) async fn start(stage: &Stage, database: &Path) -> Result<Self, String> {
        Self::start_on(stage, database, "127.0.0.1:0", &[]).await
    }

    /// The same on an address of one's own, with more variables.
    pub(super) async fn start_on(
        stage: &Stage,
        database: &Path,
        address: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("no process: {error}");
        let waits = RETRY_SECONDS.map(|wait| wait.to_string()).join(",");
        let settle = SETTLE.as_secs_f64().to_string();
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["--bind", address, "--db"])
            .arg(database)
            .env_clear()
            .env("GITHUB_WEBHOOK_SECRET", stage.github.webhook_secret())
            .env("SLACK_BOT_TOKEN", stage.slack.token())
            .env("SLACK_SIGNING_SECRET", stage.slack.signing_secret())
            .env("SLACK_API_URL", stage.slack.url())
            .env("CONNECT_SLACK_CHANNEL", FAKE_CHANNEL)
            .env("JIRA_BASE_URL", stage.jira.url())
            .env("JIRA_EMAIL", stage.jira.email())
            .env("JIRA_API_TOKEN", stage.jira.token())
            .env("CONNECT_JIRA_PROJECT", FAKE_PROJECT)
            .env("CONNECT_RETRY_SECONDS", waits)
            .env("CONNECT_SETTLE_SECONDS", settle)
            .env("CONNECT_LEASE_SECONDS", "0.5")
            .env("CONNECT_BREAKER_OPEN", "200ms")
            .env("CONNECT_LOG", "error")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.map_err(failed)? {
            if let Some(rest) = line.strip_prefix("listening on ") {
                let url = rest.split(' ').next().unwrap_or_default().to_owned();
                return Ok(Self { child, url });
            }
        }
        Err("the process ended before it listened".to_owned())
    }

    /// As `kill -9`: no handler, no clean-up, no flush.
    pub(super) async fn kill(mut self) -> Result<(), String> {
        self.child.kill().await.map_err(|error| format!("not killed: {error}"))
    }
}

/// A look at a database file that another process has open.
pub(super) fn look(database: &Path) -> Result<Arc<dyn Store>, String> {
    let store = SqliteStore::open(&database.to_string_lossy()).map_err(|error| error.to_string())?;
    Ok(Arc::new(store))
}
