//! Running the handlers of one delivery, and the report of what became of it.

use super::Router;
use super::error::HandlerError;
use super::progress::Progress;
use crate::delivery::Delivery;
use crate::verified::Verified;

/// What became of a delivery, event by event: one, unless it was a batch. From [`Router::dispatch`].
///
/// ```
/// use connect_webhook::{Delivery, HandlerError, ItemOutcome, Router, Trust, Verified};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let router = Router::new().on("line", "message", async |item: Verified<Delivery>| match &*item.id {
///     "2" => Err(HandlerError::transient("the database is down")),
///     _ => Ok(()),
/// });
/// let body = r#"{"events":[
///     {"type":"message","webhookEventId":"1"},
///     {"type":"message","webhookEventId":"2"}
/// ]}"#;
/// let delivery = Verified::trust(Delivery::new("default", "line", "batch-1", body), Trust::Test);
///
/// let dispatch = router.dispatch(delivery.clone()).await;
/// assert!(matches!(dispatch.items[0].outcome, ItemOutcome::Done));
/// assert!(dispatch.result().is_err());
///
/// // Another try in this process runs what is not done.
/// let again = router.dispatch(delivery).await;
/// assert!(matches!(again.items[0].outcome, ItemOutcome::DoneBefore));
/// # }
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub struct Dispatch {
    /// In the order of the batch.
    pub items: Vec<Item>,
}

/// One event of a delivery.
#[non_exhaustive]
#[derive(Debug)]
pub struct Item {
    /// Its id: its own, or the delivery's and its place (`<delivery id>#<index>`).
    pub id: String,
    /// Its type.
    pub event: Option<String>,
    /// What became of it.
    pub outcome: ItemOutcome,
}

/// What became of one event.
#[non_exhaustive]
#[derive(Debug)]
pub enum ItemOutcome {
    /// Its handler dealt with it.
    Done,
    /// Its handler dealt with it at an earlier try, and was not asked again.
    DoneBefore,
    /// No handler was named for it. Counted: see [`Router::unknown`].
    Unknown,
    /// Its handler failed.
    Failed(HandlerError),
}

impl Dispatch {
    /// The worst that happened: a failure that may pass before one that will not, since giving up would lose
    /// what may still succeed; and the one that wants to wait longest first of all.
    ///
    /// # Errors
    /// At least one handler failed.
    pub fn result(&self) -> Result<(), &HandlerError> {
        let failures = self.items.iter().filter_map(|item| match &item.outcome {
            ItemOutcome::Failed(error) => Some(error),
            _ => None,
        });
        // Of equals the first, which `max_by_key` would not give.
        let worst =
            failures.reduce(|worst, error| if error.weight() > worst.weight() { error } else { worst });
        worst.map_or(Ok(()), Err)
    }

    /// As [`Dispatch::result`], with the failure for keeps.
    ///
    /// # Errors
    /// At least one handler failed.
    pub fn into_result(self) -> Result<(), HandlerError> {
        let failures = self.items.into_iter().filter_map(|item| match item.outcome {
            ItemOutcome::Failed(error) => Some(error),
            _ => None,
        });
        let worst =
            failures.reduce(|worst, error| if error.weight() > worst.weight() { error } else { worst });
        worst.map_or(Ok(()), Err)
    }

    /// How many events a handler dealt with, now or earlier.
    pub fn done(&self) -> usize {
        self.items
            .iter()
            .filter(|item| matches!(item.outcome, ItemOutcome::Done | ItemOutcome::DoneBefore))
            .count()
    }
}

impl Router {
    /// Runs the handler of every event in a delivery, one after the other: for workers that took the delivery
    /// from a store, and for anybody who wants to know what became of it.
    ///
    /// One event that fails does not stop the others. Those that are done are not run again when the same
    /// batch is dispatched to this router again, unless 1,024 other batches failed in between. A panic of a
    /// handler goes through to the caller.
    pub async fn dispatch(&self, delivery: Verified<Delivery>) -> Dispatch {
        let Some(batch) = self.splitter.split(&delivery) else {
            return Dispatch { items: vec![self.run(delivery).await] };
        };
        // A batch of one is done or not, and nothing needs to be remembered.
        let name = (batch.len() > 1).then(|| Progress::batch(&delivery));
        let mut items = Vec::with_capacity(batch.len());
        for (index, item) in batch.into_iter().enumerate() {
            let item = match item {
                Err(error) => Item {
                    id: format!("{}#{index}", delivery.id),
                    event: None,
                    outcome: ItemOutcome::Failed(error.into()),
                },
                Ok(item) if name.as_ref().is_some_and(|name| self.progress.is_done(name, index)) => {
                    let item = item.into_inner();
                    Item { id: item.id, event: item.event, outcome: ItemOutcome::DoneBefore }
                }
                Ok(item) => self.run(item).await,
            };
            if let (Some(name), ItemOutcome::Done) = (&name, &item.outcome) {
                self.progress.done(name, index);
            }
            items.push(item);
        }
        let dispatch = Dispatch { items };
        if let (Some(name), Ok(())) = (&name, dispatch.result()) {
            self.progress.forget(name);
        }
        dispatch
    }

    /// Runs the handler of one event.
    async fn run(&self, delivery: Verified<Delivery>) -> Item {
        let (id, event) = (delivery.id.clone(), delivery.event.clone());
        let Some(handler) = self.handler(&delivery) else {
            self.unknown.count(&delivery);
            return Item { id, event, outcome: ItemOutcome::Unknown };
        };
        let outcome = match handler(delivery).await {
            Ok(()) => ItemOutcome::Done,
            Err(error) => ItemOutcome::Failed(error),
        };
        Item { id, event, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_worst_is_what_may_still_succeed_last() {
        let after = |seconds| HandlerError::retry_after(Duration::from_secs(seconds), seconds.to_string());
        let failures: [fn() -> HandlerError; 3] = [
            || HandlerError::permanent("never"),
            || HandlerError::transient("later"),
            || HandlerError::transient("later, too"),
        ];
        let dispatch = |errors: Vec<HandlerError>| {
            let item = |error| Item { id: String::new(), event: None, outcome: ItemOutcome::Failed(error) };
            let mut items: Vec<_> = errors.into_iter().map(item).collect();
            items.push(Item { id: String::new(), event: None, outcome: ItemOutcome::Done });
            Dispatch { items }
        };
        let cases = [
            (vec![], None),
            (vec![failures[0]()], Some("never")),
            (vec![failures[0](), failures[1](), failures[2]()], Some("later")),
            (vec![after(5), failures[0](), after(30), failures[1]()], Some("30")),
        ];
        for (errors, expected) in cases {
            let dispatch = dispatch(errors);
            assert_eq!(dispatch.result().err().map(ToString::to_string).as_deref(), expected);
            assert_eq!(dispatch.into_result().err().map(|error| error.to_string()).as_deref(), expected);
        }
    }
}
