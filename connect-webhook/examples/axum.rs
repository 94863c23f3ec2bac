//! Receives GitHub's webhooks in an axum application, at `POST /webhooks/github`.
//!
//! ```text
//! GITHUB_WEBHOOK_SECRET=... cargo run -p connect-webhook --example axum --features axum
//! ```

use std::error::Error;

use connect_webhook::{
    Acceptance, Delivery, Endpoint, Receiver, Sink, SinkError, Verified, Verifier, async_trait, schemes,
};

struct Inbox;

#[async_trait]
impl Sink for Inbox {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        // Store it under (tenant, source, id), with its replay key, before returning: the 2xx that follows is a promise.
        tracing::info!(event = delivery.event.as_deref(), id = %delivery.id, "received");
        Ok(Acceptance::Accepted)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    let lookup = |name: &str| std::env::var(name).ok();
    let github = Verifier::from_vars(&schemes::GITHUB, "GITHUB_WEBHOOK_SECRET", lookup)?;
    // Without a rate limit: GitHub never sends a refused delivery again.
    let receiver =
        Receiver::builder().endpoint(Endpoint::new("default", "github", github)).sink(Inbox).build()?;

    let app = axum::Router::new()
        .route("/health", axum::routing::get(|| async { "ok" }))
        .merge(connect_webhook::axum::router(receiver));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
