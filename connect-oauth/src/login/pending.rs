//! What is kept of a login until the browser comes back.

use connect_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// It has the verifier, so it lies sealed wherever it leaves the process, and is wiped when it is dropped.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) tenant: String,
    pub(super) connection: String,
    pub(super) scopes: Vec<String>,
    pub(super) redirect_uri: String,
    pub(super) verifier: Option<String>,
    pub(super) nonce: Option<String>,
    /// A hash of the browser session.
    pub(super) session: Option<String>,
    pub(super) return_to: Option<String>,
}

impl Pending {
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the login cannot be written as JSON"))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|_| {
            let message =
                "the stored login cannot be read: another version of this crate began it; log in again";
            Error::new(ErrorKind::Config, message)
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.verifier.zeroize();
        self.nonce.zeroize();
    }
}
