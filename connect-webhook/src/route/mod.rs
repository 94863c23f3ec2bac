//! From a verified delivery to the function that deals with it.
//!
//! A [`Router`] is a table of handlers by source, event type and, if that is not enough, a condition. It decodes
//! payloads, splits batches, counts what nobody wants, and tells failures that may pass from those that will
//! not. It stores nothing and retries nothing: call [`Router::dispatch`] from the worker of a durable inbox
//! (connect-flow does), which is the default to choose. A router is a [`Sink`](crate::Sink) too, for quick work
//! that may be lost. Not needed where one `match` on `delivery.event` says it all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::pin::Pin;

use crate::delivery::Delivery;
use crate::error::BuildError;
use crate::scheme::Scheme;
use crate::verified::Verified;

mod batch;
mod dispatch;
mod error;
mod event;
mod progress;
mod sink;
mod unknown;

pub use dispatch::{Dispatch, Item, ItemOutcome};
pub use error::{HandlerError, Retry};
pub use event::{Event, FromDelivery};
pub use unknown::UnknownEvents;

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;
type Handler = Box<dyn Fn(Verified<Delivery>) -> Running<'static> + Send + Sync>;
type Condition = Box<dyn Fn(&Delivery) -> bool + Send + Sync>;

/// Said while the table is written: later nothing would.
const SECOND: &str = "a second handler for the same events never runs; remove one";

/// Handlers by source and event type.
///
/// ```
/// use connect_webhook::{Delivery, Event, HandlerError, Router, Trust, Verified};
///
/// #[derive(serde::Deserialize)]
/// struct IssueEvent { issue: Issue }
/// #[derive(serde::Deserialize)]
/// struct Issue { number: u64, title: String }
///
/// async fn greet(event: Verified<Event<IssueEvent>>) -> Result<(), HandlerError> {
///     let Issue { number, title } = &event.payload.issue;
///     println!("{}: welcome, #{number} {title}", event.delivery.tenant);
///     Ok(())
/// }
///
/// async fn note(delivery: Verified<Delivery>) -> Result<(), HandlerError> {
///     println!("{} bytes of {:?}", delivery.payload.len(), delivery.event);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let router = Router::new()
///     .on_when("github", "issues", |issue| issue.action().as_deref() == Some("opened"), greet)
///     .on("github", "issues", note)
///     .on_any("slack", note);
///
/// let mut delivery =
///     Delivery::new("default", "github", "72d3162e", r#"{"action":"opened","issue":{"number":1,"title":"x"}}"#);
/// delivery.event = Some("issues".to_owned());
/// let dispatch = router.dispatch(Verified::trust(delivery, Trust::Test)).await;
/// assert!(dispatch.result().is_ok());
/// # }
/// ```
///
/// # Which handler runs
/// **One for each event, the most specific:** [`on_when`](Self::on_when) whose condition holds before
/// [`on`](Self::on) before [`on_any`](Self::on_any) before [`otherwise`](Self::otherwise); among equals the one
/// named first. One and not all that fit, because an event is tried again as a whole: with two handlers the
/// failure of one would repeat what the other has done. A function that calls two others says in which order,
/// and what then.
///
/// `source` is the delivery's source or its scheme, so that one table serves `github` and `github-enterprise`
/// alike. The source comes first where both would do.
///
/// # Which events are events
/// Schemes that send several in one delivery (LINE, HubSpot, SendGrid ...) are split: each item has an id,
/// a type, an ordering key and a slice of the payload of its own. Schemes of your own are made known by
/// [`scheme`](Self::scheme). For an event without a type write `on_any`, or `""` for the type.
///
/// An event that no handler was named for counts as dealt with; [`unknown`](Self::unknown) tells how many
/// there were, and the log names each type once.
#[derive(Default)]
pub struct Router {
    routes: HashMap<String, Routes>,
    otherwise: Option<Handler>,
    splitter: batch::Splitter,
    progress: progress::Progress,
    unknown: unknown::Unknown,
}

/// Of one source.
#[derive(Default)]
struct Routes {
    /// By event type, in the order in which they were named.
    when: HashMap<String, Vec<(Condition, Handler)>>,
    on: HashMap<String, Handler>,
    any: Option<Handler>,
}

impl Router {
    /// A router that knows no handler: every event counts as unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Handles events of this type from this source.
    ///
    /// A handler is an async function, or a closure that clones what it needs:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use connect_webhook::{Delivery, HandlerError, Router, Verified};
    ///
    /// struct Database;
    /// async fn store(database: &Database, delivery: &Delivery) -> Result<(), std::io::Error> { Ok(()) }
    ///
    /// let database = Arc::new(Database);
    /// let router = Router::new().on("github", "push", move |delivery: Verified<Delivery>| {
    ///     let database = Arc::clone(&database);
    ///     async move { store(&database, &delivery).await.map_err(HandlerError::transient) }
    /// });
    /// ```
    #[must_use]
    pub fn on<I, F, Fut>(mut self, source: impl Into<String>, event: impl Into<String>, handler: F) -> Self
    where
        I: FromDelivery + Send + 'static,
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let (source, event) = (source.into(), event.into());
        let routes = self.routes.entry(source.clone()).or_default();
        match routes.on.entry(event) {
            Entry::Occupied(event) => tracing::warn!(source, event = event.key(), "{SECOND}"),
            Entry::Vacant(event) => _ = event.insert(boxed(handler)),
        }
        self
    }

    /// Handles those events of this type from this source for which `condition` holds.
    #[must_use]
    pub fn on_when<I, F, Fut>(
        mut self,
        source: impl Into<String>,
        event: impl Into<String>,
        condition: impl Fn(&Delivery) -> bool + Send + Sync + 'static,
        handler: F,
    ) -> Self
    where
        I: FromDelivery + Send + 'static,
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let routes = self.routes.entry(source.into()).or_default();
        routes.when.entry(event.into()).or_default().push((Box::new(condition), boxed(handler)));
        self
    }

    /// Handles all other events from this source.
    #[must_use]
    pub fn on_any<I, F, Fut>(mut self, source: impl Into<String>, handler: F) -> Self
    where
        I: FromDelivery + Send + 'static,
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let source = source.into();
        let routes = self.routes.entry(source.clone()).or_default();
        if routes.any.is_some() {
            tracing::warn!(source, "{SECOND}");
        } else {
            routes.any = Some(boxed(handler));
        }
        self
    }

    /// Handles all other events. They do not count as unknown then.
    #[must_use]
    pub fn otherwise<I, F, Fut>(mut self, handler: F) -> Self
    where
        I: FromDelivery + Send + 'static,
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        if self.otherwise.is_some() {
            tracing::warn!("{SECOND}");
        } else {
            self.otherwise = Some(boxed(handler));
        }
        self
    }

    /// Splits the batches of a scheme of your own; those of [`schemes`](crate::schemes) are known.
    ///
    /// Deliveries that come back from a store may not know their scheme: give the scheme the name of the
    /// source then.
    ///
    /// ```
    /// use connect_webhook::{BuildError, Router, Scheme, scheme::Locator};
    ///
    /// let mut acme = Scheme::new("acme", "X-Acme-Signature");
    /// acme.batch = Some("/events".into());
    /// acme.id = vec![Locator::Json("/id".into())].into();
    /// let router = Router::new().scheme(&acme)?;
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// # Errors
    /// A place that the scheme names cannot be one.
    pub fn scheme(mut self, scheme: &Scheme) -> Result<Self, BuildError> {
        self.splitter.add(scheme)?;
        Ok(self)
    }

    /// How many events came that no handler was named for, by source and type.
    pub fn unknown(&self) -> Vec<UnknownEvents> {
        self.unknown.snapshot()
    }

    /// See "Which handler runs".
    fn handler(&self, delivery: &Delivery) -> Option<&Handler> {
        let event = delivery.event.as_deref().unwrap_or_default();
        let of_source = self.routes.get(&*delivery.source);
        let of_scheme = self.routes.get(&*delivery.scheme).filter(|_| delivery.scheme != delivery.source);
        let routes = || of_source.into_iter().chain(of_scheme);
        routes()
            .find_map(|routes| {
                routes.when.get(event)?.iter().find(|(holds, _)| holds(delivery)).map(|(_, handler)| handler)
            })
            .or_else(|| routes().find_map(|routes| routes.on.get(event)))
            .or_else(|| routes().find_map(|routes| routes.any.as_ref()))
            .or(self.otherwise.as_ref())
    }
}

/// A handler of whatever argument as one of deliveries.
fn boxed<I, F, Fut>(handler: F) -> Handler
where
    I: FromDelivery + Send + 'static,
    F: Fn(I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    Box::new(move |delivery| match I::from_delivery(delivery) {
        Ok(input) => Box::pin(handler(input)),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    })
}

/// The names of sources and types, in alphabetical order.
impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self
            .routes
            .iter()
            .flat_map(|(source, routes)| {
                let types = routes.when.keys().chain(routes.on.keys()).map(String::as_str);
                types.chain(routes.any.as_ref().map(|_| "*")).map(move |event| (source.as_str(), event))
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        f.debug_struct("Router").field("handlers", &names).finish_non_exhaustive()
    }
}
