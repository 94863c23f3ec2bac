//! Throw-away keys, what is signed with them, and a fetcher that counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use connect_webhook::keys::{FetchError, FetchKeys};
use connect_webhook::{UnixTime, async_trait};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

pub(crate) const NOW: UnixTime = UnixTime(1_750_000_000);

pub(crate) const CERTIFICATE: &str = include_str!("../keys/certificate.pem");
pub(crate) const OTHER_CERTIFICATE: &str = include_str!("../keys/other_certificate.pem");

pub(crate) fn pair() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(include_bytes!("../keys/private.pk8")).unwrap()
}

pub(crate) fn other_pair() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(include_bytes!("../keys/other_private.pk8")).unwrap()
}

/// An RSA-SHA256 signature.
pub(crate) fn signature(pair: &RsaKeyPair, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

pub(crate) fn base64_signature(pair: &RsaKeyPair, message: &[u8]) -> String {
    STANDARD.encode(signature(pair, message))
}

pub(crate) fn jwk(pair: &RsaKeyPair, key_id: &str) -> Value {
    let key: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id, "n": number(&key.n), "e": number(&key.e) })
}

pub(crate) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn jwt(pair: &RsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(signature(pair, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Answers from a table and counts. What is not in it cannot be fetched.
#[derive(Clone, Default)]
pub(crate) struct Web {
    pub(crate) texts: Arc<Mutex<HashMap<String, String>>>,
    fetches: Arc<AtomicUsize>,
    /// Fetches wait for a permit, where there is one of these.
    pub(crate) gate: Option<Arc<tokio::sync::Semaphore>>,
}

impl Web {
    pub(crate) fn with(url: &str, text: &str) -> Self {
        let web = Self::default();
        web.put(url, text);
        web
    }

    pub(crate) fn put(&self, url: &str, text: &str) {
        self.texts.lock().unwrap().insert(url.to_owned(), text.to_owned());
    }

    pub(crate) fn clear(&self) {
        self.texts.lock().unwrap().clear();
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl FetchKeys for Web {
    async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        // As a network does, this waits once at least.
        tokio::task::yield_now().await;
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let text = self.texts.lock().unwrap().get(url).cloned();
        text.map(Bytes::from).ok_or_else(|| FetchError::new("no such address"))
    }
}
