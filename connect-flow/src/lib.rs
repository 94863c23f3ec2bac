//! From a verified webhook to a handled event: an envelope goes into an inbox, a worker takes it out and runs a handler.
//!
//! | module | what |
//! |---|---|
//! | [`envelope`] | the event as it is stored: tenant, source, dedupe key, raw bytes |
//! | [`inbox`] | where events wait; accepts each dedupe key once |
//! | [`memory`] | an inbox in memory: **volatile**, what it holds is gone when the process ends |
//! | [`handler`] | what a program does with an event |
//! | [`worker`] | runs handlers, a few at a time, and survives their panics |
//! | [`sink`] | puts what `connect-webhook` received into an inbox |
//!
//! # What is promised
//! With the inbox in memory: an event is handled **at most once**, each dedupe key one time while it is remembered, and a
//! full inbox refuses (503) instead of forgetting. A handler that fails is recorded and not run again. Nothing here
//! survives the end of the process; say so where you use it.
//!
//! ```
//! use connect_flow::{Envelope, Handler, Inbox, MemoryInbox, Receipt, Worker, handler::{Failure, Handled}};
//! use std::sync::Arc;
//!
//! struct Print;
//! #[async_trait::async_trait]
//! impl Handler for Print {
//!     async fn handle(&self, envelope: &Envelope) -> Result<Handled, Failure> {
//!         println!("{} {}", envelope.source, envelope.event_type);
//!         Ok(Handled::Done("printed".into()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let inbox = Arc::new(MemoryInbox::default());
//! let worker = Worker::new(Arc::clone(&inbox), Arc::new(Print)).start();
//! let event = Envelope::new("default", "github", "push", "delivery-1", "{}");
//! assert!(matches!(inbox.accept(event.clone()).await, Ok(Receipt::Accepted(_))));
//! assert!(matches!(inbox.accept(event).await, Ok(Receipt::Duplicate(_))));
//! worker.stop().await; // takes no more, finishes what it has
//! assert_eq!(inbox.counts().done, 1);
//! # }
//! ```

pub mod envelope;
pub mod handler;
pub mod inbox;
pub mod memory;
pub mod sink;
pub mod worker;

pub use envelope::Envelope;
pub use handler::Handler;
pub use inbox::{Inbox, InboxError, Receipt};
pub use memory::MemoryInbox;
pub use sink::InboxSink;
pub use worker::{RunningWorker, Worker};
