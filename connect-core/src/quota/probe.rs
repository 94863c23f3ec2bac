//! One goes first, and the others wait for what its answer says.

use std::time::Duration;

use tokio::time::Instant;

use super::gauge::Room;
use crate::deadline::after;

/// How long the others wait for the answer of the one that went first, before another one tries. A call that hangs must
/// not hold an account back for as long as its time-out.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who has gone first, if anybody.
#[derive(Debug, Default)]
pub(crate) struct Probe(Option<(u64, Instant)>);

impl Probe {
    pub(crate) fn room(&self, now: Instant) -> Room {
        match self.0.map(|(_, since)| after(since, PATIENCE)) {
            Some(again) if now < again => Room::Closed(Some(again)),
            _ => Room::Open,
        }
    }

    /// This request goes first.
    pub(crate) fn go(&mut self, number: u64, now: Instant) {
        self.0 = Some((number, now));
    }

    /// A request has ended, however that was; was it the one?
    pub(crate) fn end(&mut self, number: u64) -> bool {
        self.0.take_if(|(probe, _)| *probe == number).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_goes_first_and_another_one_if_it_hangs() {
        let now = Instant::now();
        let mut probe = Probe::default();
        assert_eq!(probe.room(now), Room::Open);
        probe.go(1, now);
        assert_eq!(probe.room(now), Room::Closed(Some(now + PATIENCE)));
        assert_eq!(probe.room(now + PATIENCE), Room::Open);
        probe.go(2, now + PATIENCE);
        assert!(!probe.end(1), "that one comes too late");
        assert!(probe.end(2));
        assert_eq!(probe.room(now + PATIENCE), Room::Open);
    }
}
