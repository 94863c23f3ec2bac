//! What people see: lines on standard output, and a table of beats, a row as soon as it is known.

use std::fmt;
use std::io::{IsTerminal, Write, stdout};

use crate::story::Beat;

/// Prints a line. A reader that has gone away (`| head`) is no reason to fail.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// Prints beats as they end. Colours only on a terminal.
pub(crate) struct Table {
    colours: bool,
}

impl Table {
    /// A table with its head printed.
    pub(crate) fn begin() -> Self {
        let colours = stdout().is_terminal() && connect_core::vars::environment("NO_COLOR").is_none();
        say(format_args!("      {:<46} what happened", "beat"));
        say(format_args!("      {:-<46} {:-<56}", "", ""));
        Self { colours }
    }

    /// One row.
    pub(crate) fn row(&self, beat: &Beat) {
        let (mark, colour) = if beat.holds() { ("ok  ", "32") } else { ("FAIL", "31") };
        let mark = if self.colours { format!("\u{1b}[{colour}m{mark}\u{1b}[0m") } else { mark.to_owned() };
        say(format_args!("{mark}  {:<46} {}", beat.name, beat.what()));
    }
}
