//! Whose operations can be called, and what is known of them.

use connect_core::by_name::{Catalog, Entry};
use connect_core::{Api, ErrorKind, Response, Verdict};
use connect_github::GitHubApi;
use connect_slack::SlackApi;

use crate::Failure;
use crate::arguments::{Arguments, unknown};

/// A provider with a catalogue.
#[derive(Clone, Copy)]
pub(super) enum Provider {
    GitHub,
    Slack,
}

const IDS: &[&str] = &["github", "slack"];

impl Provider {
    /// The one that the next word names.
    pub(super) fn named(arguments: &mut Arguments) -> Result<Self, Failure> {
        match arguments.word().as_deref() {
            Some("github") => Ok(Self::GitHub),
            Some("slack") => Ok(Self::Slack),
            Some("jira") => {
                let message = "Jira has no catalogue of operations yet: it comes with its generated client";
                Err(Failure::Usage(message.to_owned()))
            }
            Some(other) => Err(Failure::Usage(unknown("provider", other, IDS))),
            None => Err(Failure::Usage(format!("which provider? there are {}", IDS.join(", ")))),
        }
    }

    pub(super) fn catalog(self) -> &'static Catalog {
        match self {
            Self::GitHub => &connect_github::CATALOG,
            Self::Slack => &connect_slack::CATALOG,
        }
    }

    /// The variables of a client's token and base URL, as its `from_vars` reads them.
    pub(super) fn variables(self) -> (&'static str, &'static str) {
        match self {
            Self::GitHub => ("GITHUB_TOKEN", "GITHUB_API_URL"),
            Self::Slack => ("SLACK_BOT_TOKEN", "SLACK_API_URL"),
        }
    }

    /// The operation of this name.
    pub(super) fn find(self, name: &str) -> Result<&'static Entry, Failure> {
        self.catalog().find(name).map_err(|error| {
            let id = self.catalog().provider();
            Failure::Usage(format!("{}; see `connect ops {id}`", error.message()))
        })
    }

    /// What an answer that is no success says; `None` for a success.
    pub(super) fn refusal(self, response: &Response) -> Option<String> {
        match self {
            Self::GitHub => refusal::<GitHubApi>(response),
            Self::Slack => refusal::<SlackApi>(response),
        }
    }
}

fn refusal<A: Api>(response: &Response) -> Option<String> {
    if A::classify(response) == Verdict::Success {
        return None;
    }
    let problem = A::problem(response);
    let message = problem.message.as_deref().or(problem.kind.map(ErrorKind::name));
    Some(message.unwrap_or("no reason given").to_owned())
}
