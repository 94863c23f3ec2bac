//! Leaves a provider alone that only fails, and finds out with one request at a time whether it is back.
//!
//! | file | what |
//! |---|---|
//! | [`BreakerPolicy`], [`Circuit`] | the states and their transitions: pure, without a clock |
//! | [`Breaker`] | one circuit, shared by all calls of a client (or of several) |
//! | [`BreakerLayer`] | the tower layer |
//!
//! It sees every attempt. Failures are 5xx, 408, time-outs (unless the caller gave it less than ten seconds) and
//! connections that fail; a rate limit or any other refusal
//! is an answer, and shows that the provider is alive. While it is open, calls fail at once with
//! [`ErrorKind::CircuitOpen`](crate::ErrorKind::CircuitOpen), which costs no attempt and no retry budget. Afterwards one
//! attempt is the probe; the others are still refused. A success closes it, a failure opens it again, and a probe that
//! is dropped leaves its place to the next one.

mod circuit;
mod layer;

pub use circuit::{Admission, BreakerPolicy, BreakerState, Circuit, Rolling, Ticket};
pub use layer::{Breaker, BreakerFuture, BreakerLayer, Guarded};
