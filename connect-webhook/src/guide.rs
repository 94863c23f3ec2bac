//! How to, step by step; the examples are compiled and run with the tests.
//!
//! - [`receive`]: receive webhooks in five minutes, with axum, hyper or a serverless function
//! - [`add_a_provider`]: add a provider in TOML

#[doc = include_str!("../docs/receive.md")]
pub mod receive {}

#[doc = include_str!("../docs/add_a_provider.md")]
pub mod add_a_provider {}
