//! Logs: to standard error, at `CONNECT_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;

/// Starts logging at `CONNECT_LOG`, or at this level.
pub(crate) fn start(default: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let text = lookup("CONNECT_LOG").filter(|text| !text.trim().is_empty());
    let filter: Targets = text.as_deref().unwrap_or(default).parse().map_err(|_| {
        Failure::Usage(
            "CONNECT_LOG is not understood; use error, warn, info, debug, trace, or target=level,...".into(),
        )
    })?;
    let colours = std::io::stderr().is_terminal() && lookup("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    // A second start in one process (there is none) would keep the first one's settings.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}
