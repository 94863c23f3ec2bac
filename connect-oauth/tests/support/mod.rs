//! What the tests share: an app at the fake server, keys, and a clock that tests move.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use connect_core::{Error, Secret};
use connect_oauth::seal::KeyRing;
use connect_oauth::{OAuth, OAuthBuilder, Preset, Tokens};
use connect_testkit::FakeAuthorization;
use serde_json::{Value, json};

/// Where our clock stands at first: the fake's own beginning does not matter, for all times are relative.
pub(crate) const START: u64 = 1_800_000_000;

/// A row for a server at this address, with what differs.
pub(crate) fn preset(url: &str, differences: Value) -> Preset {
    let mut row = json!({
        "id": "fake",
        "name": "Fake",
        "authorize-url": format!("{url}/authorize"),
        "token-url": format!("{url}/token"),
        "device-url": format!("{url}/device/code"),
        "revoke-url": format!("{url}/revoke"),
        "rotation": "single-use",
    });
    for (name, value) in differences.as_object().expect("an object") {
        row[name] = value.clone();
    }
    serde_json::from_value(row).expect("a row")
}

/// The fake's first client.
pub(crate) fn app(fake: &FakeAuthorization, differences: Value) -> OAuthBuilder {
    let builder = OAuth::builder(preset(fake.url(), differences))
        .client_id(fake.client_id())
        .redirect_uri(fake.redirect_uri());
    match fake.client_secret() {
        Some(secret) => builder.client_secret(secret),
        None => builder,
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn read(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}

/// Test keys: 32 different bytes.
pub(crate) fn key(first: u8) -> [u8; 32] {
    std::array::from_fn(|index| first.wrapping_add(index as u8).wrapping_mul(7))
}

pub(crate) fn keys() -> Arc<KeyRing> {
    Arc::new(KeyRing::new("test", &key(1)).expect("a key"))
}

/// Tokens that expired long ago.
pub(crate) fn expired(access: &str, refresh: &str) -> Tokens {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(START - 7200);
    Tokens::new(access, then).with_refresh(refresh).with_expires_at(then + Duration::from_secs(3600))
}

/// What the error's details say.
pub(crate) fn problem(error: &Error) -> connect_oauth::ErrorCode {
    error.details::<connect_oauth::Problem>().unwrap_or_else(|| panic!("no problem in {error:?}")).code
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text)
}
