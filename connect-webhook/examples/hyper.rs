//! Receives Slack's events and commands with a plain hyper server, at `POST /webhooks/slack`. Slack's URL
//! verification is answered by the receiver; a command gets its answer from the sink.
//!
//! ```text
//! SLACK_SIGNING_SECRET=... cargo run -p connect-webhook --example hyper --features hyper
//! ```

use std::error::Error;
use std::time::Duration;

use connect_webhook::hyper::WebhookService;
use connect_webhook::{
    Acceptance, Delivery, Endpoint, Receiver, Sink, SinkError, Verified, Verifier, async_trait, schemes,
};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;

struct Inbox;

#[derive(Deserialize)]
struct Command {
    command: Option<String>,
}

#[async_trait]
impl Sink for Inbox {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let Command { command } = delivery.json().map_err(SinkError::new)?;
        match command {
            Some(command) => {
                let answer = serde_json::json!({ "text": format!("working on {command}") });
                Ok(Acceptance::answer("application/json", answer.to_string()))
            }
            None => Ok(Acceptance::Accepted),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    let lookup = |name: &str| std::env::var(name).ok();
    let slack = Verifier::from_vars(&schemes::SLACK, "SLACK_SIGNING_SECRET", lookup)?;
    let receiver =
        Receiver::builder().endpoint(Endpoint::new("default", "slack", slack)).sink(Inbox).build()?;

    let service = WebhookService::new(receiver);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // A client that left already, or no file descriptor free: the server goes on, without spinning.
                tracing::warn!(%error, "no connection accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // hyper's own timer closes connections that never finish their head.
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection closed");
            }
        });
    }
}
