//! The contract: kept by this family's client, and each promise broken on purpose is noticed by the check it belongs to.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect_core::auth::{Token, TokenCache};
use connect_core::http_header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use connect_core::simulation::contract::{self, Finding, Findings, Subject};
use connect_core::simulation::{Answer, NaiveClient};
use connect_core::{
    Api, Client, Config, Credentials, Decoding, Endpoint, Error, ErrorKind, HeaderValue, Operation, Request,
    Response, RetryPolicy, Sent, Transport, TransportFuture, Url, Verdict,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};
use weather::{Ask, List, TOKEN, Weather};

fn good(transport: Arc<dyn Transport>) -> Client<Weather> {
    let builder = Client::<Weather>::builder().credentials(Credentials::bearer(TOKEN));
    builder.config(Config::default().with_seed(7)).transport(transport).build().unwrap()
}

/// With tokens that are fetched, each unlike the one before.
fn renewing(transport: Arc<dyn Transport>) -> Client<Weather> {
    let fetched = AtomicU32::new(0);
    let provider = move |_request| {
        let number = fetched.fetch_add(1, Ordering::Relaxed);
        async move { Ok(Token::new(format!("{TOKEN}-{number}"))) }
    };
    let builder = Client::<Weather>::builder().credentials(Credentials::tokens(TokenCache::new(provider)));
    builder.config(Config::default().with_seed(7)).transport(transport).build().unwrap()
}

fn subject(build: fn(Arc<dyn Transport>) -> Client<Weather>) -> Subject<Client<Weather>> {
    Subject::new(build, |client| client.send(Ask::read()), |client| client.send(Ask::write())).canary(TOKEN)
}

fn linked(next: &str) -> Answer {
    Answer::json(200, "[1]").header("link", &format!("<{next}>; rel=\"next\""))
}

fn broken(findings: &Findings) -> Vec<&'static str> {
    findings.broken().map(|(name, _)| name).collect()
}

fn said(findings: &Findings, check: &str) -> String {
    findings.broken().find(|(name, _)| *name == check).unwrap().1.to_string()
}

#[tokio::test(start_paused = true)]
async fn this_familys_client_keeps_every_promise() {
    let subject = |build| subject(build).shares_limits();
    let everything = subject(renewing).renews_tokens().list(|client| client.stream(List::by_link()), linked);
    let findings = contract::run_all(&everything).await;
    assert!(findings.are_kept(), "{findings}");
    let is_skipped = |(_, finding): &(_, &Finding)| matches!(finding, Finding::Skipped(_));
    assert_eq!(findings.iter().filter(is_skipped).count(), 0, "{findings}");

    let by_cursor = subject(good).list(
        |client| client.stream(List::by_cursor()),
        |next| Answer::json(200, format!(r#"{{"readings": [1], "meta": {{"next": "{next}"}}}}"#)),
    );
    let findings = contract::run_all(&by_cursor).await;
    assert!(findings.are_kept(), "{findings}");
}

/// Takes a failure for a definite refusal, so that writes are sent again.
#[derive(Debug)]
enum Hasty {}

impl Api for Hasty {
    const ID: &'static str = "hasty";
    const BASE_URL: &'static str = Weather::BASE_URL;
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        match Verdict::from_status(response) {
            Verdict::Transient { retry_after } => Verdict::RateLimited { retry_after },
            verdict => verdict,
        }
    }
}

struct OfHasty(Ask);

impl Endpoint for OfHasty {
    type Api = Hasty;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        self.0.decode(response, cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_taken_for_a_refusal_is_noticed() {
    let hasty = Subject::new(
        |transport| {
            let builder = Client::<Hasty>::builder().credentials(Credentials::bearer(TOKEN));
            builder.transport(transport).build().unwrap()
        },
        |client| client.send(OfHasty(Ask::read())),
        |client| client.send(OfHasty(Ask::write())),
    )
    .canary(TOKEN);
    let findings = contract::run_all(&hasty).await;
    assert_eq!(broken(&findings), ["failed_writes_are_sent_once"], "{findings}");
    let sentence = said(&findings, "failed_writes_are_sent_once");
    assert_eq!(sentence, "a write answered with the provider's failure was sent 2 times");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_tries_again_is_noticed() {
    let once = subject(|transport| {
        let config = Config::default().with_retry(RetryPolicy::never());
        Client::<Weather>::builder().config(config).transport(transport).build().unwrap()
    });
    assert!(contract::unsent_writes_are_sent_again(&once).await.is_err());
    let vain = contract::secrets_are_not_shown(&once).await.unwrap_err();
    assert!(vain.to_string().contains("no credential was ever sent"), "{vain}");
    let refused = contract::refused_tokens_are_replaced_once(&once).await.unwrap_err();
    assert!(refused.to_string().contains("given up after 1 attempts"), "{refused}");
}

struct Talkative(Client<Weather>);

impl fmt::Debug for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Talkative({:?}, {TOKEN})", self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_shows_its_token_is_noticed() {
    let talkative = Subject::new(
        |transport| Talkative(good(transport)),
        |client| client.0.send(Ask::read()),
        |client| client.0.send(Ask::write()),
    )
    .canary(TOKEN);
    let findings = contract::run_all(&talkative).await;
    assert_eq!(broken(&findings), ["secrets_are_not_shown"], "{findings}");
    assert!(said(&findings, "secrets_are_not_shown").contains("Debug of the client"), "{findings}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_logs_its_token_is_noticed() {
    let logging = Subject::new(
        |transport| {
            tracing::trace!(token = TOKEN, "a client is built");
            good(transport)
        },
        |client| client.send(Ask::read()),
        |client| client.send(Ask::write()),
    )
    .canary(TOKEN);
    assert!(contract::secrets_are_not_shown(&logging).await.unwrap_err().to_string().contains("the log"));
}

/// Follows redirects with everything it has.
struct Follows(Arc<dyn Transport>);

impl Transport for Follows {
    fn send(&self, request: Request) -> TransportFuture {
        let transport = Arc::clone(&self.0);
        Box::pin(async move {
            let spare = request.replay().unwrap();
            let response = transport.send(request).await?;
            let Some(to) = response.headers().get(LOCATION) else { return Ok(response) };
            let mut next = spare.at(Url::parse(to.to_str().unwrap()).unwrap()).unwrap();
            next.set_credential(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap());
            transport.send(next).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_follows_a_redirect_is_noticed() {
    let astray = subject(|transport| good(Arc::new(Follows(transport))));
    let findings = contract::run_all(&astray).await;
    assert_eq!(broken(&findings), ["credentials_stay_home"], "{findings}");
}

/// Clients that were not made with this crate's stack, each with a mistake that has been seen in the wild.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    /// Sends everything again, at once.
    Naive,
    /// Sleeps as long as it is told.
    Obedient,
    /// Adds what it is told to a clock.
    Overflows,
    /// Gives its permit back at the end, which a dropped call never reaches.
    KeepsPermit,
    /// Sends a slow request a second time beside the first.
    Hedges,
}

#[derive(Debug)]
struct Rough {
    flaw: Flaw,
    client: NaiveClient,
    gate: Arc<Semaphore>,
}

impl Rough {
    fn subject(flaw: Flaw) -> Subject<Self> {
        let build = move |transport| {
            let attempts = if flaw == Flaw::Naive { 4 } else { 1 };
            let client = NaiveClient::new(transport).with_attempts(attempts);
            Self { flaw, client, gate: Arc::new(Semaphore::new(20)) }
        };
        Subject::new(build, |client| client.send(Ask::read()), |client| client.send(Ask::write()))
    }

    fn send(&self, ask: Ask) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (flaw, client, gate) = (self.flaw, self.client.clone(), Arc::clone(&self.gate));
        async move {
            let response = match flaw {
                Flaw::KeepsPermit => {
                    gate.acquire().await.unwrap().forget();
                    let response = client.send(&ask).await;
                    gate.add_permits(1);
                    response?
                }
                Flaw::Hedges => tokio::select! {
                    response = client.send(&ask) => response?,
                    response = async { sleep(Duration::from_millis(50)).await; client.send(&ask).await } => response?,
                },
                _ => client.send(&ask).await?,
            };
            let hint =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            match (flaw, hint) {
                (Flaw::Obedient, Some(seconds)) => sleep(Duration::from_secs(seconds)).await,
                (Flaw::Overflows, Some(seconds)) => {
                    let soon = Instant::now() + Duration::from_secs(1);
                    sleep_until(soon.min(Instant::now() + Duration::from_secs(seconds))).await;
                }
                _ => {}
            }
            if response.status().is_success() {
                return Ok(());
            }
            let sent = if response.status().is_server_error() { Sent::Maybe } else { Sent::Yes };
            Err(Error::new(ErrorKind::RateLimited, "refused").with_sent(sent))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_naive_client_breaks_the_promises_about_writes_and_limits() {
    let findings = contract::run_all(&Rough::subject(Flaw::Naive)).await;
    assert!(
        broken(&findings).starts_with(&["failed_writes_are_sent_once", "limits_are_obeyed"]),
        "{findings}"
    );
    assert!(said(&findings, "limits_are_obeyed").contains("0.000 s after"), "{findings}");
    assert!(contract::limits_are_shared(&Rough::subject(Flaw::Naive)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sleeps_for_ever_or_overflows_its_clock_is_noticed() {
    let hangs = contract::hostile_hints_end(&Rough::subject(Flaw::Obedient)).await.unwrap_err();
    assert!(hangs.to_string().contains("did not end by its deadline of 60 s"), "{hangs}");
    let panics = contract::hostile_hints_end(&Rough::subject(Flaw::Overflows)).await.unwrap_err();
    assert!(panics.to_string().contains("ended in a panic: overflow when adding duration"), "{panics}");
}

#[tokio::test(start_paused = true)]
async fn a_permit_lost_by_a_dropped_call_is_noticed() {
    let leaks = contract::cancelled_calls_leak_nothing(&Rough::subject(Flaw::KeepsPermit)).await.unwrap_err();
    assert!(
        leaks.to_string().contains("did not end by its deadline") || leaks.to_string().contains("not served"),
        "{leaks}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_sent_twice_before_it_is_dropped_is_noticed() {
    let hedges = contract::cancelled_writes_are_sent_once(&Rough::subject(Flaw::Hedges)).await.unwrap_err();
    assert!(hedges.to_string().contains("the write was sent 2 times"), "{hedges}");
}

/// A list that follows wherever it is led.
#[tokio::test(start_paused = true)]
async fn a_list_that_goes_round_in_circles_is_noticed() {
    let endless = Rough::subject(Flaw::Naive).list(
        |client| {
            let client = client.client.clone();
            futures_util::stream::unfold(client, |client| async move {
                let response = client.send(&List::by_link()).await;
                Some((response.map(drop), client))
            })
        },
        linked,
    );
    let circles = contract::repeated_cursors_end(&endless).await.unwrap_err();
    assert!(circles.to_string().contains("went on"), "{circles}");
}
