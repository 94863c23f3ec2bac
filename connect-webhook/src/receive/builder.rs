//! Puts a [`Receiver`] together, and checks that nothing is missing.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Receiver, Shared};
use crate::clock::{Clock, SystemClock};
use crate::counters::Tally;
use crate::endpoint::Endpoint;
use crate::error::BuildError;
use crate::sink::Sink;
use crate::timer::Timer;

/// How long a body may take by default. Providers send from memory; the slowest give up after 10 to 30 s.
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Collects what a [`Receiver`] needs; from [`Receiver::builder`].
#[must_use]
pub struct ReceiverBuilder {
    endpoints: Vec<Endpoint>,
    sink: Option<Box<dyn Sink>>,
    clock: Box<dyn Clock>,
    timer: Option<Arc<dyn Timer>>,
    read_timeout: Duration,
}

impl ReceiverBuilder {
    pub(super) fn new() -> Self {
        Self {
            endpoints: Vec::new(),
            sink: None,
            clock: Box::new(SystemClock),
            timer: None,
            read_timeout: DEFAULT_READ_TIMEOUT,
        }
    }

    /// Adds an endpoint. Tenant and source together must be unique.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Sets where verified deliveries go; an `Arc` of a sink is a sink, too.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Sets the clock, [`SystemClock`] by default.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets the timer of the read time-out. Without one a body may take forever.
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Sets how long reading a body may take, 10 s by default. Needs a [`timer`](Self::timer).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Checks that everything is there.
    pub fn build(self) -> Result<Receiver, BuildError> {
        let sink = self.sink.ok_or(BuildError::NoSink)?;
        if self.endpoints.is_empty() {
            return Err(BuildError::NoEndpoint);
        }
        let mut endpoints: HashMap<Arc<str>, HashMap<Arc<str>, Endpoint>> = HashMap::new();
        for endpoint in self.endpoints {
            endpoint.check()?;
            let (tenant, source) = (Arc::clone(&endpoint.tenant), Arc::clone(&endpoint.source));
            let sources = endpoints.entry(tenant).or_default();
            if let Some(earlier) = sources.insert(source, endpoint) {
                return Err(BuildError::DuplicateEndpoint {
                    tenant: earlier.tenant.to_string(),
                    source_name: earlier.source.to_string(),
                });
            }
        }
        let (clock, read_timeout) = (self.clock, self.read_timeout);
        let shared = Arc::new(Shared { endpoints, sink, clock, read_timeout, tally: Tally::default() });
        Ok(Receiver { shared, timer: self.timer })
    }
}

impl fmt::Debug for ReceiverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("endpoints", &self.endpoints)
            .field("read_timeout", &self.read_timeout)
            .finish_non_exhaustive()
    }
}
