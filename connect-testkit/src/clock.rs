//! The wall clock of a fake: whole seconds since the Unix epoch.
//!
//! Fakes need it for `Date`, rate-limit resets, Slack's message timestamps and signature, and Jira's search
//! index. By default it is the machine's clock; a builder can start it at a fixed second, where it stands still
//! until it is advanced. Advancing also works on the machine's clock, which gives a server whose clock is skewed;
//! a skew can be negative too.
//! Not for measuring how long something took.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Debug, Default)]
pub(crate) struct Clock {
    start: Option<u64>,
    advanced: AtomicU64,
    skew: AtomicI64,
}

impl Clock {
    pub(crate) fn new(start: Option<u64>) -> Self {
        Self { start, ..Self::default() }
    }

    pub(crate) fn now(&self) -> u64 {
        let start = self.start.unwrap_or_else(|| wall_millis() / 1000);
        start
            .saturating_add(self.advanced.load(Ordering::Relaxed))
            .saturating_add_signed(self.skew.load(Ordering::Relaxed))
    }

    /// How many seconds the clock goes ahead of what it would say otherwise; negative is behind.
    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.advanced.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

/// Milliseconds since the epoch on the machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one place where this crate reads the wall clock")]
pub(crate) fn wall_millis() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// Whole seconds of a `Retry-After` header; a started second counts, because coming early is a second refusal.
pub(crate) fn seconds_rounded_up(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// The form of the `Date` header: `Thu, 01 Jan 1970 00:00:00 GMT`.
pub(crate) fn http_date(unix_seconds: u64) -> String {
    // 1 January 1970 was a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = Civil::from_unix(unix_seconds);
    let weekday = DAYS[(unix_seconds / DAY % 7) as usize];
    let month = MONTHS[at.month as usize - 1];
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        at.day, at.year, at.hour, at.minute, at.second
    )
}

/// The form of dates in GitHub's JSON: `1970-01-01T00:00:00Z`.
pub(crate) fn iso_8601(unix_seconds: u64) -> String {
    let at = Civil::from_unix(unix_seconds);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year, at.month, at.day, at.hour, at.minute, at.second)
}

const DAY: u64 = 86_400;

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    /// Howard Hinnant's `civil_from_days`: years start in March, so the leap day is the last day of a year.
    fn from_unix(unix_seconds: u64) -> Self {
        const DAYS_FROM_0000_03_01: u64 = 719_468;
        const DAYS_IN_400_YEARS: u64 = 146_097;
        let days = unix_seconds / DAY + DAYS_FROM_0000_03_01;
        let era = days / DAYS_IN_400_YEARS;
        let day_of_era = days % DAYS_IN_400_YEARS;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let second_of_day = unix_seconds % DAY;
        Self {
            year,
            month,
            day,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_both_forms() {
        let cases = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT", "2000-02-29T12:34:56Z"),
            (1_431_696_861, "Fri, 15 May 2015 13:34:21 GMT", "2015-05-15T13:34:21Z"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT", "2100-02-28T23:59:59Z"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00Z"),
        ];
        for (unix_seconds, header, json) in cases {
            assert_eq!(http_date(unix_seconds), header);
            assert_eq!(iso_8601(unix_seconds), json);
        }
    }

    #[test]
    fn a_clock_with_a_start_stands_still_until_it_is_advanced() {
        let clock = Clock::new(Some(100));
        assert_eq!(clock.now(), 100);
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now(), 160);
        clock.set_skew(-70);
        assert_eq!(clock.now(), 90);
    }

    #[test]
    fn a_started_second_of_waiting_counts_as_a_whole_one() {
        assert_eq!(seconds_rounded_up(Duration::from_millis(1)), 1);
        assert_eq!(seconds_rounded_up(Duration::from_secs(2)), 2);
    }
}
