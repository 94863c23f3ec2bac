//! Which services are real, fake or off.
//!
//! A service whose variables are all unset is off, and the overview says so. One that is half configured is an error
//! that names the missing variable: a hub that silently ignores a typing error loses events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connect_core::breaker::BreakerPolicy;
use connect_core::{Config, Secret, Vars};
use connect_flow::Schedule;
use connect_github::GitHub;
use connect_github::app::App;
use connect_jira::Jira;
use connect_slack::Slack;
use connect_testkit::{FakeGitHub, FakeJira, FakeSlack, GitHubDelivery};
use connect_webhook::Verifier;

use crate::Failure;
use crate::hub::Hub;
use crate::redelivery::{self, RedeliverySettings};

/// Services that have a fake.
pub(crate) const FAKES: &[&str] = &["github", "slack", "jira"];

/// The channel of the fake Slack.
pub(crate) const FAKE_CHANNEL: &str = "C0PULLS";

/// The project of the fake Jira.
pub(crate) const FAKE_PROJECT: &str = "OPS";

/// Jira's search lags behind, by minutes on a bad day; users report a fifth of fresh issues missing at first.
const SETTLE: Duration = Duration::from_secs(60);

const LEASE: Duration = Duration::from_secs(60);

/// Longer waits are typing errors.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Per service, every variable that belongs to it: one of them set means the service is wanted.
const VARIABLES: &[(&str, &[&str])] = &[
    ("github", &["GITHUB_WEBHOOK_SECRET", "GITHUB_TOKEN", "GITHUB_API_URL", redelivery::HOOKS]),
    ("slack", &["SLACK_BOT_TOKEN", "CONNECT_SLACK_CHANNEL", "SLACK_SIGNING_SECRET", "SLACK_API_URL"]),
    (
        "jira",
        &["JIRA_BASE_URL", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_WEBHOOK_SECRET", "CONNECT_JIRA_PROJECT"],
    ),
];

const NOTHING_CONFIGURED: &str = "\
no service is configured. Set the variables of at least one, or try it without any:

  connect-hub --demo        fakes inside, no credentials, no network

  GitHub   GITHUB_WEBHOOK_SECRET
  Slack    SLACK_BOT_TOKEN, CONNECT_SLACK_CHANNEL
  Jira     JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN

connect-hub --help lists all of them";

/// Everything the hub is made of.
pub(crate) struct Settings {
    pub(crate) github: Option<GitHubSettings>,
    pub(crate) slack: Option<SlackSettings>,
    pub(crate) jira: Option<JiraSettings>,
    /// Tenants that have endpoints; `default` always has.
    pub(crate) tenants: BTreeSet<String>,
    /// Which GitHub actions are announced; `None` is all of them.
    pub(crate) actions: Option<BTreeSet<String>>,
    /// Where events are kept; `None` is in memory.
    pub(crate) database: Option<String>,
    /// What calls of the API must carry; without it the hub listens on loopback only.
    pub(crate) api_token: Option<Secret>,
    /// When a failed event's time comes again.
    pub(crate) schedule: Schedule,
    /// How old the first attempt at an effect must be before "not found" counts.
    pub(crate) settle: Duration,
    /// How long a claim holds without a heartbeat.
    pub(crate) lease: Duration,
}

pub(crate) struct GitHubSettings {
    /// Nothing is asked of GitHub yet: the client is checked at start, so that a wrong token is known early.
    pub(crate) client: GitHub,
    pub(crate) has_token: bool,
    pub(crate) verifier: Verifier,
    /// Hooks whose failed deliveries are asked for; `None` is none.
    pub(crate) redelivery: Option<RedeliverySettings>,
    /// Kept alive as long as the hub.
    pub(crate) fake: Option<Arc<FakeGitHub>>,
}

pub(crate) struct SlackSettings {
    pub(crate) client: Slack,
    pub(crate) channel: String,
    /// Without a signing secret there is no endpoint for Slack's webhooks.
    pub(crate) verifier: Option<Verifier>,
    /// Kept alive as long as the hub.
    pub(crate) fake: Option<Arc<FakeSlack>>,
}

pub(crate) struct JiraSettings {
    pub(crate) client: Jira,
    /// Kept alive as long as the hub.
    pub(crate) fake: Option<Arc<FakeJira>>,
    /// Without a webhook secret there is no endpoint for Jira's webhooks.
    pub(crate) verifier: Option<Verifier>,
    /// Where Slack's shortcuts make issues; without it that flow is off.
    pub(crate) project: Option<JiraProject>,
}

/// Where issues are made.
#[derive(Clone)]
pub(crate) struct JiraProject {
    pub(crate) key: String,
    pub(crate) issue_type: String,
    /// The site's address, for links that people follow.
    pub(crate) site: String,
}

impl Settings {
    /// Reads the variables; services named in `fakes` are swapped for their fakes.
    pub(crate) async fn from_vars(
        lookup: impl Fn(&str) -> Option<String>,
        fakes: &BTreeSet<String>,
    ) -> Result<Self, Failure> {
        let vars = Vars::new(&lookup);
        let wanted = |service: &str| {
            let variables =
                VARIABLES.iter().find(|(name, _)| *name == service).map_or(&[][..], |(_, list)| list);
            variables.iter().any(|name| vars.optional(name).is_some())
        };
        if fakes.is_empty() && !VARIABLES.iter().any(|(service, _)| wanted(service)) {
            return Err(Failure::Usage(NOTHING_CONFIGURED.into()));
        }
        let redelivery = RedeliverySettings::from_vars(&vars, || {
            if fakes.contains("github") {
                let name = redelivery::HOOKS;
                return Err(Failure::Usage(format!(
                    "{name}: the fake GitHub has no App; name hooks of repositories or organisations"
                )));
            }
            App::from_vars(&lookup).map_err(unusable)
        })?;
        let github = if fakes.contains("github") {
            let fake = FakeGitHub::start().await.map_err(cannot_fake)?;
            Some(GitHubSettings { redelivery, ..GitHubSettings::fake(Arc::new(fake))? })
        } else if wanted("github") {
            let verifier = connect_github::webhook::verifier_from_vars(&lookup).map_err(unusable)?;
            let client = GitHub::from_vars(&lookup).map_err(unusable)?;
            let has_token = vars.optional("GITHUB_TOKEN").is_some();
            if !has_token && redelivery.as_ref().is_some_and(RedeliverySettings::needs_token) {
                let name = redelivery::HOOKS;
                return Err(Failure::Usage(format!(
                    "{name} takes a token that may read and write webhooks: set GITHUB_TOKEN"
                )));
            }
            Some(GitHubSettings { client, has_token, verifier, redelivery, fake: None })
        } else {
            None
        };
        let slack = if fakes.contains("slack") {
            let fake = FakeSlack::start().await.map_err(cannot_fake)?;
            Some(SlackSettings::fake(Arc::new(fake))?)
        } else if wanted("slack") {
            let client = Slack::from_vars(&lookup).map_err(unusable)?;
            let channel = vars
                .required(
                    "CONNECT_SLACK_CHANNEL",
                    "the channel that gets the messages, an id like C0123456789",
                )
                .map_err(unusable)?;
            let verifier = match vars.optional(connect_slack::webhook::SECRET_VARIABLE) {
                Some(_) => Some(connect_slack::webhook::verifier_from_vars(&lookup).map_err(unusable)?),
                None => None,
            };
            Some(SlackSettings { client, channel, verifier, fake: None })
        } else {
            None
        };
        let jira = if fakes.contains("jira") {
            let fake = FakeJira::start().await.map_err(cannot_fake)?;
            Some(JiraSettings::fake(Arc::new(fake))?)
        } else if wanted("jira") {
            let client = Jira::from_vars(&lookup).map_err(unusable)?;
            let site = vars.optional("JIRA_BASE_URL").unwrap_or_default().trim_end_matches('/').to_owned();
            let project = vars.optional("CONNECT_JIRA_PROJECT").map(|key| JiraProject {
                key,
                issue_type: vars.optional("CONNECT_JIRA_ISSUE_TYPE").unwrap_or_else(|| "Task".to_owned()),
                site,
            });
            if let Some(odd) = project.as_ref().filter(|project| !is_tenant(&project.key)) {
                let message =
                    format!("CONNECT_JIRA_PROJECT: `{}` is no project key; use one like OPS", odd.key);
                return Err(Failure::Usage(message));
            }
            let verifier = match vars.optional(connect_jira::webhook::SECRET_VARIABLE) {
                Some(_) => Some(connect_jira::webhook::verifier_from_vars(&lookup).map_err(unusable)?),
                None => None,
            };
            Some(JiraSettings { client, fake: None, verifier, project })
        } else {
            None
        };
        let mut tenants = list(vars.optional("CONNECT_TENANTS")).unwrap_or_default();
        if let Some(odd) = tenants.iter().find(|name| !is_tenant(name)) {
            let message =
                format!("CONNECT_TENANTS: `{odd}` is no name for a path; use letters, digits, `-` and `_`");
            return Err(Failure::Usage(message));
        }
        tenants.insert("default".to_owned());
        let actions = list(vars.optional("CONNECT_GITHUB_ACTIONS"));
        let api_token = vars.secret("CONNECT_API_TOKEN").map_err(unusable)?;
        Ok(Self {
            github,
            slack,
            jira,
            tenants,
            actions,
            database: vars.optional("CONNECT_DATABASE_URL"),
            api_token,
            schedule: match seconds(&vars, "CONNECT_RETRY_SECONDS")? {
                Some(waits) => Schedule::new(waits),
                None => Schedule::default(),
            },
            settle: single(&vars, "CONNECT_SETTLE_SECONDS")?.unwrap_or(SETTLE),
            lease: single(&vars, "CONNECT_LEASE_SECONDS")?.unwrap_or(LEASE),
        })
    }

    /// One line per service, for the start.
    pub(crate) fn overview(&self) -> String {
        let github = match &self.github {
            None => "off (set GITHUB_WEBHOOK_SECRET)".to_owned(),
            Some(GitHubSettings { fake: Some(fake), .. }) => format!("FAKE on {}", fake.url()),
            Some(GitHubSettings { has_token, redelivery, .. }) => {
                let on = if *has_token { "on" } else { "on, webhooks only (no GITHUB_TOKEN)" };
                match redelivery {
                    Some(redelivery) => format!("{on}, {}", redelivery.overview()),
                    None => on.to_owned(),
                }
            }
        };
        let slack = match &self.slack {
            None => "off (set SLACK_BOT_TOKEN and CONNECT_SLACK_CHANNEL)".to_owned(),
            Some(SlackSettings { fake: Some(fake), .. }) => format!("FAKE on {}", fake.url()),
            Some(SlackSettings { verifier: None, .. }) => {
                "on, without webhooks (no SLACK_SIGNING_SECRET)".to_owned()
            }
            Some(_) => "on".to_owned(),
        };
        let jira = match &self.jira {
            None => "off (set JIRA_BASE_URL, JIRA_EMAIL and JIRA_API_TOKEN)".to_owned(),
            Some(JiraSettings { fake: Some(fake), .. }) => format!("FAKE on {}", fake.url()),
            Some(JiraSettings { verifier: None, .. }) => {
                "on, without webhooks (no JIRA_WEBHOOK_SECRET)".to_owned()
            }
            Some(_) => "on".to_owned(),
        };
        let mut flows = Vec::new();
        if let (Some(_), Some(slack)) = (&self.github, &self.slack) {
            flows.push(format!("GitHub -> Slack {}", slack.channel));
        }
        if let (Some(_), Some(jira)) = (&self.slack, &self.jira) {
            match &jira.project {
                Some(project) => flows.push(format!("Slack -> Jira {}", project.key)),
                None => flows.push("no Slack -> Jira (set CONNECT_JIRA_PROJECT)".to_owned()),
            }
            flows.push("Jira -> Slack threads".to_owned());
        }
        let flow =
            if flows.is_empty() { "none (each needs two services)".to_owned() } else { flows.join(", ") };
        let mut lines = format!("github  {github}\nslack   {slack}\njira    {jira}\nflows   {flow}");
        let verified = self.github.is_some()
            || self.slack.as_ref().is_some_and(|slack| slack.verifier.is_some())
            || self.jira.as_ref().is_some_and(|jira| jira.verifier.is_some());
        if !verified {
            lines.push_str(
                "\nWARNING no webhook can arrive: set GITHUB_WEBHOOK_SECRET, SLACK_SIGNING_SECRET or JIRA_WEBHOOK_SECRET",
            );
        }
        lines
    }

    /// A fake GitHub has no users: one sample event shows that the rest works.
    pub(crate) fn sample_for_fake_github(&self) -> Option<Sample> {
        self.github.as_ref()?.fake.clone().map(Sample)
    }
}

/// A fake is healed when its story says so: a breaker that looks again soon keeps the story short.
fn for_fakes() -> Config {
    Config::default().with_breaker(BreakerPolicy::default().with_open(Duration::from_millis(200)))
}

impl GitHubSettings {
    pub(crate) fn fake(fake: Arc<FakeGitHub>) -> Result<Self, Failure> {
        let client = GitHub::builder()
            .token(fake.token())
            .base_url(fake.url())
            .config(for_fakes())
            .build()
            .map_err(unusable)?;
        let verifier = connect_github::webhook::verifier(fake.webhook_secret()).map_err(unusable)?;
        Ok(Self { client, has_token: true, verifier, redelivery: None, fake: Some(fake) })
    }
}

impl SlackSettings {
    pub(crate) fn fake(fake: Arc<FakeSlack>) -> Result<Self, Failure> {
        fake.add_channel(FAKE_CHANNEL, "pulls");
        let client = Slack::builder()
            .token(fake.token())
            .base_url(fake.url())
            .config(for_fakes())
            .build()
            .map_err(unusable)?;
        let verifier = Some(connect_slack::webhook::verifier(fake.signing_secret()).map_err(unusable)?);
        Ok(Self { client, channel: FAKE_CHANNEL.to_owned(), verifier, fake: Some(fake) })
    }
}

impl JiraSettings {
    pub(crate) fn fake(fake: Arc<FakeJira>) -> Result<Self, Failure> {
        fake.add_project(FAKE_PROJECT);
        let client = Jira::builder()
            .base_url(fake.url())
            .api_token(fake.email(), fake.token())
            .config(for_fakes())
            .build()
            .map_err(unusable)?;
        let verifier = Some(connect_jira::webhook::verifier(fake.webhook_secret()).map_err(unusable)?);
        let project = Some(JiraProject {
            key: FAKE_PROJECT.to_owned(),
            issue_type: "Task".to_owned(),
            site: fake.url().to_owned(),
        });
        Ok(Self { client, fake: Some(fake), verifier, project })
    }
}

/// One event of the fake GitHub.
pub(crate) struct Sample(Arc<FakeGitHub>);

impl Sample {
    pub(crate) async fn deliver_to(&self, hub: &Hub) -> Result<(), Failure> {
        let sample = GitHubDelivery::pull_request("opened")
            .repository("octo", "hello")
            .number(1)
            .title("A sample from the fake GitHub")
            .sender("mona");
        let url = format!("{}/webhooks/github", hub.url());
        let reply = self.0.deliver(&url, sample).await;
        reply.map(drop).map_err(|error| Failure::Failed(format!("the sample event did not arrive: {error}")))
    }
}

/// A comma-separated list of seconds; decimals are fine.
pub(crate) fn seconds(vars: &Vars<'_>, name: &str) -> Result<Option<Vec<Duration>>, Failure> {
    let Some(text) = vars.optional(name) else { return Ok(None) };
    let parse =
        |word: &str| Duration::try_from_secs_f64(word.trim().parse().ok()?).ok().filter(|wait| *wait <= YEAR);
    let waits: Option<Vec<Duration>> = text.split(',').map(parse).collect();
    waits
        .map(Some)
        .ok_or_else(|| Failure::Usage(format!("{name}: `{text}` is no list of seconds like 5,30,120")))
}

pub(crate) fn single(vars: &Vars<'_>, name: &str) -> Result<Option<Duration>, Failure> {
    match seconds(vars, name)?.as_deref() {
        None => Ok(None),
        Some([wait]) if !wait.is_zero() => Ok(Some(*wait)),
        Some(_) => Err(Failure::Usage(format!("{name} takes one number of seconds above zero"))),
    }
}

fn list(text: Option<String>) -> Option<BTreeSet<String>> {
    Some(text?.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn is_tenant(name: &str) -> bool {
    name.len() <= 64
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
}

fn unusable(error: impl std::error::Error) -> Failure {
    Failure::Usage(error.to_string())
}

fn cannot_fake(error: std::io::Error) -> Failure {
    Failure::Failed(format!("a fake cannot listen on loopback: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn settings(set: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::from_vars(lookup, &BTreeSet::new()).await.map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn a_half_configured_service_names_the_missing_variable() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("GITHUB_TOKEN", "t")], "GITHUB_WEBHOOK_SECRET"),
            (&[("CONNECT_GITHUB_REDELIVERY", "repos/o/r/hooks/7")], "GITHUB_WEBHOOK_SECRET"),
            (
                &[("GITHUB_WEBHOOK_SECRET", "s"), ("CONNECT_GITHUB_REDELIVERY", "repos/o/r/hooks/7")],
                "GITHUB_TOKEN",
            ),
            (&[("GITHUB_WEBHOOK_SECRET", "s"), ("CONNECT_GITHUB_REDELIVERY", "app")], "GITHUB_APP_ID"),
            (
                &[
                    ("GITHUB_WEBHOOK_SECRET", "s"),
                    ("CONNECT_GITHUB_REDELIVERY", "app"),
                    ("GITHUB_APP_ID", "7"),
                ],
                "GITHUB_APP_PRIVATE_KEY",
            ),
            (&[("SLACK_BOT_TOKEN", "t")], "CONNECT_SLACK_CHANNEL"),
            (&[("CONNECT_SLACK_CHANNEL", "C1")], "SLACK_BOT_TOKEN"),
            (&[("SLACK_SIGNING_SECRET", "s")], "SLACK_BOT_TOKEN"),
            (&[("JIRA_BASE_URL", "https://x.example"), ("JIRA_EMAIL", "a@example.com")], "JIRA_API_TOKEN"),
            (&[("JIRA_WEBHOOK_SECRET", "s")], "JIRA_BASE_URL"),
        ];
        for (set, missing) in cases {
            let message = settings(set).await.map(drop).unwrap_err();
            assert!(message.contains(missing) && !message.contains('\n'), "{set:?}: {message}");
        }
    }

    #[tokio::test]
    async fn services_without_variables_are_off_and_say_so() {
        let settings = settings(&[("GITHUB_WEBHOOK_SECRET", "s3cret")]).await.unwrap();
        let overview = settings.overview();
        assert!(overview.contains("github  on, webhooks only"), "{overview}");
        assert!(overview.contains("slack   off (set SLACK_BOT_TOKEN"), "{overview}");
        assert!(overview.contains("flows   none"), "{overview}");
        assert!(!overview.contains("s3cret"));
    }

    #[tokio::test]
    async fn a_hub_that_no_webhook_can_reach_says_so() {
        let settings = settings(&[("SLACK_BOT_TOKEN", "t"), ("CONNECT_SLACK_CHANNEL", "C1")]).await.unwrap();
        assert!(settings.overview().contains("WARNING no webhook can arrive"), "{}", settings.overview());
    }

    #[tokio::test]
    async fn nothing_configured_says_how_to_begin() {
        let message = settings(&[]).await.map(drop).unwrap_err();
        for part in ["--demo", "GITHUB_WEBHOOK_SECRET", "CONNECT_SLACK_CHANNEL", "JIRA_API_TOKEN"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[tokio::test]
    async fn malformed_values_name_their_variable_and_show_no_value() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("GITHUB_WEBHOOK_SECRET", "s"), ("GITHUB_API_URL", "http://canary.example")],
                "GITHUB_API_URL",
            ),
            (&[("SLACK_BOT_TOKEN", "canary\nx"), ("CONNECT_SLACK_CHANNEL", "C1")], "SLACK_BOT_TOKEN"),
            (&[("GITHUB_WEBHOOK_SECRET", "s"), ("CONNECT_TENANTS", "a/b")], "CONNECT_TENANTS"),
        ];
        for (set, named) in cases {
            let message = settings(set).await.map(drop).unwrap_err();
            assert!(message.contains(named) && !message.contains("canary"), "{set:?}: {message}");
        }
    }
}
