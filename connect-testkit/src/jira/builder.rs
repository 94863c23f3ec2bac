//! The settings of a fake Jira before it starts.
//!
//! By default every credential is obviously fake and unique in the process, the site lives at the root of its
//! host, the search index does not lag, and the clock is the machine's.
//! Not for what changes while the fake runs: see `FakeJira` for projects, issues, faults and the clock.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::routes::ROOT;
use super::shape::Account;
use super::state::Site;
use super::{FakeJira, Jira};
use crate::clock::{Clock, seconds_rounded_up};
use crate::server::Loopback;
use crate::shared::Shared;
use crate::unique;

/// Settings of a [`FakeJira`]; see its example.
pub struct FakeJiraBuilder {
    email: String,
    token: String,
    webhook_secret: String,
    account_id: String,
    prefix: String,
    search_lag: Duration,
    start: Option<u64>,
}

impl Default for FakeJiraBuilder {
    fn default() -> Self {
        let number = unique::number();
        Self {
            email: format!("bot-{number}@testkit.example"),
            token: format!("fake-jira-api-token-{number}"),
            webhook_secret: format!("fake-jira-webhook-secret-{number}"),
            account_id: "fake-account-of-the-bot".to_owned(),
            prefix: String::new(),
            search_lag: Duration::ZERO,
            start: None,
        }
    }
}

impl FakeJiraBuilder {
    /// The email address that belongs to the token; by default one of its own under `.example`.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = email.into();
        self
    }

    /// The one API token to accept; by default an obviously fake one, unique in the process.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// The secret to sign deliveries with; by default an obviously fake one, unique in the process.
    pub fn webhook_secret(mut self, secret: impl Into<String>) -> Self {
        self.webhook_secret = secret.into();
        self
    }

    /// The account that the token belongs to; `fake-account-of-the-bot` by default.
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = account_id.into();
        self
    }

    /// Where the site lives on the host: `/ex/jira/{cloudId}` behind Atlassian's gateway, nothing by default.
    pub fn path_prefix(mut self, prefix: &str) -> Self {
        let trimmed = prefix.trim_matches('/');
        self.prefix = if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") };
        self
    }

    /// How long a fresh issue can be read but not found by a search, on the fake's own clock; zero by default.
    ///
    /// Counted in whole seconds, of which a started one is one. `reconcileIssues` sees through it.
    pub fn search_lag(mut self, lag: Duration) -> Self {
        self.search_lag = lag;
        self
    }

    /// Starts the clock at this moment, where it stands still until
    /// [`advance_clock`](FakeJira::advance_clock); by default it is the machine's clock.
    pub fn start_time(mut self, unix_seconds: u64) -> Self {
        self.start = Some(unix_seconds);
        self
    }

    /// Binds a free port on 127.0.0.1 and starts to serve.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<FakeJira> {
        let make = |address: SocketAddr| {
            let url = format!("http://{address}{}", self.prefix);
            Arc::new(Jira {
                api: format!("{url}{ROOT}"),
                url,
                basic: STANDARD.encode(format!("{}:{}", self.email, self.token)),
                token: self.token,
                webhook_secret: self.webhook_secret,
                account: Account { id: self.account_id, email: self.email },
                prefix: self.prefix,
                clock: Clock::new(self.start),
                site: Shared::new(Site::new(seconds_rounded_up(self.search_lag))),
            })
        };
        let (server, provider) = Loopback::start(make).await?;
        Ok(FakeJira { server, provider })
    }
}

impl fmt::Debug for FakeJiraBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeJiraBuilder").field("account_id", &self.account_id).finish_non_exhaustive()
    }
}
