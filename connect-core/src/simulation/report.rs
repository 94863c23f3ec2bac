//! What a simulated provider saw: for assertions, and as a table for people.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::operation::Safety;

/// The figures of a run so far.
///
/// From [`SimulatedProvider::report`](super::SimulatedProvider::report); its `Display` is a table.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulationReport {
    /// How long the simulation has run.
    pub lasted: Duration,
    /// Requests that arrived.
    pub requests: u64,
    /// Successes, whether or not their answer reached the client.
    pub successes: u64,
    /// Refusals for a limit, all limits together.
    pub refusals: u64,
    /// 5xx answers, those of outages included.
    pub server_errors: u64,
    /// Requests that never left, because there was no connection.
    pub refused_connections: u64,
    /// Answers that never arrived: connection broken, body cut, or silence.
    pub lost_replies: u64,
    /// What strangers got through.
    pub stranger_requests: u64,
    /// Writes that were applied.
    pub applied: u64,
    /// Unsafe writes that were applied more than once: the failure this family exists to prevent.
    pub doubles: Vec<Double>,
    /// The most requests that arrived within one second.
    pub longest_burst: u64,
    /// Each limit by itself, in the order of the plan.
    pub limits: Vec<LimitReport>,
}

impl SimulationReport {
    /// One limit by its name.
    pub fn limit(&self, name: &str) -> Option<&LimitReport> {
        self.limits.iter().find(|limit| limit.name == name)
    }
}

/// A write that was applied more than once.
///
/// Keyed by the header [`OPERATION_ID`](super::OPERATION_ID), or by the path where there is none.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Double {
    /// Which.
    pub id: String,
    /// How often.
    pub times: u32,
}

/// The figures of one limit.
///
/// Part of a [`SimulationReport`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitReport {
    /// Its name.
    pub name: String,
    /// The allowance of a window.
    pub limit: u64,
    /// The length of a window.
    pub window: Duration,
    /// Its windows from the first to the current one. A limit without windows of its own is cut into stretches: of its
    /// length if it slides, of a minute if it counts what happens at a time.
    pub windows: Vec<WindowReport>,
}

impl LimitReport {
    /// Refusals in all windows.
    pub fn refusals(&self) -> u64 {
        self.windows.iter().map(|window| window.refusals).sum()
    }

    /// Refusals in the worst window.
    pub fn most_refusals_in_a_window(&self) -> u64 {
        self.windows.iter().map(|window| window.refusals).max().unwrap_or_default()
    }

    /// Which part of the allowance was used in each window, by strangers too: 1.0 is all of it.
    pub fn shares_used(&self) -> Vec<f64> {
        self.windows.iter().map(|window| window.used as f64 / self.limit.max(1) as f64).collect()
    }

    /// Which part of the allowance was used in these windows together.
    ///
    /// ```
    /// # use connect_core::simulation::LimitReport;
    /// assert_eq!(LimitReport::default().share_used(..), 0.0);
    /// ```
    pub fn share_used(&self, windows: impl std::ops::RangeBounds<usize>) -> f64 {
        let shares: Vec<f64> = self
            .shares_used()
            .into_iter()
            .enumerate()
            .filter(|(index, _)| windows.contains(index))
            .map(|(_, share)| share)
            .collect();
        if shares.is_empty() { 0.0 } else { shares.iter().sum::<f64>() / shares.len() as f64 }
    }
}

/// One window of one limit.
///
/// Part of a [`LimitReport`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowReport {
    /// When it began, since the beginning of the simulation; zero if it began before.
    pub from: Duration,
    /// What was drawn, strangers included.
    pub used: u64,
    /// What strangers drew.
    pub by_stranger: u64,
    /// How many requests were refused.
    pub refusals: u64,
}

/// One request as the provider saw it; times count from the beginning of the simulation.
///
/// From [`SimulatedProvider::exchanges`](super::SimulatedProvider::exchanges).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The operation's name.
    pub operation: String,
    /// Its safety.
    pub safety: Safety,
    /// The header [`OPERATION_ID`](super::OPERATION_ID), or the path where there is none.
    pub id: String,
    /// When the client sent it.
    pub sent_at: Duration,
    /// When its end reaches the client, if it ever does.
    pub ends_at: Option<Duration>,
    /// What became of it.
    pub fate: Fate,
    /// Did the provider act on it?
    pub applied: bool,
}

/// What became of a request.
///
/// Told from the provider's side; what the client can know is less.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has not arrived yet.
    OnItsWay,
    /// There was no connection.
    NotSent,
    /// It was answered.
    Answered(StatusCode),
    /// It was refused for a limit.
    Limited(StatusCode),
    /// The connection broke before the answer had arrived, or in the middle of it.
    Lost,
    /// No answer ever comes.
    Silent,
}

impl Fate {
    /// The status that the client sees, if it sees one.
    pub fn status(self) -> Option<StatusCode> {
        match self {
            Self::Answered(status) | Self::Limited(status) => Some(status),
            _ => None,
        }
    }
}

/// Windows that a table shows before it says how many more there are.
const SHOWN: usize = 12;

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} requests in {:.1} s: {} successes, {} refusals, {} server errors, {} replies lost, {} not sent",
            self.requests,
            self.lasted.as_secs_f64(),
            self.successes,
            self.refusals,
            self.server_errors,
            self.lost_replies,
            self.refused_connections,
        )?;
        writeln!(
            f,
            "{} writes applied, {} of them more than once; at most {} requests in a second; {} by strangers",
            self.applied,
            self.doubles.len(),
            self.longest_burst,
            self.stranger_requests,
        )?;
        if self.limits.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n| limit | from (s) | allowance | used | used % | by strangers | refusals |\n|---|---|---|---|---|---|---|"
        )?;
        for limit in &self.limits {
            for (window, share) in limit.windows.iter().zip(limit.shares_used()).take(SHOWN) {
                writeln!(
                    f,
                    "| {} | {:.0} | {} | {} | {:.1} | {} | {} |",
                    limit.name,
                    window.from.as_secs_f64(),
                    limit.limit,
                    window.used,
                    share * 100.0,
                    window.by_stranger,
                    window.refusals,
                )?;
            }
            if limit.windows.len() > SHOWN {
                writeln!(
                    f,
                    "| {} | {} more windows | | | {:.1} over all | | {} in all |",
                    limit.name,
                    limit.windows.len() - SHOWN,
                    limit.share_used(..) * 100.0,
                    limit.refusals(),
                )?;
            }
        }
        Ok(())
    }
}
