//! A `connect-webhook` router as the handler of a worker: events by source and type, payloads as types, batches split.
//!
//! For handlers whose repetition does no harm. A handler that must do something outside once takes [`Cx::step`], which a
//! router's handlers do not get: implement [`Handler`] for those.

use async_trait::async_trait;
use connect_webhook::{HandlerError, Retry, Router};

use crate::envelope::Envelope;
use crate::handler::{Failure, Handled, Handler};
use crate::step::Cx;

/// A batch of which a part failed comes back as a whole; what the router remembers as done is not run again.
///
/// ```
/// use std::sync::Arc;
/// use connect_flow::{MemoryStore, Worker};
/// use connect_webhook::{Delivery, Router, Verified};
///
/// let router = Router::new().on("github", "push", async |push: Verified<Delivery>| Ok(println!("{}", push.id)));
/// let worker = Worker::new(Arc::new(MemoryStore::default()), Arc::new(router));
/// ```
#[async_trait]
impl Handler for Router {
    async fn handle(&self, event: &Envelope, _cx: &Cx) -> Result<Handled, Failure> {
        let dispatch = self.dispatch(event.delivery()).await;
        let (done, all) = (dispatch.done(), dispatch.items.len());
        dispatch.into_result()?;
        Ok(match done {
            0 => Handled::Skipped("no handler is named for it".to_owned()),
            _ => Handled::Done(format!("{done} of {all} handled")),
        })
    }
}

impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        match error.retry() {
            Retry::Never => Self::permanent(error.class(), error.to_string()),
            Retry::Later => Self::retry(error.class(), error.to_string()),
            Retry::After(wait) => Self::retry(error.class(), error.to_string()).after(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use connect_webhook::{Delivery, Trust, Verified};
    use std::time::Duration;

    #[test]
    fn a_handlers_failure_keeps_what_it_says_about_another_try() {
        let never = Failure::from(HandlerError::permanent("no"));
        assert!(never.is_permanent() && never.class() == "handler" && never.message() == "no");
        let later = Failure::from(HandlerError::retry_after(Duration::from_secs(30), "busy"));
        assert_eq!((later.is_permanent(), later.shortest_wait()), (false, Some(Duration::from_secs(30))));
        assert_eq!(Failure::from(HandlerError::transient("down")).shortest_wait(), None);
    }

    #[test]
    fn a_delivery_comes_back_from_its_envelope() {
        let mut delivery = Delivery::new("t", "s", "1", "payload=%7B%7D");
        delivery.event = Some("push".to_owned());
        delivery.payload = "{}".into();
        delivery.replay_key = Some("signature:1".to_owned());
        delivery.ordering_key = Some("o".to_owned());
        delivery.content_type = Some("application/x-www-form-urlencoded".to_owned());
        delivery.headers.insert("traceparent", "00-1-2-01".parse().unwrap());
        delivery.received_at = connect_webhook::UnixTime(7);
        let envelope = Envelope::from(Verified::trust(delivery.clone(), Trust::Test));
        assert_eq!(envelope.delivery().into_inner(), delivery);
    }
}
