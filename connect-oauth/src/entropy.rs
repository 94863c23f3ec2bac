//! Randomness that nobody may guess: states, verifiers, nonces. From the operating system, unless a test says otherwise.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::{Error, ErrorKind};

/// Fills bytes with randomness.
#[derive(Clone)]
pub(crate) struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) -> Result<(), Error> + Send + Sync;

impl Entropy {
    pub(crate) fn new(fill: impl Fn(&mut [u8]) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// 256 bits as 43 characters that need no encoding anywhere.
    pub(crate) fn token(&self) -> Result<String, Error> {
        let mut bytes = [0; 32];
        (self.0)(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl Default for Entropy {
    fn default() -> Self {
        Self::new(|bytes| {
            getrandom::fill(bytes).map_err(|error| {
                let message = "the operating system gives no randomness, without which no login is safe";
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            })
        })
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
