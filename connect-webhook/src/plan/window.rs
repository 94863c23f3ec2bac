//! Signed times, and how far they may be from the present.

use super::place;
use crate::clock::UnixTime;
use crate::error::VerifyError;
use crate::rfc3339;
use crate::scheme::{TimestampRule, TimestampUnit};

pub(crate) fn read_time(rule: &TimestampRule, text: &[u8]) -> Result<UnixTime, VerifyError> {
    let seconds = match rule.unit {
        TimestampUnit::Rfc3339 => rfc3339::parse(text).map(|time| time.0),
        TimestampUnit::Seconds => digits(text),
        TimestampUnit::Milliseconds => digits(text).map(|value| value / 1000),
    };
    seconds.map(UnixTime).ok_or_else(|| VerifyError::BadTimestamp { place: place(rule) })
}

/// Digits only: no sign, blank or fraction, which readers understand differently. 15 digits cannot overflow.
fn digits(text: &[u8]) -> Option<i64> {
    let is_number = (1..=15).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// How far the timestamp may be from `now`.
pub(crate) fn check_window(rule: &TimestampRule, signed: UnixTime, now: UnixTime) -> Result<(), VerifyError> {
    window(signed, now, rule.past_seconds, rule.future_seconds)
}

/// As [`check_window`], for rules in code.
pub(crate) fn window(signed: UnixTime, now: UnixTime, past: u32, future: u32) -> Result<(), VerifyError> {
    let age_seconds = now.0.saturating_sub(signed.0);
    if age_seconds > i64::from(past) {
        return Err(VerifyError::TimestampTooOld { age_seconds, limit_seconds: past });
    }
    let ahead_seconds = age_seconds.saturating_neg();
    if ahead_seconds > i64::from(future) {
        return Err(VerifyError::TimestampInFuture { ahead_seconds, limit_seconds: future });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_saturate() {
        let rule = TimestampRule::header("x", 300);
        for (signed, now) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, i64::MIN)] {
            assert!(check_window(&rule, UnixTime(signed), UnixTime(now)).is_err());
        }
    }

    #[test]
    fn milliseconds_and_dates_are_understood() {
        let mut rule = TimestampRule::header("x", 300);
        for (unit, text, expected) in [
            (TimestampUnit::Seconds, "1750000000", Some(1_750_000_000)),
            (TimestampUnit::Milliseconds, "1750000000999", Some(1_750_000_000)),
            (TimestampUnit::Rfc3339, "2025-06-15T15:06:40Z", Some(1_750_000_000)),
            (TimestampUnit::Seconds, "+1750000000", None),
            (TimestampUnit::Seconds, "1e9", None),
            (TimestampUnit::Milliseconds, "9999999999999999", None),
            (TimestampUnit::Rfc3339, "1750000000", None),
        ] {
            rule.unit = unit;
            assert_eq!(read_time(&rule, text.as_bytes()).ok(), expected.map(UnixTime), "{text}");
        }
    }
}
