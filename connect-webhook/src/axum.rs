//! Mounts a [`Receiver`] in an axum 0.8 application.
//!
//! [`router`] gives `POST /webhooks/{service}` for tenant `default` and `POST /webhooks/{tenant}/{service}`.
//! For other paths call [`Receiver::receive`] from a handler of your own: its request is any `http` request.
//!
//! The body reaches the receiver raw: axum's `DefaultBodyLimit` (2 MB) applies to extractors that collect a
//! body and not to this; the endpoint's own cap does. A receiver without a timer gets tokio's. Layers that
//! rewrite bodies, such as decompression, must not lie in front: signatures cover the bytes as sent.

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{Path, Request, State};
use ::axum::response::Response;
use ::axum::routing::any;

use crate::receive::Receiver;
use crate::timer::TokioTimer;

/// The tenant of `/webhooks/{service}`.
pub const DEFAULT_TENANT: &str = "default";

/// Routes for every endpoint of `receiver`.
///
/// ```
/// # fn mount(receiver: connect_webhook::Receiver) -> axum::Router {
/// axum::Router::new().merge(connect_webhook::axum::router(receiver))
/// # }
/// ```
pub fn router(receiver: Receiver) -> Router {
    // `any`, because the receiver itself answers 405, with `Allow` and a counter.
    Router::new()
        .route("/webhooks/{service}", any(for_default_tenant))
        .route("/webhooks/{tenant}/{service}", any(for_tenant))
        .with_state(receiver.with_default_timer(TokioTimer))
}

async fn for_default_tenant(
    State(receiver): State<Receiver>,
    Path(service): Path<String>,
    request: Request,
) -> Response {
    receiver.receive(DEFAULT_TENANT, &service, request).await.map(Body::from)
}

async fn for_tenant(
    State(receiver): State<Receiver>,
    Path((tenant, service)): Path<(String, String)>,
    request: Request,
) -> Response {
    receiver.receive(&tenant, &service, request).await.map(Body::from)
}
