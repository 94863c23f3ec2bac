//! Jira Cloud, so far only what it sends: signed webhook deliveries.
//!
//! There is no fake Jira server yet; a delivery is signed with a secret that you give.
//! Not for Connect or OAuth apps, whose deliveries carry a JWT instead of a signature.

mod webhook;

pub use self::webhook::JiraDelivery;
