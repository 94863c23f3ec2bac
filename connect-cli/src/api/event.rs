//! `connect decode --event`: a payload that was sent to a webhook through the typed model of its event.

use connect_github::webhook::Event;
use serde_json::Value;

use super::layout::{Layout, lay_out};
use super::provider::Provider;
use super::unmodelled::unmodelled;
use crate::arguments::unknown;
use crate::output::harmless;
use crate::{Failure, World};

const HEADER: &str = "x-github-event:";

/// The event of this name: `pull_request`, or the line of the header as it was captured.
pub(super) fn named(provider: Provider, given: &str) -> Result<&'static str, Failure> {
    if !matches!(provider, Provider::GitHub) {
        let message =
            "only GitHub's events are typed: leave --event out, or say --operation NAME for an answer";
        return Err(Failure::Usage(message.to_owned()));
    }
    let lower = given.trim().to_ascii_lowercase();
    let name = lower.strip_prefix(HEADER).unwrap_or(&lower).trim().replace('-', "_");
    let known = Event::NAMES.iter().find(|known| **known == name);
    known.copied().ok_or_else(|| Failure::Usage(unknown("event", &name, Event::NAMES)))
}

pub(super) fn run(event: &str, payload: &[u8], layout: Layout, world: &mut World) -> Result<u8, Failure> {
    // Its own text quotes nothing of the payload.
    let (typed, drift) = Event::parse_with_drift(event, payload)
        .map_err(|error| Failure::Failed(format!("{event}: {error}")))?;
    for path in &drift {
        world.tell(format_args!("connect: the payload lacks {path}, or has something else there"));
    }
    let typed = serde_json::to_value(&typed).map_err(|error| Failure::Failed(format!("{event}: {error}")))?;
    let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
    for path in unmodelled(&payload, &typed) {
        let path = harmless(&path);
        world.tell(format_args!("connect: the payload has {path}, which the model does not know"));
    }
    world.say(lay_out(&typed.to_string(), layout));
    Ok(0)
}
