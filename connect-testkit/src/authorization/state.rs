//! What the fake authorization server remembers beside its tokens: clients, codes, device codes, the person.
//!
//! There is one person, who says yes by default, and whose document is what `userinfo` answers.
//! Not persistent and never trimmed: a fake serves one test.

use std::sync::Arc;

use serde_json::Value;

use super::client::Client;
use super::device::Device;
use super::ledger::Ledger;
use super::login::Code;

/// Signs the claims of an id token in the way the test likes.
pub(crate) type SignIdToken = Arc<dyn Fn(&Value) -> String + Send + Sync>;

pub(crate) struct State {
    pub(crate) clients: Vec<Client>,
    pub(crate) ledger: Ledger,
    pub(crate) codes: Vec<Code>,
    pub(crate) devices: Vec<Device>,
    /// The claims of every assertion that was accepted.
    pub(crate) assertions: Vec<Value>,
    /// Whether the person says yes to a login.
    pub(crate) consents: bool,
    pub(crate) person: Value,
    pub(crate) jwks: Value,
    pub(crate) sign_id_token: Option<SignIdToken>,
}
