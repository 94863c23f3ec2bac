//! What is known of one bucket, by whichever rule it fills up.

use std::time::Duration;

use tokio::time::Instant;

use super::draws::Rule;
use super::send_log::SendLog;
use super::server_view::ServerView;
use super::spacing::Spacing;

/// Is there room in a bucket?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Open,
    /// Not before this.
    ClosedUntil(Instant),
    /// Not before something that is on its way comes back; who wants to know without being woken looks again then.
    Closed(Option<Instant>),
}

#[derive(Debug)]
pub(crate) enum Gauge {
    Server(Box<ServerView>),
    Published(SendLog),
    Spacing(Spacing),
}

impl Gauge {
    pub(crate) fn new(rule: Rule, now: Instant) -> Self {
        match rule {
            Rule::Server => Self::Server(Box::default()),
            Rule::Published { limit, window } => Self::Published(SendLog::new(limit, window)),
            Rule::Spacing { every } => Self::Spacing(Spacing::new(every, now)),
        }
    }

    /// Is it of this rule? Then it goes by the rule's numbers from now on.
    pub(crate) fn adopt(&mut self, rule: Rule) -> bool {
        match (self, rule) {
            (Self::Server(_), Rule::Server) => true,
            (Self::Published(log), Rule::Published { limit, window }) => {
                log.adopt(limit, window);
                true
            }
            (Self::Spacing(spacing), Rule::Spacing { every }) => spacing.is_every(every),
            _ => false,
        }
    }

    /// Room, without taking any. Spacing cannot be looked at: [`Gauge::take_cell`] asks and takes at once.
    pub(crate) fn room(&mut self, cost: u64, in_flight: u64, next_number: u64, now: Instant) -> Room {
        match self {
            Self::Server(view) => view.room(cost, in_flight, next_number, now),
            Self::Published(log) => log.room(cost, in_flight, now),
            Self::Spacing(_) => Room::Open,
        }
    }

    /// Takes the cell of a spacing; everything else has none.
    pub(crate) fn take_cell(&self, now: Instant) -> Result<(), Instant> {
        match self {
            Self::Spacing(spacing) => spacing.take(now),
            Self::Server(_) | Self::Published(_) => Ok(()),
        }
    }

    /// A request was admitted.
    pub(crate) fn go(&mut self, number: u64, now: Instant) {
        if let Self::Server(view) = self {
            view.go(number, now);
        }
    }

    /// How long somebody waits at the least who comes after so many others.
    pub(crate) fn line(&self, ahead: usize) -> Duration {
        match self {
            Self::Server(_) => Duration::ZERO,
            Self::Published(log) => log.line(ahead),
            Self::Spacing(spacing) => {
                spacing.every().saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX))
            }
        }
    }

    /// After how long without use everything known is out of date.
    pub(crate) fn memory(&self) -> Duration {
        match self {
            Self::Server(_) => Duration::from_secs(2 * 3600),
            Self::Published(log) => log.window().saturating_mul(2),
            Self::Spacing(spacing) => spacing.every().saturating_mul(2),
        }
    }
}
