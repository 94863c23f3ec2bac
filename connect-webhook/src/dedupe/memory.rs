//! Deliveries remembered in memory: bounded by number and by age, the oldest forgotten first.
//!
//! Each operation looks at one or two entries of a hash table, however many there are. An entry holds hashes
//! and no text, so that 100,000 of them take 20 to 32 MB whatever the ids look like. Clones share what they
//! remember. A restart forgets everything.
//!
//! What is full forgets early, and a delivery that was forgotten can be replayed. One tenant's flood makes the
//! others' forgotten too; an instance for each tenant keeps them apart. [`MemoryDedupe::forgotten_early`] counts.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{Claim, Dedupe, DedupeKey, Repeat};
use crate::clock::UnixTime;
use crate::scheme::Scheme;
use crate::sink::SinkError;

/// As long as connect-flow remembers: longer than any provider retries (GitHub offers redelivery for 3 days).
const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// At one delivery per second for a day, and 20 to 32 MB.
const DEFAULT_ENTRIES: usize = 100_000;

/// Twice the longest window of the built-in schemes (30 min before now). A capture is good for as long as the
/// window is wide, both sides of now counted.
const LEAST_RETENTION: Duration = Duration::from_secs(2 * 2 * 1800);

/// Remembers the last 100,000 deliveries for 7 days.
///
/// ```
/// use connect_webhook::{Claim, Dedupe, DedupeKey, Delivery, MemoryDedupe, UnixTime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_webhook::SinkError> {
/// let dedupe = MemoryDedupe::default();
/// let key = DedupeKey::of(&Delivery::new("default", "github", "72d3162e", "{}"));
/// let now = UnixTime(1_750_000_000);
///
/// assert_eq!(dedupe.begin(&key, now).await?, Claim::New);
/// assert_eq!(dedupe.begin(&key, now).await?, Claim::InProgress);
/// dedupe.commit(&key).await?;
/// assert!(matches!(dedupe.begin(&key, now).await?, Claim::Duplicate(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryDedupe {
    seen: Arc<Mutex<Seen>>,
    entries: usize,
    retention: Duration,
    /// What is younger and forgotten for room is counted.
    least: Duration,
}

#[derive(Default)]
struct Seen {
    entries: HashMap<Name, Entry>,
    /// Those that are done, in the order in which they were: by id and by replay key, if they have one.
    done: VecDeque<(UnixTime, Name, Option<Name>)>,
    /// How many deliveries are claimed.
    claimed: usize,
    /// How many were forgotten for room before the least retention was over.
    early: u64,
}

/// The hash of an id or a replay key with its tenant and source.
type Name = [u8; 32];

struct Entry {
    body_sha256: [u8; 32],
    claimed_at: UnixTime,
    is_done: bool,
}

impl Default for MemoryDedupe {
    fn default() -> Self {
        Self {
            seen: Arc::default(),
            entries: DEFAULT_ENTRIES,
            retention: DEFAULT_RETENTION,
            least: LEAST_RETENTION,
        }
    }
}

impl MemoryDedupe {
    /// Sets how many deliveries are remembered, 100,000 by default; at least 1. As many may be under way at a
    /// time; senders of more are asked to come again.
    #[must_use]
    pub fn with_entries(mut self, entries: usize) -> Self {
        self.entries = entries.max(1);
        self
    }

    /// Sets how long a delivery is remembered, 7 days by default; at least 2 hours, because a delivery may be
    /// replayed for as long as its signed time is believed.
    #[must_use]
    pub fn with_retention(mut self, retention: Duration) -> Self {
        self.retention = retention.max(LEAST_RETENTION);
        self
    }

    /// Remembers for at least twice as long as a scheme of your own believes a signed time. The built-in
    /// schemes need no such call.
    #[must_use]
    pub fn covering(mut self, scheme: &Scheme) -> Self {
        self.least = self.least.max(twice_the_window(scheme));
        self.retention = self.retention.max(self.least);
        self
    }

    /// How many deliveries are remembered.
    pub fn len(&self) -> usize {
        self.lock().done.len()
    }

    /// How many deliveries were forgotten to make room while they were younger than 2 hours, or than what
    /// [`covering`](Self::covering) asks for, and could be replayed since; the first one is a warning in the log.
    /// More [entries](Self::with_entries) help, or an instance for each tenant.
    pub fn forgotten_early(&self) -> u64 {
        self.lock().early
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_unsuccessfully(&self, key: &DedupeKey) {
        let (id, replay) = names(key);
        let mut seen = self.lock();
        if seen.entries.get(&id).is_none_or(|entry| entry.is_done) {
            return;
        }
        seen.claimed = seen.claimed.saturating_sub(1);
        for name in [Some(id), replay].into_iter().flatten() {
            seen.entries.remove(&name);
        }
    }
}

#[async_trait]
impl Dedupe for MemoryDedupe {
    async fn begin(&self, key: &DedupeKey, now: UnixTime) -> Result<Claim, SinkError> {
        let (id, replay) = names(key);
        let mut seen = self.lock();
        seen.forget_older_than(now, self.retention);
        let repeat =
            |entry: &Entry, how| if entry.is_done { Claim::Duplicate(how) } else { Claim::InProgress };
        if let Some(entry) = seen.entries.get(&id) {
            let is_same = entry.body_sha256 == key.body_sha256;
            return Ok(repeat(entry, if is_same { Repeat::Same } else { Repeat::OtherBody }));
        }
        if let Some(entry) = replay.and_then(|replay| seen.entries.get(&replay)) {
            return Ok(repeat(entry, Repeat::OtherId));
        }
        if seen.claimed >= self.entries {
            return Err(SinkError::new(
                "too many deliveries are under way; take more at a time or raise with_entries",
            ));
        }
        seen.claimed += 1;
        for name in [Some(id), replay].into_iter().flatten() {
            let entry = Entry { body_sha256: key.body_sha256, claimed_at: now, is_done: false };
            seen.entries.insert(name, entry);
        }
        Ok(Claim::New)
    }

    async fn commit(&self, key: &DedupeKey) -> Result<(), SinkError> {
        let (id, replay) = names(key);
        let mut seen = self.lock();
        let Some(entry) = seen.entries.get_mut(&id).filter(|entry| !entry.is_done) else { return Ok(()) };
        entry.is_done = true;
        let at = entry.claimed_at;
        if let Some(entry) = replay.and_then(|replay| seen.entries.get_mut(&replay)) {
            entry.is_done = true;
        }
        seen.claimed = seen.claimed.saturating_sub(1);
        seen.done.push_back((at, id, replay));
        while seen.done.len() > self.entries {
            let oldest = seen.done.front().map_or(at, |(oldest, ..)| *oldest);
            if age(oldest, at) < seconds(self.least) {
                if seen.early == 0 {
                    tracing::warn!(
                        entries = self.entries,
                        "deliveries are forgotten while they can still be replayed; raise with_entries, or give each \
                         tenant an instance"
                    );
                }
                seen.early += 1;
            }
            seen.forget_oldest();
        }
        Ok(())
    }

    async fn release(&self, key: &DedupeKey) -> Result<(), SinkError> {
        self.end_unsuccessfully(key);
        Ok(())
    }

    fn abandon(&self, key: &DedupeKey) {
        self.end_unsuccessfully(key);
    }
}

impl Seen {
    fn forget_older_than(&mut self, now: UnixTime, retention: Duration) {
        while self.done.front().is_some_and(|(at, ..)| age(*at, now) > seconds(retention)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id, replay)) = self.done.pop_front() {
            for name in [Some(id), replay].into_iter().flatten() {
                self.entries.remove(&name);
            }
        }
    }
}

impl fmt::Debug for MemoryDedupe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDedupe")
            .field("entries", &self.entries)
            .field("retention", &self.retention)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn age(at: UnixTime, now: UnixTime) -> i64 {
    now.0.saturating_sub(at.0)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn names(key: &DedupeKey) -> (Name, Option<Name>) {
    let name = |kind: u8, text: &str| {
        let mut hash = Sha256::new_with_prefix([kind]);
        // With its length before each text, so that no two keys run together into one.
        for text in [&*key.tenant, &*key.source, text] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    };
    (name(0, &key.id), key.replay_key.as_deref().map(|replay| name(1, replay)))
}

fn twice_the_window(scheme: &Scheme) -> Duration {
    let window = scheme
        .timestamp
        .as_ref()
        .map_or(0, |rule| u64::from(rule.past_seconds) + u64::from(rule.future_seconds));
    Duration::from_secs(2 * window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Delivery;
    use crate::schemes;
    use futures_util::FutureExt;

    const NOW: UnixTime = UnixTime(1_750_000_000);

    fn key(id: &str, replay: Option<&str>) -> DedupeKey {
        let mut delivery = Delivery::new("t", "s", id, "{}");
        delivery.replay_key = replay.map(str::to_owned);
        DedupeKey::of(&delivery)
    }

    fn begin(dedupe: &MemoryDedupe, key: &DedupeKey, now: UnixTime) -> Claim {
        dedupe.begin(key, now).now_or_never().unwrap().unwrap()
    }

    fn take(dedupe: &MemoryDedupe, key: &DedupeKey, now: UnixTime) -> Claim {
        let claim = begin(dedupe, key, now);
        if claim == Claim::New {
            dedupe.commit(key).now_or_never().unwrap().unwrap();
        }
        claim
    }

    #[test]
    fn the_least_retention_is_twice_the_window_of_every_built_in_scheme() {
        for scheme in schemes::ALL {
            assert!(twice_the_window(scheme) <= LEAST_RETENTION, "{}", scheme.name);
        }
        let mut wide = schemes::SLACK.clone();
        if let Some(rule) = &mut wide.timestamp {
            (rule.past_seconds, rule.future_seconds) = (86_400, 60);
        }
        let dedupe = MemoryDedupe::default().with_retention(Duration::ZERO).covering(&wide);
        assert_eq!(dedupe.retention, Duration::from_secs(2 * 86_460));
    }

    #[test]
    fn id_and_replay_key_are_each_taken_once() {
        let dedupe = MemoryDedupe::default();
        let cases = [
            ("1", Some("r"), Claim::New),
            ("1", Some("r"), Claim::Duplicate(Repeat::Same)),
            ("1", None, Claim::Duplicate(Repeat::Same)),
            ("2", Some("r"), Claim::Duplicate(Repeat::OtherId)),
            ("2", None, Claim::New),
            // An id and a replay key of the same text are different things.
            ("r", None, Claim::New),
        ];
        for (id, replay, expected) in cases {
            assert_eq!(take(&dedupe, &key(id, replay), NOW), expected, "{id} {replay:?}");
        }
        let mut other = key("1", Some("x"));
        other.body_sha256 = [0; 32];
        assert_eq!(take(&dedupe, &other, NOW), Claim::Duplicate(Repeat::OtherBody));
        for (tenant, source) in [("u", "s"), ("t", "ss"), ("ts", "")] {
            let mut other = key("1", Some("r"));
            (other.tenant, other.source) = (tenant.into(), source.into());
            assert_eq!(take(&dedupe, &other, NOW), Claim::New, "{tenant} {source}");
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_nothing_is_left_of_it() {
        let dedupe = MemoryDedupe::default().with_entries(3);
        for number in 0..1000 {
            let key = key(&number.to_string(), Some(&format!("r{number}")));
            assert_eq!(take(&dedupe, &key, NOW), Claim::New);
            let seen = dedupe.lock();
            assert!(seen.done.len() <= 3 && seen.entries.len() <= 6 && seen.claimed == 0);
        }
        assert_eq!(take(&dedupe, &key("997", None), NOW), Claim::Duplicate(Repeat::Same));
        assert_eq!(take(&dedupe, &key("x", Some("r999")), NOW), Claim::Duplicate(Repeat::OtherId));
        assert_eq!(take(&dedupe, &key("996", Some("r996")), NOW), Claim::New);
    }

    #[test]
    fn what_is_forgotten_for_room_while_it_is_young_is_counted() {
        let dedupe = MemoryDedupe::default().with_entries(1);
        let two_hours = i64::try_from(LEAST_RETENTION.as_secs()).unwrap();
        let cases = [(0, 0), (two_hours, 0), (2 * two_hours - 1, 1), (2 * two_hours - 1, 2)];
        for (index, (seconds, expected)) in cases.into_iter().enumerate() {
            take(&dedupe, &key(&index.to_string(), None), UnixTime(NOW.0 + seconds));
            assert_eq!(dedupe.forgotten_early(), expected, "after {seconds} s");
        }
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let dedupe = MemoryDedupe::default();
        assert_eq!(take(&dedupe, &key("1", Some("r")), NOW), Claim::New);
        let week = 7 * 24 * 60 * 60;
        let at = |seconds| UnixTime(NOW.0 + seconds);
        assert_eq!(take(&dedupe, &key("1", None), at(week)), Claim::Duplicate(Repeat::Same));
        assert_eq!(take(&dedupe, &key("2", Some("r")), at(week + 1)), Claim::New);
        assert_eq!(dedupe.len(), 1);
        assert_eq!(
            take(&dedupe, &key("2", None), at(-week)),
            Claim::Duplicate(Repeat::Same),
            "a clock set back"
        );
    }

    #[test]
    fn claims_are_bounded_and_never_forgotten() {
        let dedupe = MemoryDedupe::default().with_entries(2);
        for id in ["1", "2"] {
            assert_eq!(begin(&dedupe, &key(id, Some(id)), NOW), Claim::New);
        }
        assert!(dedupe.begin(&key("3", None), NOW).now_or_never().unwrap().is_err());
        assert_eq!(begin(&dedupe, &key("1", None), UnixTime(i64::MAX)), Claim::InProgress);
        dedupe.abandon(&key("1", Some("1")));
        assert_eq!(begin(&dedupe, &key("3", Some("1")), NOW), Claim::New);
    }

    #[test]
    fn what_is_done_cannot_be_released() {
        let dedupe = MemoryDedupe::default();
        take(&dedupe, &key("1", Some("r")), NOW);
        dedupe.abandon(&key("1", Some("r")));
        dedupe.abandon(&key("2", Some("r")));
        dedupe.commit(&key("2", Some("r"))).now_or_never().unwrap().unwrap();
        assert_eq!(take(&dedupe, &key("2", Some("r")), NOW), Claim::Duplicate(Repeat::OtherId));
        assert_eq!(dedupe.lock().claimed, 0);
    }
}
