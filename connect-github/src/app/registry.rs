//! One token for all clients of an App that need the same one, and one account of limits for each installation.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use connect_core::quota::QuotaPilot;
use connect_core::{Error, TokenCache};

use super::scope::Scope;
use crate::GitHub;

/// Below this many tokens nobody looks for dead ones.
const FEW: usize = 1024;

/// The token caches and quotas of an App's installations, by what they are for.
#[derive(Default)]
pub(super) struct Registry(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    caches: HashMap<(u64, Scope), TokenCache>,
    quotas: HashMap<u64, QuotaPilot>,
    sweep_at: usize,
}

impl Registry {
    /// The cache for this purpose, made by `make` if there is none.
    pub(super) fn tokens(
        &self,
        installation: u64,
        scope: &Scope,
        make: impl FnOnce() -> TokenCache,
    ) -> TokenCache {
        let mut entries = self.lock();
        let key = (installation, scope.clone());
        if let Some(cache) = entries.caches.get(&key) {
            return cache.clone();
        }
        entries.sweep();
        let cache = make();
        entries.caches.insert(key, cache.clone());
        cache
    }

    /// The client that `build` makes with the quota of this installation, which all clients of it share: GitHub counts by
    /// installation, whatever its tokens are narrowed down to.
    pub(super) fn client(
        &self,
        installation: u64,
        build: impl Fn(Option<QuotaPilot>) -> Result<GitHub, Error>,
    ) -> Result<GitHub, Error> {
        // Built outside the lock: the host's own part of it may want another client of the App.
        let known = self.lock().quotas.get(&installation).cloned();
        let is_known = known.is_some();
        let client = build(known)?;
        if is_known {
            return Ok(client);
        }
        let first = match self.lock().quotas.entry(installation) {
            Entry::Vacant(place) => {
                place.insert(client.quota().clone());
                return Ok(client);
            }
            Entry::Occupied(first) => first.get().clone(),
        };
        // Somebody else was first meanwhile.
        build(Some(first))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// A host with many installations uses few at a time. Who has a client of a cache that is forgotten here keeps it; a
    /// new client would get a token of its own.
    fn sweep(&mut self) {
        if self.caches.len() < self.sweep_at.max(FEW) {
            return;
        }
        self.caches.retain(|_, cache| cache.current().is_some());
        let alive: HashSet<u64> = self.caches.keys().map(|(installation, _)| *installation).collect();
        self.quotas.retain(|installation, _| alive.contains(installation));
        self.sweep_at = self.caches.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::auth::{Token, TokenRequest};

    fn cache() -> TokenCache {
        TokenCache::new(|_: TokenRequest| async { Ok(Token::new("canary")) })
    }

    #[tokio::test]
    async fn tokens_that_are_dead_are_forgotten_and_living_ones_kept() {
        let registry = Registry::default();
        let living = registry.tokens(0, &Scope::default(), cache);
        living.get().await.unwrap();
        for installation in 1..=FEW as u64 {
            registry.tokens(installation, &Scope::default(), cache);
        }
        let kept = registry.0.lock().unwrap().caches.len();
        assert_eq!(kept, 2, "the living one and the last");
        let again = registry.tokens(0, &Scope::default(), cache);
        assert_eq!(again.current().unwrap().generation(), 1);
    }
}
