//! Deliveries of a listing, grouped by GUID: a redelivery keeps the GUID of its event and has an id of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::HookDeliveryItem;

/// What a decision needs to know of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) id: i64,
    pub(super) guid: String,
    /// Seconds since 1970, by GitHub's clock.
    pub(super) at: i64,
    pub(super) event: String,
    pub(super) is_redelivery: bool,
    pub(super) succeeded: bool,
}

impl Attempt {
    /// `None` if it does not say what it is about or when it was.
    pub(super) fn of(item: HookDeliveryItem) -> Option<Self> {
        let at = item.delivered_at.unix_seconds()?;
        // Without a connection the status is 0.
        let succeeded = (200..300).contains(&item.status_code);
        let HookDeliveryItem { id, guid, event, redelivery, .. } = item;
        (id > 0 && !guid.is_empty()).then_some(Self {
            id,
            guid,
            at,
            event,
            is_redelivery: redelivery,
            succeeded,
        })
    }
}

/// The attempts at one delivery, as far as they were listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// Of the newest: that is the one to ask for.
    pub(super) id: i64,
    pub(super) event: String,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    pub(super) succeeded: bool,
}

/// What a listing says about deliveries that need a decision, by GUID.
///
/// The usual delivery succeeds at once and takes no room here. That loses nothing: lists come newest first, so whatever
/// follows on a success is listed before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tally(pub(super) BTreeMap<String, Attempts>);

impl Tally {
    pub(super) fn add(&mut self, attempt: Attempt) {
        let Attempt { id, guid, at, event, is_redelivery, succeeded } = attempt;
        match self.0.get_mut(&guid) {
            Some(known) => {
                if (at, id) > (known.last_at, known.id) {
                    known.id = id;
                }
                known.first_at = known.first_at.min(at);
                known.last_at = known.last_at.max(at);
                known.succeeded |= succeeded;
            }
            None if succeeded && !is_redelivery => {}
            None => {
                self.0.insert(guid, Attempts { id, event, first_at: at, last_at: at, succeeded });
            }
        }
    }
}
