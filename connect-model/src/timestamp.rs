//! Times, kept as text: most of them are shown or compared, hardly any is computed with.

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time as the provider wrote it (ISO 8601 with a zone, as RFC 3339 profiles it). It reads like a string;
/// [`Timestamp::unix_seconds`] and [`Timestamp::to_system_time`] parse it. A number, as some providers send in some places,
/// is whole seconds since 1970.
///
/// ```
/// let time: connect_model::Timestamp = serde_json::from_str(r#""2011-04-22T13:33:48Z""#)?;
/// assert_eq!(time.unix_seconds(), Some(1_303_479_228));
/// assert_eq!(time.as_str(), "2011-04-22T13:33:48Z");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, fractions cut; `None` for what is no time with a zone.
    pub fn unix_seconds(&self) -> Option<i64> {
        parse(self.0.as_bytes()).or_else(|| self.number())
    }

    /// The number that it came as.
    fn number(&self) -> Option<i64> {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.0.parse().ok())?
    }

    /// The time, to the second; `None` for what is no time with a zone.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let seconds = self.unix_seconds()?;
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }
}

/// `YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|+hhmm)`, with a space or `t` for the `T` as well.
fn parse(text: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, one_of: &[u8]| text.get(at).is_some_and(|byte| one_of.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !((1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60) {
        return None;
    }
    let mut at = 19;
    if is(at, b".,") {
        at += 1;
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
    }
    let offset = match text.get(at)? {
        b'Z' | b'z' if text.len() == at + 1 => 0,
        sign @ (b'+' | b'-') => {
            let minutes = if is(at + 3, b":") { at + 4 } else { at + 3 };
            if text.len() != minutes + 2 {
                return None;
            }
            let offset = number(at + 1, at + 3)? * 3600 + number(minutes, minutes + 2)? * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, with the year beginning in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// As it came.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(seconds) => serializer.serialize_i64(seconds),
            None => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Time)
    }
}

struct Time;

impl Visitor<'_> for Time {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time, as text or in seconds")
    }

    fn visit_str<E>(self, text: &str) -> Result<Timestamp, E> {
        Ok(Timestamp(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Timestamp, E> {
        Ok(Timestamp(text))
    }

    fn visit_i64<E>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(seconds.to_string()))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
        i64::try_from(seconds).map(|seconds| Timestamp(seconds.to_string())).map_err(E::custom)
    }
}

impl Deref for Timestamp {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

impl PartialEq<str> for Timestamp {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Timestamp {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_shape_that_providers_send() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2011-04-22T13:33:48Z", Some(1_303_479_228)),
            ("2011-04-22 13:33:48Z", Some(1_303_479_228)),
            ("2011-04-22T13:33:48.999Z", Some(1_303_479_228)),
            ("2011-04-22T15:33:48+02:00", Some(1_303_479_228)),
            ("2011-04-22T15:33:48.000+0200", Some(1_303_479_228)),
            ("2011-04-22T08:33:48-05:00", Some(1_303_479_228)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2000-02-29T00:00:00Z", Some(951_782_400)),
            ("2011-04-22T13:33:48", None),
            ("2011-04-22", None),
            ("2011-13-22T13:33:48Z", None),
            ("2011-04-22T13:33:48+02", None),
            ("2011-04-22T13:33:48Zzz", None),
            ("1303479228", Some(1_303_479_228)),
            ("-1", Some(-1)),
            ("", None),
            ("-", None),
            ("99999999999999999999", None),
            ("grün-04-22T13:33:48Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Timestamp::from(text).unix_seconds(), expected, "{text}");
        }
        assert_eq!(
            Timestamp::from("1969-12-31T23:59:59Z").to_system_time(),
            UNIX_EPOCH.checked_sub(Duration::from_secs(1))
        );
    }

    #[test]
    fn a_number_is_seconds_and_stays_one() {
        let times: Vec<Timestamp> = serde_json::from_str(r#"[1303479228, "2011-04-22T13:33:48Z"]"#).unwrap();
        assert_eq!(times[0].unix_seconds(), times[1].unix_seconds());
        assert_eq!(serde_json::to_string(&times).unwrap(), r#"[1303479228,"2011-04-22T13:33:48Z"]"#);
        assert!(serde_json::from_str::<Timestamp>("1.5").is_err());
        assert!(serde_json::from_str::<Timestamp>("18446744073709551615").is_err());
    }
}
