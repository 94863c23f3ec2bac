//! Mounts a [`Receiver`] in an axum 0.8 application.
//!
//! [`router`] gives `/webhooks/{source}` for tenant `default` and `/webhooks/{tenant}/{source}`. For other paths
//! call [`Receiver::receive`] from a handler of your own: its request is any `http` request.
//!
//! The body reaches the receiver raw: axum's `DefaultBodyLimit` (2 MB) applies to extractors that collect a
//! body and not to this; the endpoint's own cap does. A receiver without a timer gets tokio's. Layers that
//! rewrite bodies, such as decompression, must not lie in front: signatures cover the bytes as sent.

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{Request, State};
use ::axum::response::Response;
use ::axum::routing::any;

use crate::path;
use crate::receive::Receiver;
use crate::timer::TokioTimer;

/// The tenant of `/webhooks/{source}`.
pub const DEFAULT_TENANT: &str = path::DEFAULT_TENANT;

/// Routes for every endpoint of `receiver`.
///
/// ```
/// # fn mount(receiver: connect_webhook::Receiver) -> axum::Router {
/// axum::Router::new().merge(connect_webhook::axum::router(receiver))
/// # }
/// ```
pub fn router(receiver: Receiver) -> Router {
    // `any`, because the receiver itself answers 405, with `Allow` and a counter.
    let mut router = Router::new()
        .route("/webhooks/{source}", any(receive))
        .route("/webhooks/{tenant}/{source}", any(receive));
    // The same paths without captures, which cost seven allocations a request.
    for (tenant, source) in receiver.endpoints() {
        if path::is_plain(tenant) && path::is_plain(source) {
            router = router.route(&format!("/webhooks/{tenant}/{source}"), any(receive));
            if tenant == DEFAULT_TENANT {
                router = router.route(&format!("/webhooks/{source}"), any(receive));
            }
        }
    }
    router.with_state(receiver.with_default_timer(TokioTimer))
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.receive_at_path(request).await.map(Body::from)
}
