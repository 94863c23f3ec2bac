//! Who knows a provider's limits.

use std::borrow::Cow;
use std::time::Duration;

use super::draws::{Bucket, Draws};
use crate::operation::Operation;
use crate::request::{Head, Request};
use crate::response::Response;

/// A provider's limits: what each call draws on, and what each answer says about it. Pure, one per provider.
///
/// [`HeaderModel`](super::HeaderModel) is the one for providers that need no code.
pub trait QuotaModel: Send + Sync + 'static {
    /// What a call draws on.
    fn draws(&self, operation: &Operation, request: &Request) -> Draws;

    /// What an answer says: figures, pauses.
    fn observe(&self, sent: &Head, response: &Response, out: &mut Observations);
}

/// What an answer says about one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which one.
    pub bucket: Bucket,
    /// The whole allowance, if it is said.
    pub limit: Option<u64>,
    /// What is left of it.
    pub remaining: u64,
    /// When it is whole again, counted from the answer's own `Date`: a wrong clock on either side does not matter.
    pub resets_in: Option<Duration>,
    /// The provider's own name of this window (the epoch at which it ends, say), if it has one.
    pub window: Option<u64>,
}

/// What an answer says about the account's buckets.
///
/// A list that a model fills; the first figure, the usual one, needs no allocation.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    first: Option<Observation>,
    more: Vec<Observation>,
    pauses: Vec<(Option<Bucket>, Duration)>,
    back_off: Option<Duration>,
}

impl Observations {
    pub(crate) fn of(
        figures: impl IntoIterator<Item = Observation>,
        pauses: Vec<(Option<Bucket>, Duration)>,
    ) -> Self {
        let mut figures = figures.into_iter();
        Self { first: figures.next(), more: figures.collect(), pauses, back_off: None }
    }

    /// A figure.
    pub fn see(&mut self, observation: Observation) {
        match self.first {
            None => self.first = Some(observation),
            Some(_) => self.more.push(observation),
        }
    }

    /// A bucket is closed for everybody for this long.
    pub fn pause(&mut self, bucket: Bucket, wait: Duration) {
        self.pauses.push((Some(bucket), wait));
    }

    /// The whole account is closed for this long.
    pub fn pause_account(&mut self, wait: Duration) {
        self.pauses.push((None, wait));
    }

    /// The whole account is closed, for a refusal that did not say how long: for this long the first time, twice as long
    /// the next, until a request has come back well; an hour at the most.
    pub fn back_off_account(&mut self, first: Duration) {
        self.back_off = Some(first);
    }

    /// What [`Observations::back_off_account`] was told.
    pub fn back_off(&self) -> Option<Duration> {
        self.back_off
    }

    /// The figures so far.
    pub fn figures(&self) -> impl Iterator<Item = &Observation> {
        self.first.iter().chain(&self.more)
    }

    /// The pauses so far; `None` is the whole account.
    pub fn pauses(&self) -> &[(Option<Bucket>, Duration)] {
        &self.pauses
    }
}

impl Observation {
    /// A figure without limit and reset.
    pub fn new(bucket: impl Into<Cow<'static, str>>, remaining: u64) -> Self {
        Self { bucket: Bucket::new(bucket), limit: None, remaining, resets_in: None, window: None }
    }
}
