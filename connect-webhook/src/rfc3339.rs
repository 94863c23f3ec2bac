//! Dates as in RFC 3339, to whole seconds: `2025-06-15T15:06:40.634234626Z`, `2025-06-15T17:06:40+02:00`.
//!
//! Signed timestamps need no calendar, so this is one function and its reverse.

use crate::clock::UnixTime;

const SECONDS_PER_DAY: i64 = 86_400;

/// `None` for anything but a date and a time with an offset. A leap second counts as the second after it.
pub(crate) fn parse(text: &[u8]) -> Option<UnixTime> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] =
        date_time
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_i64, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + i64::from(**digit - b'0'))
        })
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let offset = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
        None => rest,
    };
    let offset_minutes = match offset {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let time = hour * 3600 + minute * 60 + second - offset_minutes * 60;
    Some(UnixTime(days_since_1970(year, month, day) * SECONDS_PER_DAY + time))
}

/// The reverse, in UTC. Years beyond 9999 do not occur in signatures; they come out with more digits.
pub(crate) fn format(time: UnixTime) -> String {
    let (days, second) = (time.0.div_euclid(SECONDS_PER_DAY), time.0.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The proleptic Gregorian calendar, counted in years that begin in March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days_since_1970`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2025-06-15T15:06:40Z", Some(1_750_000_000)),
            ("2025-06-15T15:06:40.634234626Z", Some(1_750_000_000)),
            ("2025-06-15t17:06:40+02:00", Some(1_750_000_000)),
            ("2025-06-15 11:36:40-03:30", Some(1_750_000_000)),
            ("2000-02-29T00:00:00Z", Some(951_782_400)),
            ("1969-12-31T23:59:60Z", Some(0)),
            ("2023-02-29T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-06-15T24:00:00Z", None),
            ("2025-06-15T15:06:40", None),
            ("2025-06-15T15:06:40.Z", None),
            ("2025-06-15T15:06:40+2:00", None),
            ("2025-06-15T15:06:40+24:00", None),
            ("+025-06-15T15:06:40Z", None),
            ("2025-06-15", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), expected.map(UnixTime), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in (-62_000_000_000..250_000_000_000).step_by(86_399 * 997) {
            let text = format(UnixTime(seconds));
            assert_eq!(parse(text.as_bytes()), Some(UnixTime(seconds)), "{text}");
        }
    }
}
