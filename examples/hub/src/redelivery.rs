//! Deliveries that found the hub down, slow or full: GitHub does not repeat them by itself, so the hub asks for them.
//!
//! Off unless hooks are named; `app` is the webhook of a GitHub App, which signs in by itself. Each hook has a watermark: in
//! a file beside the database, or in memory without one, where a restart looks three days back. What comes again comes as
//! any delivery does, and the store drops what it has already.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use connect_core::{Error, Vars};
use connect_github::GitHub;
use connect_github::app::App;
use connect_github::redelivery::{FileWatermarks, MemoryWatermarks, Policy, Redelivery, Report};
use tokio::task::JoinHandle;

use crate::Failure;
use crate::settings::{seconds, single};

/// Names the hooks; the switch of it all.
pub(crate) const HOOKS: &str = "CONNECT_GITHUB_REDELIVERY";

/// A quarter of an hour: an outage is noticed long before its end, and a pass in quiet times is one call.
const EVERY: Duration = Duration::from_secs(900);

/// The App's webhook among the hooks; the others are paths.
const APP: &str = "app";

/// Which hooks are looked after, and how.
#[derive(Debug)]
pub(crate) struct RedeliverySettings {
    hooks: Vec<Hook>,
    every: Duration,
    policy: Policy,
}

/// The App's one, or one as GitHub's API spells it.
#[derive(Debug)]
enum Hook {
    App(App),
    Repo { owner: String, repo: String, id: i64 },
    Org { org: String, id: i64 },
}

impl Hook {
    fn parse(path: &str) -> Option<Self> {
        let number = |id: &str| id.parse().ok().filter(|id| *id > 0);
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        match parts.as_slice() {
            ["repos", owner, repo, "hooks", id] => {
                Some(Self::Repo { owner: (*owner).to_owned(), repo: (*repo).to_owned(), id: number(id)? })
            }
            ["orgs", org, "hooks", id] => Some(Self::Org { org: (*org).to_owned(), id: number(id)? }),
            _ => None,
        }
    }

    fn reconciler(&self, github: &GitHub) -> Redelivery {
        match self {
            // No token of the hub's will do; and another App must not go on from this one's watermark.
            Self::App(app) => Redelivery::of_app(&app.client()).named(format!("{APP}/{}", app.id())),
            Self::Repo { owner, repo, id } => Redelivery::of_repo_hook(github, owner, repo, *id),
            Self::Org { org, id } => Redelivery::of_org_hook(github, org, *id),
        }
    }

    fn path(&self) -> String {
        match self {
            Self::App(app) => format!("{APP} {}", app.id()),
            Self::Repo { owner, repo, id } => format!("repos/{owner}/{repo}/hooks/{id}"),
            Self::Org { org, id } => format!("orgs/{org}/hooks/{id}"),
        }
    }
}

impl RedeliverySettings {
    /// `None` if no hook is named. The App is made only if its hook is.
    pub(crate) fn from_vars(
        vars: &Vars<'_>,
        app: impl Fn() -> Result<App, Failure>,
    ) -> Result<Option<Self>, Failure> {
        let Some(text) = vars.optional(HOOKS) else { return Ok(None) };
        let mut hooks = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == APP {
                hooks.push(Hook::App(app()?));
                continue;
            }
            let hook = Hook::parse(word.trim_start_matches('/')).ok_or_else(|| {
                Failure::Usage(format!(
                    "{HOOKS}: `{word}` names no hook; use {APP}, repos/OWNER/REPO/hooks/ID or orgs/ORG/hooks/ID"
                ))
            })?;
            hooks.push(hook);
        }
        let mut policy = Policy::default();
        if let Some(waits) = seconds(vars, "CONNECT_GITHUB_REDELIVERY_WAITS")? {
            policy = policy.with_schedule(waits);
        }
        let every = single(vars, "CONNECT_GITHUB_REDELIVERY_SECONDS")?.unwrap_or(EVERY);
        Ok((!hooks.is_empty()).then_some(Self { hooks, every, policy }))
    }

    /// Whether any of the hooks is asked about with the hub's own token; an App has its own.
    pub(crate) fn needs_token(&self) -> bool {
        self.hooks.iter().any(|hook| !matches!(hook, Hook::App(_)))
    }

    /// For the start-up lines.
    pub(crate) fn overview(&self) -> String {
        let hooks: Vec<String> = self.hooks.iter().map(Hook::path).collect();
        format!("failed deliveries of {} are asked for every {:?}", hooks.join(", "), self.every)
    }

    /// One task for each hook; they run until they are aborted.
    pub(crate) fn start(&self, github: &GitHub, database: Option<&str>) -> Vec<JoinHandle<Infallible>> {
        let file = database.and_then(file_beside);
        let tasks = self.hooks.iter().map(|hook| {
            let reconciler = hook.reconciler(github).policy(self.policy.clone());
            let reconciler = match &file {
                Some(file) => reconciler.store(FileWatermarks::new(file)),
                None => reconciler.store(MemoryWatermarks::default()),
            };
            let hook = hook.path();
            tokio::spawn(reconciler.every(self.every, move |pass| tell(&hook, pass)))
        });
        tasks.collect()
    }
}

/// `hub.db` has its watermarks in `hub.db.redelivery.json`; a database in memory has none.
fn file_beside(database: &str) -> Option<PathBuf> {
    let path =
        database.strip_prefix("sqlite:").map_or(database, |rest| rest.strip_prefix("//").unwrap_or(rest));
    (path != ":memory:").then(|| PathBuf::from(format!("{path}.redelivery.json")))
}

/// Says what a pass did: an event that will not come is an error, because nobody else will notice.
fn tell(hook: &str, pass: &Result<Report, Error>) {
    let report = match pass {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!(hook, error = %error, "failed deliveries could not be asked for");
            return;
        }
    };
    for lost in &report.lost {
        tracing::error!(
            hook,
            guid = lost.guid,
            event = lost.event,
            "GitHub delivers this event no more: it is lost"
        );
    }
    for lost in &report.given_up {
        let id = lost.delivery_id;
        tracing::error!(
            hook,
            guid = lost.guid,
            event = lost.event,
            id,
            "asked for in vain: redeliver it by hand"
        );
    }
    if report.failed + report.asked + report.recovered > 0 || report.stopped.is_some() {
        tracing::info!(hook, "redelivery: {report}");
    } else {
        tracing::debug!(hook, "redelivery: {report}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(hooks: &str) -> Result<Option<RedeliverySettings>, String> {
        let lookup = |name: &str| (name == HOOKS).then(|| hooks.to_owned());
        let app = || {
            let key = include_str!("../../../connect-github/tests/keys/rsa-2048.test-only.pem");
            App::new("Iv1.fake", key).map_err(|error| Failure::Usage(error.to_string()))
        };
        RedeliverySettings::from_vars(&Vars::new(&lookup), app).map_err(|failure| failure.to_string())
    }

    #[test]
    fn hooks_are_named_as_githubs_api_names_them() {
        let found = settings("repos/octo/hello/hooks/7, /orgs/octo/hooks/8").unwrap().unwrap();
        assert_eq!(
            found.overview(),
            "failed deliveries of repos/octo/hello/hooks/7, orgs/octo/hooks/8 are asked for every 900s"
        );
        assert!(found.needs_token());
        assert!(settings(" , ").unwrap().is_none());
    }

    #[test]
    fn the_apps_hook_needs_no_token_beside_the_apps_own() {
        let found = settings("app").unwrap().unwrap();
        assert_eq!(found.overview(), "failed deliveries of app Iv1.fake are asked for every 900s");
        assert!(!found.needs_token());
        assert!(settings("app, orgs/octo/hooks/8").unwrap().unwrap().needs_token());
    }

    #[test]
    fn an_app_that_is_not_named_is_not_asked_for() {
        let lookup = |name: &str| (name == HOOKS).then(|| "orgs/octo/hooks/8".to_owned());
        let app = || Err(Failure::Usage("nobody wanted an App".to_owned()));
        assert!(RedeliverySettings::from_vars(&Vars::new(&lookup), app).is_ok());
    }

    #[test]
    fn what_names_no_hook_is_refused_with_the_remedy() {
        for wrong in
            ["7", "octo/hello/7", "repos/octo/hello/hooks/x", "repos//hello/hooks/7", "orgs/octo/hooks/0"]
        {
            let message = settings(wrong).unwrap_err();
            assert!(message.contains(HOOKS) && message.contains("repos/OWNER/REPO/hooks/ID"), "{message}");
        }
    }

    #[test]
    fn the_watermarks_lie_beside_the_database() {
        for place in ["hub.db", "sqlite:hub.db", "sqlite://hub.db"] {
            assert_eq!(file_beside(place), Some(PathBuf::from("hub.db.redelivery.json")), "{place}");
        }
        assert_eq!(file_beside("sqlite::memory:"), None);
    }
}
