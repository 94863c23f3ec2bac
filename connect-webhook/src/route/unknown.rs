//! Events that no handler was named for: counted, and said once.
//!
//! A new event type of a provider must not fill a log, and an endless supply of types must not fill the memory:
//! 256 types are counted apart, the rest together.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::delivery::Delivery;

/// Far more than a provider has; the largest catalogue, GitHub's, lists about 70.
pub(super) const MOST_TYPES: usize = 256;

/// How often events of one type came that no handler was named for; from
/// [`Router::unknown`](crate::Router::unknown).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownEvents {
    /// Where they came from; `other` for what is not counted apart.
    pub source: String,
    /// Their type; empty if they name none, `other` for what is not counted apart.
    pub event: String,
    /// How many.
    pub count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Unknown(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    /// By source, then by type: looked up without building a key.
    types: HashMap<String, HashMap<String, u64>>,
    size: usize,
    other: u64,
}

impl Unknown {
    pub(super) fn count(&self, delivery: &Delivery) {
        let event = delivery.event.as_deref().unwrap_or_default();
        let source = &*delivery.source;
        // The type is the sender's text, hence `?`, which escapes it.
        match self.add(source, event) {
            First::OfType => tracing::warn!(
                source,
                ?event,
                "no handler for this type of event; add one, or name it in the sender's settings"
            ),
            First::Beyond => tracing::warn!(
                source,
                ?event,
                "no handler for more than {MOST_TYPES} types of events; the rest is counted together"
            ),
            First::Not => {}
        }
    }

    fn add(&self, source: &str, event: &str) -> First {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = tally.types.get_mut(source).and_then(|types| types.get_mut(event)) {
            *count += 1;
            return First::Not;
        }
        if tally.size < MOST_TYPES {
            tally.size += 1;
            tally.types.entry(source.to_owned()).or_default().insert(event.to_owned(), 1);
            return First::OfType;
        }
        tally.other += 1;
        if tally.other == 1 { First::Beyond } else { First::Not }
    }

    /// In alphabetical order, `other` last.
    pub(super) fn snapshot(&self) -> Vec<UnknownEvents> {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = tally
            .types
            .iter()
            .flat_map(|(source, types)| types.iter().map(move |(event, count)| (source, event, *count)))
            .map(|(source, event, count)| UnknownEvents {
                source: source.clone(),
                event: event.clone(),
                count,
            })
            .collect();
        all.sort();
        if tally.other > 0 {
            let other = || "other".to_owned();
            all.push(UnknownEvents { source: other(), event: other(), count: tally.other });
        }
        all
    }
}

/// Whether it is worth a line in the log.
#[derive(Debug, PartialEq, Eq)]
enum First {
    OfType,
    Beyond,
    Not,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_counted_apart_up_to_256_and_said_once() {
        let unknown = Unknown::default();
        for round in 0..2 {
            for number in 0..MOST_TYPES {
                let expected = if round == 0 { First::OfType } else { First::Not };
                assert_eq!(unknown.add("s", &number.to_string()), expected);
            }
        }
        assert_eq!(unknown.add("t", "0"), First::Beyond);
        assert_eq!(unknown.add("s", "new"), First::Not);
        let all = unknown.snapshot();
        assert_eq!(all.len(), MOST_TYPES + 1);
        assert!(all[..MOST_TYPES].iter().all(|one| one.source == "s" && one.count == 2));
        assert_eq!((&*all[MOST_TYPES].event, all[MOST_TYPES].count), ("other", 2));
    }
}
