//! What people see: tables with aligned columns, and times as spans.

use std::time::{Duration, SystemTime};

/// Rows under a head, each column as wide as it has to be.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// `in 59m`, `2h ago`, `never`: the largest unit is enough to look at.
pub(crate) fn when(time: Option<SystemTime>, now: SystemTime) -> String {
    let Some(time) = time else { return "never".to_owned() };
    match time.duration_since(now) {
        Ok(left) => format!("in {}", span(left)),
        Err(past) => format!("{} ago", span(past.duration())),
    }
}

fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Seconds since 1970, for programs.
pub(crate) fn unix_seconds(time: Option<SystemTime>) -> Option<u64> {
    time?.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// What stands for itself in red, if there may be colours.
pub(crate) fn alarming(text: &str, has_colours: bool) -> String {
    if has_colours { format!("\u{1b}[31m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Foreign words, without what a terminal would obey, or show in another order than it was written.
pub(crate) fn harmless(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["übrig".to_owned(), String::new()]];
        assert_eq!(table(&["id", "what"], &rows), "id     what\na      long cell\nübrig");
    }

    #[test]
    fn foreign_words_command_no_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}c\u{202e}d\u{2066}é"), "a?[2Jb?c?d?é");
    }

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let later = |seconds| now.checked_add(Duration::from_secs(seconds));
        assert_eq!(when(later(59), now), "in 59s");
        assert_eq!(when(later(3600), now), "in 60m");
        assert_eq!(when(later(90_000), now), "in 25h");
        assert_eq!(when(now.checked_sub(Duration::from_secs(864_000)), now), "10d ago");
        assert_eq!(when(None, now), "never");
    }
}
