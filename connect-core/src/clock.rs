//! The wall clock, and how far the provider's differs from it.
//!
//! Waiting and expiry run on tokio's clock. The time of day is needed only where it is told to others: in a signature
//! or in a signed token, which the provider compares with its own clock. A machine whose clock is minutes off would be
//! refused everywhere; [`Skew`] learns the difference from the provider's answers and takes it out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{AGE, DATE};

/// Tells the time of day. A closure will do, so that tests choose the time.
///
/// ```
/// use std::time::SystemTime;
/// use connect_core::clock::{SystemClock, WallClock};
/// fn year_is_plausible(clock: &dyn WallClock) -> bool { clock.now() > SystemTime::UNIX_EPOCH }
/// assert!(year_is_plausible(&SystemClock));
/// assert!(!year_is_plausible(&|| SystemTime::UNIX_EPOCH));
/// ```
pub trait WallClock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> SystemTime;
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> WallClock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The operating system's clock.
///
/// The default wherever a [`WallClock`] is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl WallClock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the wall clock enters")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// No clock is wrong by more than a century; a `Date` that says so is a broken or hostile server.
const WIDEST_MILLIS: i64 = 100 * 366 * 24 * 3600 * 1000;

/// Nothing measured yet.
const UNKNOWN: i64 = i64::MIN;

/// How far the provider's clock is ahead of ours. Clones share what they learn: the client that sees the answers, the
/// signer, the maker of signed tokens.
///
/// The correction is as small as the answers allow: a clock that is right is not touched by the one-second resolution
/// of `Date`, and a slow answer, which proves little, does not spoil what a fast one proved.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use connect_core::{HeaderMap, HeaderValue, clock::Skew};
/// let ours = || SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
/// let mut headers = HeaderMap::new();
/// headers.insert("date", HeaderValue::from_static("Sun, 06 Nov 1994 08:54:37 GMT"));
/// let skew = Skew::default();
/// skew.learn(&headers, Duration::ZERO, ours());
/// assert_eq!(skew.now(&ours), ours() + Duration::from_millis(300_500));
/// ```
#[derive(Clone)]
pub struct Skew(Arc<AtomicI64>);

impl Default for Skew {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl Skew {
    /// The time of day by the provider's clock, as far as it is known.
    pub fn now(&self, clock: &dyn WallClock) -> SystemTime {
        let (now, millis) = (clock.now(), self.millis());
        let offset = Duration::from_millis(millis.unsigned_abs());
        let corrected = if millis < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
        corrected.unwrap_or(now)
    }

    /// Milliseconds the provider's clock is ahead of ours; negative if it is behind, 0 before the first answer.
    pub fn millis(&self) -> i64 {
        known(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Learns from an answer that came `round_trip` after its request was sent, and says how far the estimate moved.
    ///
    /// An answer without a readable `Date`, or out of a cache on the way (`Age`), teaches nothing.
    pub fn learn(&self, headers: &HeaderMap, round_trip: Duration, received: SystemTime) -> Duration {
        let Some(window) = window(headers, round_trip, received) else { return Duration::ZERO };
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = agree(known(before), window);
            match self.0.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Duration::from_millis(known(before).unwrap_or(0).abs_diff(after)),
                Err(other) => before = other,
            }
        }
    }
}

impl fmt::Debug for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skew").field("millis", &self.millis()).finish()
    }
}

fn known(millis: i64) -> Option<i64> {
    (millis != UNKNOWN).then_some(millis)
}

/// The smallest and the largest difference that an answer allows. Its `Date` was made some time between sending and
/// receiving, and cut to a whole second.
fn window(headers: &HeaderMap, round_trip: Duration, received: SystemTime) -> Option<(i64, i64)> {
    if headers.contains_key(AGE) {
        return None;
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let least = unix_millis(date).saturating_sub(unix_millis(received));
    let width = i64::try_from(round_trip.as_millis()).unwrap_or(WIDEST_MILLIS).saturating_add(1_000);
    (least.abs() <= WIDEST_MILLIS).then_some((least, least.saturating_add(width)))
}

/// An estimate that the window allows stays; another moves no further than to its edge, because the rest of a wide
/// window is only slowness. The first to be wrong takes the middle, as the best guess.
fn agree(estimate: Option<i64>, (least, most): (i64, i64)) -> i64 {
    match estimate {
        None if (least..=most).contains(&0) => 0,
        None => least.saturating_add((most.saturating_sub(least)) / 2),
        Some(estimate) => estimate.clamp(least, most),
    }
}

fn unix_millis(time: SystemTime) -> i64 {
    let cut = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => cut(since),
        Err(before) => cut(before.duration()).saturating_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const DATE_SECONDS: u64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers
    }

    fn at(millis: i64) -> SystemTime {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(DATE_SECONDS);
        let offset = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { date - offset } else { date + offset }
    }

    fn learned(received: i64, round_trip: u64) -> i64 {
        let skew = Skew::default();
        skew.learn(&headers(), Duration::from_millis(round_trip), at(received));
        skew.millis()
    }

    #[test]
    fn a_clock_that_is_right_is_left_alone() {
        for received in [0, 500, 1_000, 1_200] {
            assert_eq!(learned(received, 200), 0, "received {received} ms after the Date");
        }
    }

    #[test]
    fn a_wrong_clock_is_corrected_from_the_middle_of_the_round_trip() {
        // Sent at -300.4 s, received at -300.0 s by our clock: on average 300.2 s before a Date that is 0.5 s old.
        assert_eq!(learned(-300_000, 400), 300_700);
        assert_eq!(learned(300_000, 400), -299_300);
    }

    #[test]
    fn a_slow_answer_does_not_spoil_what_a_fast_one_proved() {
        let skew = Skew::default();
        skew.learn(&headers(), Duration::from_millis(20), at(-300_000));
        let fast = skew.millis();
        let moved = skew.learn(&headers(), Duration::from_secs(20), at(-290_000));
        assert_eq!((skew.millis(), moved), (fast, Duration::ZERO));
        // And the other way round: a fast answer corrects a slow one.
        let skew = Skew::default();
        skew.learn(&headers(), Duration::from_secs(20), at(-290_000));
        skew.learn(&headers(), Duration::ZERO, at(-300_000));
        assert!((300_000..=301_000).contains(&skew.millis()), "{skew:?}");
    }

    #[test]
    fn cached_unreadable_and_absurd_dates_teach_nothing() {
        let mut cached = headers();
        cached.insert(AGE, HeaderValue::from_static("17"));
        let date = |text: &'static str| HeaderMap::from_iter([(DATE, HeaderValue::from_static(text))]);
        let dates = ["", "soon", "784111777", "Sun, 06 Nov 9994 08:49:37 GMT"].map(date);
        for headers in dates.into_iter().chain([cached, HeaderMap::new()]) {
            let skew = Skew::default();
            assert_eq!(skew.learn(&headers, Duration::ZERO, at(-300_000)), Duration::ZERO);
            assert_eq!(skew.now(&|| at(7)), at(7));
        }
    }

    #[test]
    fn nothing_overflows() {
        let skew = Skew::default();
        skew.learn(&headers(), Duration::MAX, at(0));
        skew.learn(&headers(), Duration::MAX, SystemTime::UNIX_EPOCH);
        skew.learn(&headers(), Duration::ZERO, SystemTime::UNIX_EPOCH);
        assert!(skew.now(&|| SystemTime::UNIX_EPOCH) > SystemTime::UNIX_EPOCH);
        assert_eq!(agree(Some(i64::MAX), (i64::MIN, 0)), 0);
        assert_eq!(agree(None, (1, i64::MAX)), 1 + (i64::MAX - 1) / 2);
    }
}
