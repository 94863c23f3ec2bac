//! GitHub's secondary limit: it looks at points per minute, says little, and does not forgive who goes on.
//!
//! A request costs one point, a write five. Whoever spends more in a minute is refused for a pause, and every request
//! meanwhile begins the pause anew. The refusal comes in the shapes that GitHub has been seen to use; `x-ratelimit-remaining`
//! stays above zero in all of them. Each account is judged on its own. By default there is no such limit.
//! Not the real figures, which GitHub does not publish whole: a test chooses its own.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::{Method, StatusCode};

use super::FakeGitHub;
use super::answer::{self, Failure};
use crate::clock::seconds_rounded_up;
use crate::server::Answer;

const WINDOW_SECONDS: u64 = 60;

/// How GitHub says that a secondary limit is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecondaryShape {
    /// 403 with `Retry-After` and a message that names the limit.
    #[default]
    Hinted,
    /// 403 with the message alone.
    Message,
    /// 403 with the older message, about abuse detection.
    Abuse,
    /// 403 with a message that tells nothing, and a link to the page about the limit.
    Page,
    /// 429 with nothing that explains it.
    TooManyRequests,
}

/// A limit of points per minute and account; see [`FakeGitHub::set_secondary_limit`](crate::FakeGitHub::set_secondary_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a limit does nothing until it is set"]
pub struct SecondaryLimit {
    points: u64,
    pause: u64,
    shape: SecondaryShape,
}

impl SecondaryLimit {
    /// So many points a minute: one for a read, five for a write. The pause is a minute.
    pub fn points_per_minute(points: u64) -> Self {
        Self { points, pause: 60, shape: SecondaryShape::default() }
    }

    /// How long an account is refused, counted from its last request.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = seconds_rounded_up(pause);
        self
    }

    /// How the refusal looks.
    pub fn shape(mut self, shape: SecondaryShape) -> Self {
        self.shape = shape;
        self
    }
}

impl FakeGitHub {
    /// Sets a secondary limit, or takes it away; nobody is refused any more by the one before.
    ///
    /// ```
    /// # use connect_testkit::FakeGitHub;
    /// # use connect_testkit::github::{SecondaryLimit, SecondaryShape};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// let github = FakeGitHub::start().await?;
    /// github.set_secondary_limit(SecondaryLimit::points_per_minute(10).shape(SecondaryShape::Message));
    /// # Ok(()) }
    /// ```
    pub fn set_secondary_limit(&self, limit: impl Into<Option<SecondaryLimit>>) {
        let secondary = Secondary::with(limit.into());
        self.provider.state.with(|state| state.secondary = secondary);
    }

    /// How many requests came although the secondary limit was refusing their account; a patient client makes none.
    pub fn hammered(&self) -> usize {
        self.provider.state.with(|state| state.secondary.hammered())
    }
}

#[derive(Default)]
struct Account {
    spent: VecDeque<(u64, u64)>,
    refused_until: u64,
    hammered: usize,
}

#[derive(Default)]
pub(super) struct Secondary {
    limit: Option<SecondaryLimit>,
    /// By credential, or whom it speaks for; anonymous requests are one account, as they come from one address.
    accounts: HashMap<String, Account>,
}

impl Secondary {
    pub(super) fn with(limit: Option<SecondaryLimit>) -> Self {
        Self { limit, accounts: HashMap::new() }
    }

    /// A request of this account; the refusal if it must not pass.
    pub(super) fn admit(&mut self, account: &str, method: &Method, now: u64) -> Option<Answer> {
        let limit = self.limit?;
        let account = self.accounts.entry(account.to_owned()).or_default();
        if now < account.refused_until {
            account.hammered += 1;
            account.refused_until = now + limit.pause;
            return Some(refusal(limit));
        }
        account.spent.retain(|(at, _)| at + WINDOW_SECONDS > now);
        let cost = if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) { 1 } else { 5 };
        let spent: u64 = account.spent.iter().map(|(_, points)| points).sum();
        if spent + cost > limit.points {
            account.refused_until = now + limit.pause;
            return Some(refusal(limit));
        }
        account.spent.push_back((now, cost));
        None
    }

    /// How many requests came although their account was being refused.
    pub(super) fn hammered(&self) -> usize {
        self.accounts.values().map(|account| account.hammered).sum()
    }
}

fn refusal(limit: SecondaryLimit) -> Answer {
    const NAMED: &str = "You have exceeded a secondary rate limit. Wait before you try again.";
    const ABUSE: &str = "You have triggered an abuse detection mechanism. Wait before you try again.";
    const SILENT: &str = "Please slow down.";
    let (status, message, page) = match limit.shape {
        SecondaryShape::Hinted | SecondaryShape::Message => {
            (StatusCode::FORBIDDEN, NAMED, answer::SECONDARY_DOCS)
        }
        SecondaryShape::Abuse => (StatusCode::FORBIDDEN, ABUSE, answer::DOCS),
        SecondaryShape::Page => (StatusCode::FORBIDDEN, SILENT, answer::SECONDARY_PAGE),
        SecondaryShape::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, SILENT, answer::DOCS),
    };
    let mut refusal = answer::failure(&Failure::new(status, message).documented_at(page));
    if limit.shape == SecondaryShape::Hinted {
        refusal.set("retry-after", limit.pause.to_string());
    }
    refusal
}
