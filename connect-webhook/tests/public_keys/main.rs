//! Schemes without a secret: the provider's public keys decide. What they refuse, and how keys are fetched.

#![cfg(feature = "asymmetric")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod fetching;
mod paypal;
mod pubsub;
mod sns;
mod support;
