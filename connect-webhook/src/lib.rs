//! Receives webhooks so that only the provider's own reach your code, each under one dedupe id.
//!
//! Every provider signs in its own way, and every hand-written receiver gets something wrong: the body is
//! parsed before it is verified, an unset secret turns verification off, a retry becomes a second job, a 200
//! is sent before anything is stored. Here a provider is a row of data ([`schemes`]), verification is one
//! pure function ([`Verifier`]), and a [`Receiver`] does the rest of the way to your [`Sink`].
//!
//! ```
//! use connect_webhook::{
//!     Acceptance, Delivery, Endpoint, FixedClock, Receiver, Sink, SinkError, UnixTime, Verified, Verifier,
//!     async_trait, schemes, sign,
//! };
//!
//! struct Inbox;
//!
//! #[async_trait]
//! impl Sink for Inbox {
//!     async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
//!         // Store it here, under (tenant, source, id). The provider gets its 2xx when this returns.
//!         assert_eq!(delivery.id, "Ev123");
//!         Ok(Acceptance::Accepted)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let slack = Verifier::new(&schemes::SLACK, ["the app's signing secret".into()])?;
//! let receiver = Receiver::builder()
//!     .endpoint(Endpoint::new("default", "slack", slack))
//!     .sink(Inbox)
//! #   .clock(FixedClock::new(UnixTime(1_750_000_000)))
//!     .build()?;
//!
//! // What Slack would send:
//! let body = r#"{"type":"event_callback","event_id":"Ev123","event":{"type":"app_mention"}}"#;
//! let mut request = http::Request::post("/webhooks/slack").body(body.to_owned())?;
//! # let now = UnixTime(1_750_000_000);
//! *request.headers_mut() =
//!     sign(&schemes::SLACK, &"the app's signing secret".into(), body.as_bytes(), now)?;
//!
//! let response = receiver.receive("default", "slack", request).await;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - **Fail-closed.** No secret is a build error. A payload exists only as [`Verified`].
//! - **Bytes, not text.** Signatures are checked over the raw body, binary or not, before anything parses it.
//! - **Nothing leaks.** Whatever does not verify is answered alike (but for a request that names two different
//!   signatures, a 400: it is malformed, whoever sent it; and for public keys that cannot be fetched now, a
//!   503); no error, log line or `Debug` shows a secret, a signature or a body; comparisons take constant
//!   time.
//! - **A 2xx means taken.** It is sent only after [`Sink::accept`] returned.
//! - **Bounded.** Body size, requests per second if you say so, and body time with a [`Timer`]; junk is refused
//!   before its body is read.
//! - **Introductions are gated.** Handshakes are answered here. One that hands over a secret unsigned is heard
//!   only while your [`Registration`] is open.
//!
//! It stores nothing and runs nothing in the background: the sink decides whether an accepted delivery
//! survives a crash. It does not check source addresses; a valid signature is stronger.
//!
//! # Features
//!
//! None is on by default; the default build knows no runtime and no web framework.
//!
//! | feature | what |
//! |---|---|
//! | `tokio` | `TokioTimer`, for the read time-out |
//! | `axum` | module `axum`: a router for axum 0.8; brings `tokio` |
//! | `hyper` | module `hyper`: a service for hyper 1; brings `tokio` |
//! | `ed25519` | Discord, Standard Webhooks `v1a` |
//! | `asymmetric` | module `keys`: AWS SNS, PayPal, Google Pub/Sub, SendGrid, tokens of Microsoft Graph |
//! | `send` | module `send`: sends webhooks of your own, signed, retried, guarded; brings `tokio` |
//! | `rustls` | TLS for `send`, by rustls with ring |
//! | `rustls-aws-lc` | the same with aws-lc-rs, which wins where both are on |
//! | `native-tls` | TLS for `send` by the operating system's library, used where rustls is not on |

mod answer;
#[cfg(feature = "asymmetric")]
mod asymmetric;
mod body;
mod clock;
mod code;
mod counters;
mod dedupe;
mod delivery;
#[cfg(feature = "asymmetric")]
mod der;
mod describe;
mod diagnose;
#[cfg(feature = "ed25519")]
mod ed25519;
mod encoding;
mod endpoint;
mod error;
mod facts;
mod form;
pub mod guide;
mod handshake;
mod incoming;
mod jwt;
mod key;
#[cfg(feature = "asymmetric")]
pub mod keys;
pub mod lambda;
mod limit;
mod outcome;
mod path;
mod plan;
mod pointer;
#[cfg(feature = "asymmetric")]
mod ready;
mod receive;
mod registration;
mod rfc3339;
mod route;
pub mod scheme;
pub mod schemes;
mod settings;
mod sign;
mod sink;
mod timer;
mod verified;
mod verifier_builder;
mod verify;

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "send")]
pub mod send;

#[doc(no_inline)]
pub use async_trait::async_trait;
pub use clock::{Clock, FixedClock, SystemClock, UnixTime};
pub use counters::Counters;
pub use dedupe::{Claim, Dedupe, DedupeKey, Deduplicating, MemoryDedupe, Repeat, Repeats};
pub use delivery::Delivery;
pub use describe::Description;
pub use diagnose::Diagnosis;
pub use endpoint::Endpoint;
pub use error::{BuildError, PayloadError, VerifyError};
pub use incoming::Incoming;
pub use outcome::Outcome;
pub use receive::{Receiver, ReceiverBuilder};
pub use registration::{ConfirmSubscription, Registration, SecretSink};
pub use route::{
    Dispatch, Event, FromDelivery, HandlerError, Item, ItemOutcome, Retry, Router, UnknownEvents,
};
pub use scheme::Scheme;
#[doc(no_inline)]
pub use secrecy::SecretString;
pub use sign::{Signer, sign};
pub use sink::{Acceptance, Sink, SinkError};
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use timer::{Sleep, Timer};
pub use verified::{Trust, Verified};
pub use verifier_builder::VerifierBuilder;
pub use verify::{Streaming, Verification, Verifier};
