//! What is known about one address, and what to do next by it.
//!
//! [`Slot::next`] decides from times alone, so that every rule can be tested without a fetch. Times are the
//! caller's and may step back, so distances count in both directions.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::error::{FetchError, KeysError};
use super::parse::{PublicKeys, parse};
use crate::clock::UnixTime;

/// Providers announce new keys hours before they use them, and do not change the text at an address of a
/// certificate.
pub(super) const FRESH: u64 = 3600;

/// A provider that cannot be reached for a day has not revoked its keys, more likely our network is at fault; but
/// to believe one for longer would outlive every revocation.
const USABLE: u64 = 24 * 3600;

/// Long enough that a flood costs the provider next to nothing, short enough for its retries.
pub(super) const PAUSE_AFTER_FAILURE: u64 = 10;

/// Anyone can write a token that names a key which does not exist.
pub(super) const PAUSE_AFTER_UNKNOWN_KEY: u64 = 30;

pub(super) type Fetching = Pin<Box<dyn Future<Output = Result<Bytes, FetchError>> + Send>>;

/// One address.
pub(super) struct Slot {
    state: Mutex<State>,
    /// The fetch under way. Whoever holds the lock drives it; if their request goes away, the next one goes on
    /// where it was, so requests that are opened and dropped cause no more fetches than others.
    pub(super) fetching: tokio::sync::Mutex<Option<Fetching>>,
}

#[derive(Default)]
struct State {
    /// The last good keys, and when they were asked for; `None` for keys that never age.
    good: Option<(PublicKeys, Option<UnixTime>)>,
    /// The last fetch, and why it failed if it did.
    tried: Option<(UnixTime, Option<KeysError>)>,
}

/// What a request has to do before it can be verified.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing; also where another fetch would not help.
    Verify,
    /// Fetch, unless somebody does: what is there is old, but good.
    Refresh,
    /// Fetch, or wait for the fetch under way.
    Fetch,
    /// Give up for now.
    Fail(KeysError),
}

impl Slot {
    pub(super) fn empty() -> Self {
        Self { state: Mutex::default(), fetching: tokio::sync::Mutex::new(None) }
    }

    pub(super) fn fixed(keys: PublicKeys) -> Self {
        let state = State { good: Some((keys, None)), tried: None };
        Self { state: Mutex::new(state), fetching: tokio::sync::Mutex::new(None) }
    }

    /// For a request that needs these keys of a set; none if this is a certificate.
    pub(super) fn next(&self, key_ids: &[String], now: UnixTime) -> Next {
        let State { good, tried } = &*self.state();
        let good = good.as_ref().filter(|(_, at)| is_usable(*at, now));
        let tried_within = |seconds| {
            tried.as_ref().filter(|(at, _)| distance(*at, now) < seconds).map(|(_, failure)| failure.clone())
        };
        match good {
            Some((keys, at)) if key_ids.iter().all(|id| keys.has(id)) => {
                let is_fresh = at.is_none_or(|at| distance(at, now) < FRESH);
                if is_fresh || tried_within(PAUSE_AFTER_FAILURE).is_some() {
                    Next::Verify
                } else {
                    Next::Refresh
                }
            }
            Some(_) => match tried_within(PAUSE_AFTER_UNKNOWN_KEY) {
                Some(Some(failure)) => Next::Fail(failure),
                Some(None) => Next::Verify,
                None => Next::Fetch,
            },
            None => match tried_within(PAUSE_AFTER_FAILURE).flatten() {
                Some(failure) => Next::Fail(failure),
                None => Next::Fetch,
            },
        }
    }

    /// Takes what a fetch brought. Bad news leave good keys alone.
    pub(super) fn put(&self, url: &str, fetched: Result<Bytes, FetchError>, now: UnixTime) {
        let keys = match fetched {
            Ok(text) => parse(&text).ok_or_else(|| KeysError::Unreadable { url: url.to_owned() }),
            Err(error) => Err(KeysError::Fetch { url: url.to_owned(), source: Arc::new(error) }),
        };
        let mut state = self.state();
        match keys {
            Ok(keys) => *state = State { good: Some((keys, Some(now))), tried: Some((now, None)) },
            Err(error) => {
                tracing::warn!(%error, "keys of a webhook provider");
                state.tried = Some((now, Some(error)));
            }
        }
    }

    /// What to verify with.
    pub(super) fn keys(&self, now: UnixTime) -> Option<PublicKeys> {
        let state = self.state();
        state.good.as_ref().filter(|(_, at)| is_usable(*at, now)).map(|(keys, _)| keys.clone())
    }

    pub(super) fn has_keys(&self, now: UnixTime) -> bool {
        self.state().good.as_ref().is_some_and(|(_, at)| is_usable(*at, now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_usable(at: Option<UnixTime>, now: UnixTime) -> bool {
    at.is_none_or(|at| distance(at, now) < USABLE)
}

pub(super) fn distance(one: UnixTime, other: UnixTime) -> u64 {
    one.0.abs_diff(other.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQID","e":"AQAB"}]}"#;
    const START: i64 = 1_750_000_000;

    fn name(slot: &Slot, key_id: &str, after: i64) -> &'static str {
        match slot.next(&[key_id.to_owned()], UnixTime(START + after)) {
            Next::Verify => "verify",
            Next::Refresh => "refresh",
            Next::Fetch => "fetch",
            Next::Fail(_) => "fail",
        }
    }

    fn put(slot: &Slot, after: i64, text: Option<&'static str>) {
        let fetched = text.map(Bytes::from).ok_or_else(|| FetchError::new("down"));
        slot.put("https://a.example/keys", fetched, UnixTime(START + after));
    }

    #[test]
    fn good_keys_are_fetched_again_each_hour_and_used_for_a_day_at_most() {
        let slot = Slot::empty();
        assert_eq!(name(&slot, "a", 0), "fetch");
        put(&slot, 0, Some(SET));
        for (after, expected) in
            [(0, "verify"), (3599, "verify"), (3600, "refresh"), (86_399, "refresh"), (86_400, "fetch")]
        {
            assert_eq!(name(&slot, "a", after), expected, "{after}");
            // The clock may as well have stepped back.
            assert_eq!(name(&slot, "a", -after), expected, "-{after}");
            assert_eq!(slot.keys(UnixTime(START + after)).is_some(), expected != "fetch", "{after}");
        }
    }

    #[test]
    fn a_failure_is_remembered_and_leaves_good_keys_alone() {
        let slot = Slot::empty();
        put(&slot, 0, None);
        assert_eq!([name(&slot, "a", 9), name(&slot, "a", 10)], ["fail", "fetch"]);
        put(&slot, 20, Some(SET));
        put(&slot, 3620, None);
        assert_eq!([name(&slot, "a", 3629), name(&slot, "a", 3630)], ["verify", "refresh"]);
        put(&slot, 3630, Some("<html>"));
        assert_eq!([name(&slot, "a", 3639), name(&slot, "a", 3640)], ["verify", "refresh"]);
    }

    #[test]
    fn an_unknown_key_is_asked_for_every_half_minute() {
        let slot = Slot::empty();
        put(&slot, 0, Some(SET));
        assert_eq!([name(&slot, "b", 29), name(&slot, "b", 30)], ["verify", "fetch"]);
        put(&slot, 30, None);
        assert_eq!([name(&slot, "b", 59), name(&slot, "b", 60)], ["fail", "fetch"]);
        assert_eq!(name(&slot, "a", 59), "verify");
    }
}
