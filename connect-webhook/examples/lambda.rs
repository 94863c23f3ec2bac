//! Receives webhooks in a serverless function: one JSON event on standard input, one JSON reply on standard
//! output. In AWS Lambda the same two lines stand inside the runtime's handler.
//!
//! ```text
//! GITHUB_WEBHOOK_SECRET=... cargo run -p connect-webhook --example lambda < event.json
//! ```

use std::error::Error;
use std::io;

use connect_webhook::{
    Acceptance, Delivery, Endpoint, Receiver, Sink, SinkError, Verified, Verifier, async_trait, schemes,
};

/// The function ends with the reply, so this must store outside: in a queue, or in a table.
struct Queue;

#[async_trait]
impl Sink for Queue {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        Ok(Acceptance::Accepted)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    let lookup = |name: &str| std::env::var(name).ok();
    let github = Verifier::from_vars(&schemes::GITHUB, "GITHUB_WEBHOOK_SECRET", lookup)?;
    // Built once per process, outside the handler.
    let receiver =
        Receiver::builder().endpoint(Endpoint::new("default", "github", github)).sink(Queue).build()?;

    let event = serde_json::from_reader(io::stdin())?;
    let reply = receiver.call(event).await;
    serde_json::to_writer(io::stdout(), &reply)?;
    Ok(())
}
