//! Batches: one delivery that carries several events.
//!
//! Which schemes send them, where the array stands and what an item says about itself is in the scheme's row.
//! An item becomes a delivery of its own whose payload is a slice of the batch's, without a copy; the raw body
//! stays the signed whole.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::delivery::Delivery;
use crate::error::{BuildError, PayloadError};
use crate::facts::{Finder, slice_of};
use crate::scheme::Scheme;
use crate::schemes;
use crate::verified::Verified;

static BUILT_IN: LazyLock<HashMap<&'static str, Finder>> = LazyLock::new(|| {
    let batched = schemes::ALL.iter().filter(|scheme| scheme.batch.is_some());
    batched.filter_map(|scheme| Some((&*scheme.name, Finder::compile(scheme, &[]).ok()?))).collect()
});

/// Splits deliveries of the built-in schemes and of those it was told about.
#[derive(Clone, Debug, Default)]
pub(super) struct Splitter {
    own: HashMap<String, Arc<Finder>>,
}

impl Splitter {
    pub(super) fn add(&mut self, scheme: &Scheme) -> Result<(), BuildError> {
        self.own.insert(scheme.name.to_string(), Arc::new(Finder::compile(scheme, &[])?));
        Ok(())
    }

    /// By scheme, or by source for deliveries that come back from a store which does not keep the scheme.
    fn finder(&self, delivery: &Delivery) -> Option<&Finder> {
        let known = |name: &str| match self.own.get(name) {
            Some(finder) => Some(&**finder),
            None => BUILT_IN.get(name),
        };
        known(&delivery.scheme).or_else(|| known(&delivery.source))
    }

    /// The items; `None` if it is no batch. An item that cannot be read is an error in its place.
    pub(super) fn split(
        &self,
        delivery: &Verified<Delivery>,
    ) -> Option<Vec<Result<Verified<Delivery>, PayloadError>>> {
        let finder = self.finder(delivery)?;
        let items = finder.items(&delivery.payload)?;
        let alone = items.len() == 1;
        let item = |(index, item): (usize, &str)| {
            let facts = finder.read_item(&delivery.headers, item.as_bytes())?;
            // An id from a header is the whole batch's, not an item's.
            let id = facts.id.filter(|id| alone || *id != delivery.id);
            let item = Delivery {
                id: id.unwrap_or_else(|| format!("{}#{index}", delivery.id)),
                // It is the batch's: kept, it would make every item a copy of the first.
                replay_key: None,
                event: facts.event,
                ordering_key: facts.ordering_key,
                payload: slice_of(&delivery.payload, item),
                ..Delivery::clone(delivery)
            };
            Ok(Verified::new(item))
        };
        Some(items.into_iter().enumerate().map(item).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verified::Trust;

    fn split(scheme: &str, payload: &'static str) -> Vec<Delivery> {
        let mut delivery = Delivery::new("t", "s", "whole", payload);
        delivery.scheme = scheme.into();
        delivery.replay_key = Some("r".to_owned());
        let delivery = Verified::trust(delivery, Trust::Test);
        match Splitter::default().split(&delivery) {
            None => vec![delivery.into_inner()],
            Some(items) => items.into_iter().map(|item| item.unwrap().into_inner()).collect(),
        }
    }

    #[test]
    fn every_built_in_batch_is_known() {
        let batched = schemes::ALL.iter().filter(|scheme| scheme.batch.is_some());
        assert!(batched.clone().count() >= 8);
        assert!(batched.into_iter().all(|scheme| BUILT_IN.contains_key(&*scheme.name)));
    }

    #[test]
    fn an_item_has_its_own_id_event_and_slice() {
        let payload = r#"{"destination":"U1","events":[
            {"type":"message","webhookEventId":"01A","message":{"text":"naïve"}},
            { "type" : "follow" }]}"#;
        let items = split("line", payload);
        let facts: Vec<_> = items.iter().map(|item| (&*item.id, item.event.as_deref())).collect();
        assert_eq!(facts, [("01A", Some("message")), ("whole#1", Some("follow"))]);
        assert_eq!(items[1].payload, r#"{ "type" : "follow" }"#);
        assert_eq!(items[1].body, payload, "the signed whole");
        let whole = payload.as_bytes().as_ptr_range();
        assert!(items.iter().all(|item| whole.contains(&item.payload.as_ptr())), "no copy");
        assert!(items.iter().all(|item| item.replay_key.is_none()));
    }

    #[test]
    fn what_is_no_batch_stays_whole() {
        for (scheme, payload) in
            [("github", "[1,2]"), ("line", r#"{"events":1}"#), ("line", "7"), ("nobody", "[]")]
        {
            let items = split(scheme, payload);
            assert_eq!((items.len(), &*items[0].id), (1, "whole"), "{scheme} {payload}");
        }
        assert_eq!(split("line", r#"{"events":[]}"#).len(), 0);
    }

    #[test]
    fn an_id_in_a_header_is_the_whole_batchs() {
        let mut scheme = Scheme::new("acme", "X-Sig");
        scheme.batch = Some("".into());
        scheme.id = vec![crate::scheme::Locator::Header("x-id".into())].into();
        let mut splitter = Splitter::default();
        splitter.add(&scheme).unwrap();
        let mut delivery = Delivery::new("t", "acme", "7", "[1,2]");
        delivery.headers.insert("x-id", "7".parse().unwrap());
        let items = splitter.split(&Verified::trust(delivery, Trust::Test)).unwrap();
        let ids: Vec<_> = items.into_iter().map(|item| item.unwrap().into_inner().id).collect();
        assert_eq!(ids, ["7#0", "7#1"]);
    }
}
