//! Sends webhooks of your own: signed, retried by a schedule, and kept off private networks.
//!
//! A hand-written sender gets the same things wrong as every other: it serialises the event again for each
//! attempt, so that signatures differ; it follows redirects; it lets a customer's URL reach the metadata
//! service of its own cloud; it retries an endpoint that has been gone for a year. Here one attempt is
//! [`Sender::attempt`], which returns an [`Attempt`] to log and to store; what to do next is one pure function
//! ([`Policy::decide`]), and who may be reached is one table ([`Guard`]).
//!
//! Messages are signed as [Standard Webhooks](https://www.standardwebhooks.com) say (`v1`, HMAC-SHA256),
//! which receivers verify with ready-made libraries in every language.
//!
//! ```
//! use connect_webhook::send::{
//!     Answer, Destination, Failure, Message, Outgoing, Sender, Transport, Verdict,
//! };
//! use connect_webhook::{UnixTime, async_trait};
//!
//! /// A transport for tests. The real one is `HttpTransport::new(Guard::new())`.
//! struct Accepts;
//!
//! #[async_trait]
//! impl Transport for Accepts {
//!     async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
//!         assert_eq!(outgoing.headers["webhook-id"], "msg_1");
//!         Ok(Answer::new(http::StatusCode::NO_CONTENT))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
//! let destination = Destination::new("https://customer.example/hooks", &secret)?;
//! let message = Message::json("msg_1", &serde_json::json!({"type": "invoice.paid"}))?;
//!
//! let sender = Sender::new(Accepts);
//! let attempt = sender.attempt(&destination, &message, 1, UnixTime(1_750_000_000)).await;
//! assert_eq!(attempt.verdict, Verdict::Delivered);
//! # Ok(())
//! # }
//! ```
//!
//! # Surviving a restart
//!
//! [`Sender::deliver`] loops until a message is delivered or given up, and forgets everything when the
//! process ends. To keep messages, write one row per message and destination in the transaction that made the
//! event: the message's id, content type and body, the destination, `attempt = 1`, `due = now`. A worker
//! takes due rows under a lease (longer than the time-out), calls [`Sender::attempt`] and acts on the
//! [`Verdict`]:
//!
//! | verdict | the row | the destination |
//! |---|---|---|
//! | `Delivered` | done | `failing_since = attempt.failing_since` (none) |
//! | `RetryAt { at, .. }` | `attempt += 1`, `due = at` | `failing_since = attempt.failing_since` |
//! | `Disable { .. }` | parked until somebody enables the destination again | disabled; tell its owner |
//! | `GiveUp { .. }` | dead letter | `failing_since = attempt.failing_since` |
//!
//! A worker that dies after sending and before writing sends twice, under the same `webhook-id`: receivers
//! recognise the copy by it. Any durable queue with a due time will do.
//!
//! # When not to use it
//!
//! For calls to an API that you chose yourself, use a client of this family: [`Guard`] is for addresses that
//! customers typed in. Where all traffic must leave by an egress proxy, the proxy has to do the guarding;
//! [`HttpTransport`] ignores proxies, since behind one it could not tell who is reached.

mod destination;
mod error;
mod guard;
mod http_transport;
mod message;
mod network;
mod ranges;
mod resolve;
mod retry_after;
mod schedule;
mod sender;
mod signature;
mod tls;
mod transport;
mod verdict;

pub use destination::Destination;
pub use error::SetupError;
pub use guard::{Guard, Refusal};
pub use http_transport::HttpTransport;
pub use message::Message;
pub use resolve::{Resolve, SystemResolver};
pub use schedule::Schedule;
pub use sender::{Attempt, Sender};
pub use signature::generate_secret;
pub use transport::{Answer, Failure, Outgoing, Transport};
pub use verdict::{Cause, DisableReason, Policy, Situation, Verdict};
