//! A provider in memory that lives by a [`ProviderPlan`].
//!
//! It is a discrete-event simulation: a request's fate and times are drawn when it is sent, from a generator of its own,
//! and it arrives whether or not the client still waits for it. So dropping a call unsends nothing, as on a real
//! network, and the same requests at the same times always meet the same fate.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::plan::ProviderPlan;
use super::report::{Exchange, SimulationReport};
use super::traffic::State;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;
use crate::transport::{Transport, TransportFuture};

/// The header by which a test names its logical operations, so that the provider can tell a double from a second order.
pub const OPERATION_ID: &str = "x-operation-id";

/// A [`Transport`] with a provider behind it that lives by a plan. Clones share everything, so keep one to look at
/// afterwards.
///
/// ```
/// # use connect_core::{Api, Client, Decoding, Endpoint, Error, Method, Operation, Raw, Request, Response, Safety, Verdict};
/// # enum Weather {}
/// # impl Api for Weather {
/// #     const ID: &'static str = "weather"; const BASE_URL: &'static str = "https://api.weather.example";
/// #     type Handle = Client<Weather>;
/// #     fn classify(response: &Response) -> Verdict { Verdict::from_status(response) }
/// # }
/// use std::time::Duration;
/// use connect_core::simulation::{Limit, ProviderPlan, SimulatedProvider};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Error> {
/// let plan = ProviderPlan::new(7).with_limit(Limit::sliding("burst", 10, Duration::from_secs(1)));
/// let provider = SimulatedProvider::new(plan);
/// let weather = Client::<Weather>::builder().transport(provider.clone()).build()?;
/// let _: serde_json::Value = weather.send(Raw::get("/today")?).await?;
/// assert_eq!(provider.report().requests, 1);
/// println!("{}", provider.report());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SimulatedProvider(Arc<Shared>);

struct Shared {
    began: Instant,
    state: Mutex<State>,
}

impl SimulatedProvider {
    /// Opens for business; its time begins now.
    pub fn new(plan: ProviderPlan) -> Self {
        Self(Arc::new(Shared { began: Instant::now(), state: Mutex::new(State::new(plan)) }))
    }

    /// The figures so far.
    pub fn report(&self) -> SimulationReport {
        let now = self.now();
        let mut state = self.lock();
        state.advance(now);
        state.report(now)
    }

    /// Every request so far in the order of sending, if the plan [keeps a log](ProviderPlan::with_log).
    pub fn exchanges(&self) -> Vec<Exchange> {
        let now = self.now();
        let mut state = self.lock();
        state.advance(now);
        state.exchanges()
    }

    /// From now on there are no limits, faults, outages and strangers, and latency is the default's: for what a test wants
    /// to know afterwards.
    pub fn heal(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.advance(now);
        state.heal();
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.0.began)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimulatedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedProvider").field("plan", &self.lock().plan).finish_non_exhaustive()
    }
}

impl Transport for SimulatedProvider {
    fn send(&self, request: Request) -> TransportFuture {
        let (number, ends_at) = self.lock().depart(self.now(), &request);
        // Made here and not on the first poll: a future that is dropped before must not leave its answer behind.
        let ticket = Ticket { provider: self.clone(), number };
        let ends_at = ends_at.and_then(|end| self.0.began.checked_add(end));
        Box::pin(async move {
            match ends_at {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
            ticket.collect()
        })
    }
}

/// The client's side of a request. Dropped early, it leaves no answer behind.
struct Ticket {
    provider: SimulatedProvider,
    number: u64,
}

impl Ticket {
    fn collect(&self) -> Result<Response, Error> {
        let now = self.provider.now();
        let mut state = self.provider.lock();
        state.advance(now);
        state.collect(self.number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.provider.lock().abandon(self.number);
    }
}
