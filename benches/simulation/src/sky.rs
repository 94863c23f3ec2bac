//! An API as plain as can be: what is simulated is its provider.

use std::time::Duration;

use connect_core::quota::{Bucket, Draws, Observations, QuotaConfig, QuotaModel, QuotaPilot, Rule};
use connect_core::{
    Api, Client, Config, Decoding, Endpoint, Error, Head, Method, Operation, Request, Response, RetryPolicy,
    Safety, Transport, Verdict,
};

/// The provider.
pub(crate) enum Sky {}

impl Api for Sky {
    const ID: &'static str = "sky";
    const BASE_URL: &'static str = "https://api.sky.example";
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        Verdict::from_status(response)
    }
}

/// A published limit that no header shows: so many in any such time.
pub(crate) struct Published(pub(crate) u32, pub(crate) Duration);

impl QuotaModel for Published {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        let rule = Rule::Published { limit: self.0, window: self.1 };
        Draws::none().and(Bucket::new("calls"), 1, rule)
    }

    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}

/// Longer than any simulation: who waits is never refused.
const PATIENCE: Duration = Duration::from_secs(100 * 3600);

/// A client whose calls wait for their turn as long as it takes, and are sent once: a lost reply is its caller's
/// business and not the quota's.
pub(crate) fn client(
    transport: impl Transport,
    model: impl QuotaModel,
    concurrency: u32,
    seed: u64,
) -> Result<Client<Sky>, Error> {
    let quota = QuotaConfig::default().with_longest_wait(PATIENCE).with_concurrency(concurrency);
    let config = Config::default()
        .with_seed(seed)
        .with_deadline(PATIENCE)
        .with_retry(RetryPolicy::never())
        .with_quota(quota);
    Client::<Sky>::builder().transport(transport).quota(QuotaPilot::new(model, quota)).config(config).build()
}

/// The one call.
#[derive(Clone, Copy)]
pub(crate) struct Look;

static LOOK: Operation = Operation::new("look", Method::GET, "/things", Safety::Safe);

impl Endpoint for Look {
    type Api = Sky;
    type Output = ();

    fn operation(&self) -> &Operation {
        &LOOK
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&LOOK).build()
    }

    fn decode(&self, _response: Response, _cx: &mut Decoding) -> Result<(), Error> {
        Ok(())
    }
}
