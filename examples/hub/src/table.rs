//! What people see: a table of beats, a row as soon as it is known.

use std::io::IsTerminal;

use crate::story::Beat;

/// Prints beats as they end. Colours only on a terminal.
pub(crate) struct Table {
    colours: bool,
}

impl Table {
    /// A table with its head printed.
    pub(crate) fn begin() -> Self {
        let colours =
            std::io::stdout().is_terminal() && connect_core::vars::environment("NO_COLOR").is_none();
        println!("      {:<46} what happened", "beat");
        println!("      {:-<46} {:-<56}", "", "");
        Self { colours }
    }

    /// One row.
    pub(crate) fn row(&self, beat: &Beat) {
        let (mark, colour) = if beat.holds() { ("ok  ", "32") } else { ("FAIL", "31") };
        let mark = if self.colours { format!("\u{1b}[{colour}m{mark}\u{1b}[0m") } else { mark.to_owned() };
        println!("{mark}  {:<46} {}", beat.name, beat.what());
    }
}
