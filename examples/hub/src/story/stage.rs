//! Hub and fakes, and ways to look at them.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect_flow::Schedule;
use connect_flow::inbox::Counts;
use connect_testkit::{FakeGitHub, FakeJira, FakeSlack};

use crate::Failure;
use crate::hub::Hub;
use crate::settings::{FAKE_CHANNEL, GitHubSettings, JiraSettings, Settings, SlackSettings};

/// Short, so that the story is: the second attempt comes after a tenth of a second, then the event is given up soon.
pub(super) const RETRY_SECONDS: [f64; 3] = [0.1, 0.3, 0.6];

/// Short, and longer than the fake Jira's search lags.
pub(super) const SETTLE: Duration = Duration::from_millis(200);

/// A folder of its own, removed at the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    fn new() -> std::io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("connect-hub-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl AsRef<Path> for Directory {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Stage {
    pub(super) hub: Hub,
    pub(super) github: Arc<FakeGitHub>,
    pub(super) slack: Arc<FakeSlack>,
    pub(super) jira: Arc<FakeJira>,
    pub(super) _directory: Directory,
}

impl Stage {
    pub(super) async fn set_up(bind: SocketAddr) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| Failure::Failed(format!("the story cannot be set up: {error}"));
        let directory = Directory::new().map_err(cannot)?;
        let github = Arc::new(FakeGitHub::start().await.map_err(cannot)?);
        let slack = Arc::new(FakeSlack::start().await.map_err(cannot)?);
        let jira = Arc::new(FakeJira::start().await.map_err(cannot)?);
        let settings = Settings {
            github: Some(GitHubSettings::fake(Arc::clone(&github))?),
            slack: Some(SlackSettings::fake(Arc::clone(&slack))?),
            jira: Some(JiraSettings::fake(Arc::clone(&jira))?),
            tenants: BTreeSet::from(["default".to_owned(), "acme".to_owned()]),
            actions: None,
            database: Some(directory.file("hub.sqlite").to_string_lossy().into_owned()),
            api_token: None,
            schedule: Schedule::new(RETRY_SECONDS.map(Duration::from_secs_f64)),
            settle: SETTLE,
            lease: Duration::from_secs(60),
        };
        Ok(Self { hub: Hub::start(settings, bind).await?, github, slack, jira, _directory: directory })
    }

    pub(super) fn route(&self, path: &str) -> String {
        format!("{}{path}", self.hub.url())
    }

    pub(super) async fn counts(&self) -> Result<Counts, String> {
        self.hub.store().counts().await.map_err(|error| error.to_string())
    }

    /// Waits until nothing waits and nothing runs.
    pub(super) async fn settled(&self) -> Result<Counts, String> {
        loop {
            let counts = self.counts().await?;
            if counts.pending + counts.leased == 0 {
                return Ok(counts);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.slack.messages(FAKE_CHANNEL).into_iter().map(|message| message.text).collect()
    }

    pub(super) fn with_text(&self, part: &str) -> usize {
        self.texts().iter().filter(|text| text.contains(part)).count()
    }
}

/// Waits until something is so; the beat's own time limit ends it otherwise.
pub(super) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
