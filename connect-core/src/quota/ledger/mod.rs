//! The books of one account: its buckets, the lines before them, and the gate that bounds how much runs at once.
//!
//! Pure: time and wakers come in as arguments, wakers to be woken go out. The pilot holds it behind a lock and wakes after
//! letting go.

mod entries;
mod entry;
mod line;
mod settle;
mod status;

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use self::entries::Entries;
use self::entry::Claim;
use self::line::{Line, Pause, Waiters};
pub(crate) use self::line::{Place, WaiterId};
use super::draws::{Bucket, Draws, MOST_DRAWS};
use super::gauge::{Gauge, Room};
use super::model::Observations;
use crate::api::Verdict;
use crate::context::Priority;
use crate::deadline::after;

/// What the pause of a whole account is called.
pub(crate) const ACCOUNT: &str = "account";

/// Who was sent to another line this often gets what it finds kept for it.
const PATIENT_MOVES: u32 = 2;

#[derive(Debug)]
pub(crate) struct Ledger {
    concurrency: u32,
    running: u32,
    pause: Pause,
    line: Line,
    entries: Entries,
    waiters: Waiters,
    arrivals: u64,
    admissions: u64,
}

/// Which bucket, and how much of it.
#[derive(Clone, Copy, Debug, Default)]
struct Want {
    entry: u32,
    cost: u64,
}

/// What a call draws on, as places in the books. To be given back with [`Ledger::settle`] or [`Ledger::forget`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    wants: [Want; MOST_DRAWS],
    count: usize,
    /// Which spacings have given their cell already: one bit each.
    cells: u8,
}

impl Wanted {
    fn each(&self) -> &[Want] {
        self.wants.get(..self.count).unwrap_or_default()
    }
}

/// An admitted call.
#[derive(Debug)]
pub(crate) struct Grant {
    wanted: Wanted,
    number: u64,
    at: Instant,
}

/// Before which line somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// All of the account's running requests, or a pause of the whole account.
    Gate,
    Bucket(u32),
}

/// Why somebody is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) before: Before,
    /// When it opens, if that is known.
    pub(crate) until: Option<Instant>,
    /// When to look again without being woken.
    pub(crate) again: Option<Instant>,
}

impl Blocked {
    fn by(before: Before, room: Room) -> Result<(), Self> {
        match room {
            Room::Open => Ok(()),
            Room::ClosedUntil(at) => Err(Self { before, until: Some(at), again: Some(at) }),
            Room::Closed(again) => Err(Self { before, until: None, again }),
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Settled<'a> {
    /// It never left: nothing was spent.
    Unsent,
    /// Nobody knows.
    Lost,
    /// It was answered.
    Answered {
        seen: &'a Observations,
        verdict: Option<Verdict>,
        /// The provider may not charge for such an answer.
        is_free: bool,
        /// Nothing is wrong with the provider: an answer without figures means that there are none.
        is_well: bool,
        trip: Duration,
    },
}

/// What a waiter does until it is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Somebody is before it.
    Behind,
    /// It is the first, because of this.
    First(Blocked),
}

impl Ledger {
    pub(crate) fn new(concurrency: u32) -> Self {
        Self {
            concurrency: concurrency.max(1),
            running: 0,
            pause: Pause::default(),
            line: Line::default(),
            entries: Entries::default(),
            waiters: Waiters::default(),
            arrivals: 0,
            admissions: 0,
        }
    }

    /// Finds the buckets, making those that are new.
    pub(crate) fn resolve(&mut self, draws: &Draws, now: Instant) -> Wanted {
        let mut wanted = Wanted::default();
        for (draw, want) in draws.iter().zip(&mut wanted.wants) {
            let entry = self.entries.find(&draw.bucket, Some(draw.rule), now);
            *want = Want { entry, cost: u64::from(draw.cost) };
            wanted.count += 1;
            // At once, so that the next bucket, if it is new, does not push this one out.
            if let Some(entry) = self.entries.get_mut(entry) {
                entry.users += 1;
            }
        }
        wanted
    }

    /// A place in every line for somebody who comes now.
    pub(crate) fn place(&mut self, priority: Priority) -> Place {
        self.arrivals += 1;
        Place { priority, number: self.arrivals }
    }

    /// Takes everything, or nothing and says what is closed.
    pub(crate) fn admit(
        &mut self,
        wanted: &mut Wanted,
        place: Place,
        now: Instant,
    ) -> Result<Grant, Blocked> {
        // The bucket that is closed for longest says so at once, however busy the account is: the gate comes last.
        Blocked::by(Before::Gate, self.pause.room(now))?;
        for want in wanted.each() {
            let before = Before::Bucket(want.entry);
            let Some(entry) = self.entries.get_mut(want.entry) else {
                continue;
            };
            if entry.line.has_before(place) {
                return Err(Blocked { before, until: None, again: None });
            }
            Blocked::by(before, entry.pause.room(now))?;
            // What is kept for somebody else is as good as on its way.
            let kept = entry.claim.filter(|claim| claim.place != place).map_or(0, |claim| claim.cost);
            if kept > 0 && matches!(entry.gauge, Gauge::Spacing(_)) {
                return Err(Blocked { before, until: None, again: None });
            }
            let in_flight = entry.in_flight.saturating_add(kept);
            Blocked::by(before, entry.gauge.room(want.cost, in_flight, self.admissions, now))?;
        }
        if self.line.has_before(place) || self.running >= self.concurrency {
            return Err(Blocked { before: Before::Gate, until: None, again: None });
        }
        // Spacing last: to ask is to take.
        for (bit, want) in wanted.wants.iter().take(wanted.count).enumerate() {
            let Some(entry) = self.entries.get(want.entry) else {
                continue;
            };
            if wanted.cells & (1 << bit) == 0 {
                entry.gauge.take_cell(now).map_err(|at| Blocked {
                    before: Before::Bucket(want.entry),
                    until: Some(at),
                    again: Some(at),
                })?;
                wanted.cells |= 1 << bit;
            }
        }
        let number = self.admissions;
        self.admissions += 1;
        self.running += 1;
        self.pause.go(number, now);
        for want in wanted.each() {
            if let Some(entry) = self.entries.get_mut(want.entry) {
                entry.pause.go(number, now);
                entry.gauge.go(number, now);
                entry.in_flight = entry.in_flight.saturating_add(want.cost);
                entry.used_at = now;
            }
        }
        Ok(Grant { wanted: std::mem::take(wanted), number, at: now })
    }

    /// The soonest that somebody with this place can hope for, if they stood in that line.
    pub(crate) fn hope(&self, blocked: Blocked, place: Place, now: Instant) -> Option<Instant> {
        let Before::Bucket(entry) = blocked.before else { return blocked.until };
        let entry = self.entries.get(entry)?;
        let line = entry.gauge.line(entry.line.count_before(place.priority));
        let at = blocked.until.unwrap_or(now);
        (blocked.until.is_some() || !line.is_zero()).then(|| after(at, line))
    }

    /// What is closed, for people; `None` if too many of the account's requests are running.
    pub(crate) fn bucket(&self, before: Before, now: Instant) -> Option<Bucket> {
        match before {
            Before::Gate => self.pause.is_closed(now).then(|| Bucket::new(ACCOUNT)),
            Before::Bucket(entry) => self.entries.get(entry).map(|entry| entry.bucket.clone()),
        }
    }

    /// Stands in a line.
    pub(crate) fn park(&mut self, before: Before, place: Place, waker: &Waker) -> (WaiterId, bool) {
        let id = self.waiters.insert(place, before, waker);
        let line = self.line_mut(before);
        line.insert(place, id);
        let is_first = line.is_first(place);
        (id, is_first)
    }

    /// Tries once more, if it is this waiter's turn.
    pub(crate) fn poll(
        &mut self,
        id: WaiterId,
        wanted: &mut Wanted,
        waker: &Waker,
        now: Instant,
        wake: &mut Vec<Waker>,
    ) -> Result<Grant, (Turn, Before)> {
        let Some((place, before)) = self.waiters.meet(id, waker) else {
            return Err((Turn::Behind, Before::Gate)); // cannot be: only its own future removes a waiter
        };
        if !self.line_mut(before).is_first(place) {
            return Err((Turn::Behind, before));
        }
        match self.admit(wanted, place, now) {
            Ok(grant) => {
                self.leave(id, wake);
                self.disclaim(&grant.wanted, place, wake);
                Ok(grant)
            }
            Err(blocked) if blocked.before == before => Err((Turn::First(blocked), before)),
            Err(blocked) => {
                // What it waited for is open, something else is not: it goes over there, to its place by arrival.
                self.line_mut(before).remove(place);
                self.wake_first(before, wake);
                if self.waiters.go_to(id, blocked.before) >= PATIENT_MOVES {
                    self.claim(before, wanted, place);
                }
                let line = self.line_mut(blocked.before);
                line.insert(place, id);
                let turn = if line.is_first(place) { Turn::First(blocked) } else { Turn::Behind };
                Err((turn, blocked.before))
            }
        }
    }

    /// Gives its place in the line up.
    pub(crate) fn leave(&mut self, id: WaiterId, wake: &mut Vec<Waker>) {
        let Some((place, before)) = self.waiters.remove(id) else { return };
        self.line_mut(before).remove(place);
        self.wake_first(before, wake);
    }

    /// Keeps what is free in a bucket for somebody who would otherwise find, each time one of its buckets opens, another one
    /// closed. One claim at a time, the first one's: what waits is little.
    fn claim(&mut self, before: Before, wanted: &Wanted, place: Place) {
        let Before::Bucket(entry) = before else { return };
        let Some(want) = wanted.each().iter().find(|want| want.entry == entry) else { return };
        if let Some(entry) = self.entries.get_mut(entry)
            && entry.claim.is_none_or(|claim| place < claim.place)
        {
            entry.claim = Some(Claim { place, cost: want.cost });
        }
    }

    fn disclaim(&mut self, wanted: &Wanted, place: Place, wake: &mut Vec<Waker>) {
        for want in wanted.each() {
            if let Some(entry) = self.entries.get_mut(want.entry)
                && entry.claim.take_if(|claim| claim.place == place).is_some()
            {
                self.wake_first(Before::Bucket(want.entry), wake);
            }
        }
    }

    /// Nothing is wanted any more by somebody who was not admitted.
    pub(crate) fn forget(&mut self, wanted: &Wanted, place: Place, wake: &mut Vec<Waker>) {
        self.disclaim(wanted, place, wake);
        for want in wanted.each() {
            if let Some(entry) = self.entries.get_mut(want.entry) {
                entry.users = entry.users.saturating_sub(1);
            }
        }
    }

    fn line_mut(&mut self, before: Before) -> &mut Line {
        match before {
            Before::Bucket(entry) => match self.entries.get_mut(entry) {
                Some(entry) => &mut entry.line,
                // Cannot be: an entry with users stays.
                None => &mut self.line,
            },
            Before::Gate => &mut self.line,
        }
    }

    fn wake_first(&mut self, before: Before, wake: &mut Vec<Waker>) {
        if let Some(first) = self.line_mut(before).first() {
            wake.extend(self.waiters.waker(first));
        }
    }
}
