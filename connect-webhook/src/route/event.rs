//! What a handler is given: the delivery itself, or the delivery with its payload decoded.

use std::fmt;

use serde::de::DeserializeOwned;

use super::error::HandlerError;
use crate::delivery::Delivery;
use crate::verified::Verified;

/// A delivery and its payload as a type of yours. `Debug` shows the delivery's facts and no payload.
///
/// ```
/// use connect_webhook::{Event, HandlerError, Router, Verified};
///
/// #[derive(serde::Deserialize)]
/// struct Push { r#ref: String }
///
/// async fn pushed(event: Verified<Event<Push>>) -> Result<(), HandlerError> {
///     println!("{} was pushed for {}", event.payload.r#ref, event.delivery.tenant);
///     Ok(())
/// }
/// let router = Router::new().on("github", "push", pushed);
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct Event<T> {
    /// Everything known about the delivery, its raw payload included.
    pub delivery: Delivery,
    /// The payload, decoded.
    pub payload: T,
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// Makes the argument of a handler. Two implementations ship: `Verified<Delivery>`, as it is, and
/// `Verified<Event<T>>`, which fails for good if the payload is no `T`.
///
/// ```
/// use connect_webhook::{Delivery, FromDelivery, HandlerError, Router, Verified};
///
/// /// What all handlers of one program want.
/// struct Named { tenant: String, id: String }
///
/// impl FromDelivery for Named {
///     fn from_delivery(delivery: Verified<Delivery>) -> Result<Self, HandlerError> {
///         Ok(Self { tenant: delivery.tenant.to_string(), id: delivery.id.clone() })
///     }
/// }
///
/// let router = Router::new().on_any("github", async |named: Named| Ok(println!("{} {}", named.tenant, named.id)));
/// ```
pub trait FromDelivery: Sized {
    /// The argument, or why there is none.
    ///
    /// # Errors
    /// A handler does not run, and the failure is its result.
    fn from_delivery(delivery: Verified<Delivery>) -> Result<Self, HandlerError>;
}

impl FromDelivery for Verified<Delivery> {
    fn from_delivery(delivery: Verified<Delivery>) -> Result<Self, HandlerError> {
        Ok(delivery)
    }
}

impl<T: DeserializeOwned> FromDelivery for Verified<Event<T>> {
    fn from_delivery(delivery: Verified<Delivery>) -> Result<Self, HandlerError> {
        delivery.try_map(|delivery| {
            let payload = delivery.json()?;
            Ok(Event { delivery, payload })
        })
    }
}
