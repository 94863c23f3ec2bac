//! Durations and sizes as people write them.

use std::time::Duration;

/// What a duration looks like, for errors.
pub(super) const DURATION: &str = "a duration with its unit, like 250ms, 30s or 5m";

/// What a size looks like, for errors.
pub(super) const BYTES: &str = "a size, like 16 MiB, 500 kB or a number of bytes";

/// Names and values of the units, decimal (SI) and binary (IEC 80000-13).
const SIZES: [(&str, usize); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

pub(super) fn parse_bytes(text: &str) -> Option<usize> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit)?;
    number.parse::<usize>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_binary_or_no_units() {
        let cases = [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("16 MiB", Some(16 * 1024 * 1024)),
            ("16MiB", Some(16 * 1024 * 1024)),
            ("500 kB", Some(500_000)),
            ("1 b", Some(1)),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5 MiB", None),
            ("1 parsec", None),
            ("99999999999999999999", None),
            ("18446744073709551615 GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        for text in ["30", "", "-1s", "soon", "99999999999999999999999y"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
