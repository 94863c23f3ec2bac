//! One pass: list, decide, ask, and save after every step.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use connect_core::clock::{SystemClock, WallClock};
use connect_core::{Error, ErrorKind, Origin, Page, RetryAdvice, Sent};

use super::hook::Hook;
use super::memory::MemoryWatermarks;
use super::plan::{Ask, due, lost, plan};
use super::policy::{Policy, seconds};
use super::report::{Report, Stopped};
use super::store::{Saved, WatermarkStore};
use super::tally::{Attempt, Tally};
use super::watermark::{Scan, Watermark};
use crate::model::HookDeliveryItem;
use crate::refusal::missing_scopes;
use crate::{GitHub, Problem};

/// Asks GitHub for deliveries that failed. See the [module](super) for what it needs and what it costs.
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// use connect_github::redelivery::Redelivery;
/// let report = Redelivery::of_app(&github).run_once().await?;
/// for event in &report.lost {
///     eprintln!("GitHub cannot deliver {} {} any more", event.event, event.guid);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redelivery {
    github: GitHub,
    hook: Hook,
    key: String,
    store: Arc<dyn WatermarkStore>,
    policy: Policy,
    clock: Arc<dyn WallClock>,
    pub(super) seed: Option<u64>,
}

/// The watermark of a pass, and the version it was read or written under.
struct Progress {
    watermark: Watermark,
    version: Option<u64>,
}

impl Redelivery {
    /// For the webhook of a GitHub App. The client signs in as the App itself; `Redelivery`s of two Apps that share a
    /// store need a [name](Self::named) each.
    pub fn of_app(github: &GitHub) -> Self {
        Self::of(github, Hook::App)
    }

    /// For a webhook of a repository. Its number is in the address of its settings page, and in `X-GitHub-Hook-ID` of
    /// every delivery.
    pub fn of_repo_hook(
        github: &GitHub,
        owner: impl Into<String>,
        repo: impl Into<String>,
        hook_id: i64,
    ) -> Self {
        Self::of(github, Hook::Repo { owner: owner.into(), repo: repo.into(), id: hook_id })
    }

    /// For a webhook of an organisation.
    #[cfg(feature = "orgs")]
    pub fn of_org_hook(github: &GitHub, org: impl Into<String>, hook_id: i64) -> Self {
        Self::of(github, Hook::Org { org: org.into(), id: hook_id })
    }

    fn of(github: &GitHub, hook: Hook) -> Self {
        let server = github.origins().base(Origin::Api).map_or("", |url| url.host_str().unwrap_or_default());
        Self {
            key: format!("{server}/{}", hook.key()),
            github: github.clone(),
            hook,
            store: Arc::new(MemoryWatermarks::default()),
            policy: Policy::default(),
            clock: Arc::new(SystemClock),
            seed: None,
        }
    }

    /// Keeps the watermark here; in memory by default.
    #[must_use]
    pub fn store(mut self, store: impl WatermarkStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Keeps the watermark under this key, instead of one made of the server and the hook.
    #[must_use]
    pub fn named(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Other figures.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Another clock; the operating system's by default. A host that knows how far GitHub's is ahead gives
    /// `move || skew.now(&SystemClock)` ([`Skew`](connect_core::clock::Skew)).
    #[must_use]
    pub fn clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The seed of the runner's jitter, for tests that replay.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// One pass. Dropping it at any point is like a crash: nothing is lost, and at most one delivery is asked for twice.
    ///
    /// # Errors
    /// What the listing or an ask failed with, if waiting would not help or nothing was reached: no permission
    /// ([`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden)), no such hook
    /// ([`ErrorKind::NotFound`](crate::ErrorKind::NotFound)); and what the store failed with. A rate limit is no error:
    /// see [`Report::stopped`].
    pub async fn run_once(&self) -> Result<Report, Error> {
        let stored = self.store.load(&self.key).await?;
        let (watermark, version) =
            stored.map_or((Watermark::default(), None), |s| (s.watermark, Some(s.version)));
        let mut progress = Progress { watermark, version };
        let mut report = Report::default();
        report.stopped = self.pass(&mut progress, &mut report).await?;
        self.close(&mut progress, &mut report).await?;
        report.open = progress.watermark.open();
        report.watermark = progress.watermark.through();
        Ok(report)
    }

    /// What this report tells need not be told again. Until here it is open: a pass that failed, or was dropped, has told
    /// nobody.
    async fn close(&self, progress: &mut Progress, report: &mut Report) -> Result<(), Error> {
        let told = report.lost.len() + report.given_up.len();
        if told == 0 || report.stopped == Some(Stopped::OtherProcess) {
            return Ok(());
        }
        for gone in report.lost.iter().chain(&report.given_up) {
            progress.watermark.close(&gone.guid);
        }
        if !self.save(progress).await? {
            report.stopped = Some(Stopped::OtherProcess);
        }
        Ok(())
    }

    async fn pass(&self, progress: &mut Progress, report: &mut Report) -> Result<Option<Stopped>, Error> {
        let listed = self.list(&mut progress.watermark, report).await;
        let scan = match listed {
            Ok(None) => progress.watermark.scan.take(),
            // What was listed is kept, so that the next pass goes on behind it.
            Ok(Some(stopped)) => {
                if !self.save(progress).await? {
                    return Ok(Some(Stopped::OtherProcess));
                }
                // A listing of many passes must not keep what is known waiting.
                if stopped == Stopped::Pages {
                    let (asks, left) = due(&progress.watermark, self.now(), &self.policy);
                    report.left = left;
                    return Ok(Some(self.ask_all(asks, progress, report).await?.unwrap_or(stopped)));
                }
                return Ok(Some(stopped));
            }
            Err(error) => {
                self.save(progress).await?;
                return Err(error);
            }
        };
        let Some(scan) = scan else { return Ok(None) };
        let plan = plan(&mut progress.watermark, scan, self.now(), &self.policy);
        if !self.save(progress).await? {
            return Ok(Some(Stopped::OtherProcess));
        }
        report.failed = plan.failed;
        report.recovered = plan.recovered;
        report.left = plan.left;
        report.given_up = plan.given_up;
        report.lost = plan.lost;
        self.ask_all(plan.asks, progress, report).await
    }

    /// Asks for one after the other. `Some` ends the pass.
    async fn ask_all(
        &self,
        asks: Vec<Ask>,
        progress: &mut Progress,
        report: &mut Report,
    ) -> Result<Option<Stopped>, Error> {
        for ask in asks {
            let stopped = self.ask(&ask, progress, report).await?;
            if stopped.is_some() {
                return Ok(stopped);
            }
        }
        Ok(None)
    }

    /// Lists from the newest delivery back to the watermark. `None` is a complete listing, kept in the watermark's scan.
    async fn list(&self, watermark: &mut Watermark, report: &mut Report) -> Result<Option<Stopped>, Error> {
        let mut resumed = watermark.scan.is_some();
        let mut read = 0;
        loop {
            let scan = watermark.scan.get_or_insert_with(|| {
                let until = match watermark.through {
                    Some(through) => through.saturating_sub(seconds(self.policy.overlap)),
                    None => self.now().saturating_sub(seconds(self.policy.oldest)),
                };
                Scan { until, newest: None, cursor: None, tally: Tally::default() }
            });
            let mut pages = self.hook.pages(&self.github, scan.cursor.clone());
            let failed = loop {
                let page = match poll_fn(|cx| pages.as_mut().poll_next(cx)).await {
                    None => return Ok(None),
                    Some(Ok(page)) => page,
                    Some(Err(error)) => break error,
                };
                read += 1;
                scan.cursor = page.next().cloned();
                let is_complete = fold(scan, page, report) || scan.cursor.is_none();
                // What finds no room in the watermark need not be carried further than a little.
                scan.trim(self.policy.most_open.saturating_mul(2));
                if is_complete {
                    return Ok(None);
                }
                if read >= self.policy.pages_per_pass {
                    return Ok(Some(Stopped::Pages));
                }
            };
            // A stored cursor may have become worthless; then the listing begins anew, once.
            if resumed && read == 0 && matches!(failed.kind(), ErrorKind::Invalid | ErrorKind::NotFound) {
                resumed = false;
                watermark.scan = None;
                continue;
            }
            return stopped_by(failed).map(Some);
        }
    }

    /// Asks for one delivery and writes that down. `Some` ends the pass.
    async fn ask(
        &self,
        ask: &Ask,
        progress: &mut Progress,
        report: &mut Report,
    ) -> Result<Option<Stopped>, Error> {
        let answered = self.hook.ask(&self.github, ask.delivery_id).await;
        let stopped = match answered {
            Ok(()) => {
                report.asked += 1;
                progress.watermark.note_ask(&ask.guid, self.now());
                None
            }
            Err(error) if is_gone(&error) => {
                report.lost.extend(progress.watermark.open.get(&ask.guid).map(|open| lost(&ask.guid, open)));
                None
            }
            Err(error) => {
                // It may have been heard; if it was not, no attempt shows, and its time comes again.
                if error.sent() == Sent::Maybe {
                    progress.watermark.note_ask(&ask.guid, self.now());
                    self.save(progress).await?;
                }
                return stopped_by(error).map(Some);
            }
        };
        Ok(if self.save(progress).await? { stopped } else { Some(Stopped::OtherProcess) })
    }

    /// `false` if somebody else has written meanwhile.
    async fn save(&self, progress: &mut Progress) -> Result<bool, Error> {
        match self.store.save(&self.key, progress.version, &progress.watermark).await? {
            Saved::Yes(version) => {
                progress.version = Some(version);
                Ok(true)
            }
            Saved::Conflict => Ok(false),
        }
    }

    fn now(&self) -> i64 {
        let now = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        seconds(now)
    }
}

/// Takes a page in; whether it reached the end of what is asked about.
fn fold(scan: &mut Scan, page: Page<HookDeliveryItem>, report: &mut Report) -> bool {
    let mut is_past = false;
    for entry in page.into_entries() {
        report.seen += 1;
        let Some(attempt) = entry.ok().and_then(Attempt::of) else {
            report.unreadable += 1;
            continue;
        };
        is_past = attempt.at < scan.until;
        // What is older has been decided, and is not to be decided again.
        if !is_past {
            scan.newest = scan.newest.max(Some(attempt.at));
            scan.tally.add(attempt);
        }
    }
    is_past
}

/// GitHub has no such delivery any more. It says the same to a token that may only read hooks, for which nothing is lost.
fn is_gone(error: &Error) -> bool {
    let lacks_scope = || error.details::<Problem>().is_some_and(|problem| missing_scopes(problem).is_some());
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) && !lacks_scope()
}

/// What may pass ends the pass; what a person must mend is an error.
fn stopped_by(error: Error) -> Result<Stopped, Error> {
    match error.kind() {
        ErrorKind::RateLimited => Ok(Stopped::RateLimited(match error.retry() {
            RetryAdvice::After(wait) => Some(wait),
            _ => None,
        })),
        ErrorKind::Unavailable | ErrorKind::CircuitOpen | ErrorKind::Timeout | ErrorKind::Transport => {
            Ok(Stopped::Unavailable)
        }
        _ => Err(error),
    }
}

impl fmt::Debug for Redelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redelivery")
            .field("hook", &self.hook)
            .field("key", &self.key)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
