//! What clients do that know neither safety nor limits: the figures to compare with.

use std::sync::Arc;
use std::time::Duration;

use crate::api::Api;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::origins::Origins;
use crate::request::Request;
use crate::response::Response;
use crate::transport::Transport;

/// A client that sends everything again, whatever it is: after a 403, 408, 429, a 5xx or a broken connection, without a
/// look at `Retry-After`. By default up to three times and at once, as octocrab's default configuration does.
///
/// Not for use, but for comparison in one simulation. Sends no credential.
///
/// ```
/// # use connect_core::{Api, Client, Error, Raw, Response, Verdict};
/// # enum Weather {}
/// # impl Api for Weather {
/// #     const ID: &'static str = "weather"; const BASE_URL: &'static str = "https://api.weather.example";
/// #     type Handle = Client<Weather>;
/// #     fn classify(response: &Response) -> Verdict { Verdict::from_status(response) }
/// # }
/// use std::sync::Arc;
/// use connect_core::simulation::{Answer, NaiveClient, Scripted};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Error> {
/// let transport = Scripted::new([Answer::status(500), Answer::json(201, "{}")]);
/// let naive = NaiveClient::new(Arc::new(transport.clone()));
/// naive.send(&Raw::<Weather, serde_json::Value>::post("/reports", &())?).await?;
/// assert_eq!(transport.requests().len(), 2, "the write was sent twice");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct NaiveClient {
    transport: Arc<dyn Transport>,
    attempts: u32,
    backoff: Duration,
}

impl NaiveClient {
    /// Sends by this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, attempts: 4, backoff: Duration::ZERO }
    }

    /// Sets the number of attempts, the first included. Default 4.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Waits this long before the second attempt, and twice as long before each further one. Default zero.
    #[must_use]
    pub fn with_backoff(mut self, first: Duration) -> Self {
        self.backoff = first;
        self
    }

    /// Sends an endpoint until something else comes back, or the attempts are used up.
    ///
    /// # Errors
    /// The last attempt's, if there was no answer. An answer of any status is a success here.
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Response, Error> {
        let origins = Origins::new(E::Api::BASE_URL)?;
        let mut attempt = 1;
        let mut wait = self.backoff;
        loop {
            let request: Request = endpoint.request()?.place(&origins, &Arc::default())?;
            let result = self.transport.send(request).await;
            if attempt >= self.attempts || !tries_again(&result) {
                return result;
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
            attempt += 1;
        }
    }
}

fn tries_again(result: &Result<Response, Error>) -> bool {
    match result {
        Ok(response) => matches!(response.status().as_u16(), 403 | 408 | 429 | 500..=599),
        Err(_) => true,
    }
}

impl std::fmt::Debug for NaiveClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NaiveClient")
            .field("attempts", &self.attempts)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}
