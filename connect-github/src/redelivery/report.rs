//! What a pass did.

use std::fmt;
use std::time::{Duration, SystemTime};

/// What one pass saw and did. `Display` is one line for the log.
///
/// ```
/// use connect_github::redelivery::Report;
/// assert_eq!(Report::default().to_string(), "0 deliveries listed, 0 failed, 0 asked for, 0 recovered, 0 open");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Attempts that were listed.
    pub seen: usize,
    /// Attempts that could not be read: their event is not looked after.
    pub unreadable: usize,
    /// Deliveries that were found failed for the first time.
    pub failed: usize,
    /// Redeliveries that GitHub was asked for.
    pub asked: usize,
    /// Deliveries that had failed and of which an attempt succeeded meanwhile.
    pub recovered: usize,
    /// Deliveries that were asked for as often as the [`Policy`](super::Policy) allows, in vain. A person may still ask
    /// for them in GitHub's settings.
    pub given_up: Vec<Lost>,
    /// Deliveries that GitHub redelivers no more: too old, or gone. Their events must be found by other means.
    pub lost: Vec<Lost>,
    /// Deliveries that are due and wait for the next pass, because this one had asked for as many as it may.
    pub left: usize,
    /// Deliveries still to be recovered, those that were asked for included.
    pub open: usize,
    /// Every delivery up to this moment, by GitHub's clock, has been looked at.
    pub watermark: Option<SystemTime>,
    /// Why the pass ended early; the next one goes on from there.
    pub stopped: Option<Stopped>,
}

/// A delivery that will not come.
///
/// Enough to find it in GitHub's settings and to tell somebody.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The event's `X-GitHub-Delivery`.
    pub guid: String,
    /// The event's type, such as `push`.
    pub event: String,
    /// Of the newest attempt, as GitHub's API counts deliveries.
    pub delivery_id: i64,
    /// When the first known attempt failed, by GitHub's clock.
    pub failed_at: Option<SystemTime>,
}

/// Why a pass ended early.
///
/// None of them is an error: what was reached is kept.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A rate limit, which opens after this long, if GitHub said so.
    RateLimited(Option<Duration>),
    /// GitHub failed, or could not be reached.
    Unavailable,
    /// As many pages as the [`Policy`](super::Policy) allows; there are more.
    Pages,
    /// Another process wrote the watermark meanwhile: it is at work.
    OtherProcess,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seen, failed, asked, recovered, open, .. } = self;
        write!(
            f,
            "{seen} deliveries listed, {failed} failed, {asked} asked for, {recovered} recovered, {open} open"
        )?;
        for (count, what) in [
            (self.left, "left for the next pass"),
            (self.given_up.len(), "GIVEN UP"),
            (self.lost.len(), "LOST"),
            (self.unreadable, "unreadable"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        match self.stopped {
            None => Ok(()),
            Some(Stopped::RateLimited(Some(wait))) => write!(f, "; stopped by a rate limit for {wait:?}"),
            Some(Stopped::RateLimited(None)) => f.write_str("; stopped by a rate limit"),
            Some(Stopped::Unavailable) => f.write_str("; stopped because GitHub failed"),
            Some(Stopped::Pages) => f.write_str("; there are more pages"),
            Some(Stopped::OtherProcess) => f.write_str("; another process is at work"),
        }
    }
}
