//! The providers' own public keys, for schemes that have no secret: AWS SNS, PayPal, Google Pub/Sub, and the tokens
//! of Microsoft Graph.
//!
//! A verifier does no network. [`Keys`] is the cache that it looks into, and your [`FetchKeys`] fills it, with
//! whatever HTTP client you have. Call [`Verifier::ready`](crate::Verifier::ready) with a request before you verify
//! it; a [`Receiver`](crate::Receiver) does so. Only addresses of the provider itself are ever asked for: a delivery
//! that names another one is refused without a fetch.
//!
//! Defaults: keys are fetched again after an hour, one fetch at a time for each address, and used for at most a day
//! if that fails. A failed fetch is not repeated for 10 s, a set without the key that a token names not for 30 s. At
//! most 64 addresses are kept, and at most 30 certificates that nobody has seen before are fetched in a minute from
//! one host of SNS, or from all of PayPal's: junk cannot turn this into a flood on a provider, and junk at one provider
//! does not keep another one's deliveries out.
//!
//! ```
//! use bytes::Bytes;
//! use connect_webhook::keys::{FetchError, FetchKeys, Keys};
//! use connect_webhook::{Verifier, async_trait, schemes};
//!
//! struct Http;
//!
//! #[async_trait]
//! impl FetchKeys for Http {
//!     async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
//!         // GET it here.
//! #       let _ = url;
//! #       Ok(Bytes::new())
//!     }
//! }
//!
//! // One for all verifiers.
//! let keys = Keys::new(Http);
//! let verifier = Verifier::builder(&schemes::AWS_SNS)
//!     .topic("arn:aws:sns:eu-west-1:123456789012:orders")
//!     .keys(keys.clone())
//!     .build()?;
//! # Ok::<(), connect_webhook::BuildError>(())
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use self::parse::{PublicKeys, SetKey, parse};
use self::slot::{Fetching, Next, Slot, distance};
use crate::asymmetric::RsaKey;
use crate::clock::UnixTime;

pub(crate) mod address;
mod error;
mod parse;
mod slot;

pub use error::{FetchError, KeysError};

/// A host with every region of SNS and both of PayPal's environments has about 40.
const MAX_ADDRESSES: usize = 64;

/// How many certificates without a good copy here are fetched in [`BUDGET_SECONDS`] from one [`address::site`].
const MAX_NEW_CERTIFICATES: u32 = 30;
const BUDGET_SECONDS: u64 = 60;

/// Fetches public keys; implemented by the host.
///
/// The addresses are https and the provider's own. Follow no redirects, do not wait for longer than a few seconds
/// (deliveries wait for it, and providers give up after 3 s to 30 s), answer anything but a 200 with an error, and
/// read no more than 256 KiB: more is not parsed.
///
/// See [`keys`](self) for an example.
#[async_trait]
pub trait FetchKeys: Send + Sync {
    /// The body of a GET.
    async fn fetch(&self, url: &str) -> Result<Bytes, FetchError>;
}

#[async_trait]
impl<F: FetchKeys + ?Sized> FetchKeys for Arc<F> {
    async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
        (**self).fetch(url).await
    }
}

/// A bounded cache of certificates and key sets. Cheap to clone; clones share what they know. Use one for all
/// verifiers.
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    /// `None` if all there will ever be is there.
    fetcher: Option<Arc<dyn FetchKeys>>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    slots: HashMap<String, (Arc<Slot>, u64)>,
    /// Counts up with every use, so that the oldest can be found.
    uses: u64,
    /// By site: when the budget was last full, and how much of it is used. As few as there are providers and regions.
    budgets: HashMap<String, (UnixTime, u32)>,
}

/// The keys that a request names.
pub(crate) enum Wanted<'a> {
    Certificate { url: &'a str },
    Set { url: &'static str, key_ids: Vec<String> },
}

impl Keys {
    /// An empty cache that fetches what is asked for.
    pub fn new(fetcher: impl FetchKeys + 'static) -> Self {
        Self(Arc::new(Shared { fetcher: Some(Arc::new(fetcher)), cache: Mutex::default() }))
    }

    /// Texts that are known already, by their address: certificates as PEM, key sets as JSON. Nothing is ever
    /// fetched and nothing gets old; for tests, captured deliveries and hosts without a way out. A text without a
    /// usable key is left out, with a warning.
    ///
    /// ```
    /// use connect_webhook::keys::Keys;
    /// let keys = Keys::fixed([("https://www.googleapis.com/oauth2/v3/certs", r#"{"keys":[]}"#)]);
    /// assert_eq!(format!("{keys:?}"), "Keys { addresses: 0, .. }");
    /// ```
    pub fn fixed<U: Into<String>, T: AsRef<str>>(texts: impl IntoIterator<Item = (U, T)>) -> Self {
        let mut cache = Cache::default();
        for (url, text) in texts {
            let url = url.into();
            match parse(text.as_ref().as_bytes()) {
                Some(keys) => {
                    cache.slots.insert(url, (Arc::new(Slot::fixed(keys)), 0));
                }
                None => tracing::warn!(url, "a fixed text has no usable key and is left out"),
            }
        }
        Self(Arc::new(Shared { fetcher: None, cache: Mutex::new(cache) }))
    }

    /// Fetches what is wanted if that is needed and can help. Whether the key is there then, verifying tells.
    pub(crate) async fn ready(&self, wanted: &Wanted<'_>, now: UnixTime) -> Result<(), KeysError> {
        let Some(fetcher) = &self.0.fetcher else { return Ok(()) };
        let (url, key_ids) = match wanted {
            Wanted::Certificate { url } => (*url, &[][..]),
            Wanted::Set { url, key_ids } => (*url, &**key_ids),
        };
        let slot = self.cache().slot(url, now).ok_or(KeysError::Busy)?;
        let fetching = match slot.next(key_ids, now) {
            Next::Verify => return Ok(()),
            Next::Fail(error) => return Err(error),
            Next::Refresh => match slot.fetching.try_lock() {
                Ok(fetching) => fetching,
                // What is there will do.
                Err(_) => return Ok(()),
            },
            Next::Fetch => slot.fetching.lock().await,
        };
        // Another request may have fetched it while this one waited.
        match slot.next(key_ids, now) {
            Next::Verify => return Ok(()),
            Next::Fail(error) => return Err(error),
            Next::Refresh | Next::Fetch => {}
        }
        let mut fetching = Driven(fetching);
        if fetching.0.is_none() {
            if matches!(wanted, Wanted::Certificate { .. }) && !slot.has_keys(now) {
                self.cache().spend(url, now)?;
            }
            let (fetcher, url) = (Arc::clone(fetcher), url.to_owned());
            *fetching.0 = Some(Box::pin(async move { fetcher.fetch(&url).await }));
        }
        if let Some(future) = fetching.0.as_mut() {
            let fetched = future.await;
            *fetching.0 = None;
            slot.put(url, fetched, now);
        }
        match slot.next(key_ids, now) {
            Next::Fail(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The key of a certificate, if it is here.
    pub(crate) fn certificate(&self, url: &str, now: UnixTime) -> Option<Arc<RsaKey>> {
        match self.at(url, now)? {
            PublicKeys::Certificate(key) => Some(key),
            PublicKeys::Set(_) => None,
        }
    }

    /// A key of a set, if it is here.
    pub(crate) fn of_set(&self, url: &str, key_id: &str, now: UnixTime) -> Option<SetKey> {
        match self.at(url, now)? {
            PublicKeys::Set(keys) => keys.iter().find(|key| key.id == key_id).cloned(),
            PublicKeys::Certificate(_) => None,
        }
    }

    fn at(&self, url: &str, now: UnixTime) -> Option<PublicKeys> {
        let slot = self.cache().slots.get(url).map(|(slot, _)| Arc::clone(slot));
        slot?.keys(now)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("addresses", &self.cache().slots.len()).finish_non_exhaustive()
    }
}

impl Cache {
    /// The slot of an address; `None` if there is no room. Room is made by forgetting an address without good
    /// keys, then the one that was used longest ago, but none that somebody is waiting for.
    fn slot(&mut self, url: &str, now: UnixTime) -> Option<Arc<Slot>> {
        self.uses += 1;
        if let Some((slot, used)) = self.slots.get_mut(url) {
            *used = self.uses;
            return Some(Arc::clone(slot));
        }
        if self.slots.len() >= MAX_ADDRESSES {
            let idle = self.slots.iter().filter(|(_, (slot, _))| Arc::strong_count(slot) == 1);
            let worst = idle.min_by_key(|(_, (slot, used))| (slot.has_keys(now), *used));
            let worst = worst.map(|(url, _)| url.clone())?;
            self.slots.remove(&worst);
        }
        let slot = Arc::new(Slot::empty());
        self.slots.insert(url.to_owned(), (Arc::clone(&slot), self.uses));
        Some(slot)
    }

    /// Takes one fetch of an unknown certificate out of the budget of its site.
    fn spend(&mut self, url: &str, now: UnixTime) -> Result<(), KeysError> {
        self.budgets.retain(|_, (since, _)| distance(*since, now) < BUDGET_SECONDS);
        let (_, spent) = self.budgets.entry(address::site(url).to_owned()).or_insert((now, 0));
        if *spent >= MAX_NEW_CERTIFICATES {
            return Err(KeysError::Busy);
        }
        *spent += 1;
        Ok(())
    }
}

/// A fetch that panicked cannot be driven on by the next request.
struct Driven<'a>(tokio::sync::MutexGuard<'a, Option<Fetching>>);

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 = None;
        }
    }
}
