//! The single flight of a [`TokenCache`](super::TokenCache): who fetches, who waits, and what happens when a fetch is
//! lost.
//!
//! The lock is held for a few instructions and never across an await, a spawn or foreign code. Whoever waits holds a
//! channel of its own; a fetch that ends in any way at all, a panic and a dropped runtime included, closes the channels
//! it has not answered, so no wake-up can be missed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::cache::{CachedToken, TokenOptions};
use super::renewal::{Holding, Life, Step, next, next_beyond, rest};
use super::token::{Token, TokenProvider, TokenReason, TokenRequest};
use crate::deadline::after;
use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::event::Event;
use crate::progress::Progress;

/// What a caller gets in the end.
pub(super) type Outcome = Result<CachedToken, Error>;

/// Where a caller waits for it; an error says that the fetch was lost.
pub(super) type Waiter = oneshot::Receiver<Outcome>;

/// A fetch that has not ended so long after its time-out runs on a runtime that nobody drives any more.
const STALLED: Duration = Duration::from_secs(5);

/// So many lost fetches in a row count as a failed one: a provider that always panics must not be called for ever.
const LOST_IN_A_ROW: u32 = 3;

/// How long a refused token stays that had itself just replaced a refused one.
const VAIN_REPLACEMENT: Duration = Duration::from_secs(5);

/// Shared by all clones of a cache.
pub(super) struct Fetches {
    provider: Box<dyn TokenProvider>,
    options: TokenOptions,
    account: Arc<str>,
    state: Mutex<State>,
}

struct State {
    token: Option<CachedToken>,
    /// The provider refused it: kept only for the next fetch to know.
    refused: bool,
    /// Of the last token.
    generation: u64,
    flight: Option<Flight>,
    flights: u64,
    /// The last fetch failed, and until when that is the answer.
    failure: Option<(Error, Instant)>,
    failures: u32,
    lost: u32,
    random: fastrand::Rng,
}

/// A fetch under way.
struct Flight {
    number: u64,
    begun: Instant,
    waiters: Vec<oneshot::Sender<Outcome>>,
}

/// What [`Fetches::join`] has for a caller.
pub(super) enum Joined {
    Served(Outcome),
    Waiting(Waiter),
}

impl Fetches {
    pub(super) fn new(provider: Box<dyn TokenProvider>, options: TokenOptions) -> Self {
        let seed = options.seed.unwrap_or_else(crate::builder::draw_seed);
        let account = match &options.account {
            Some(name) => Arc::clone(name),
            None => format!("{:016x}", crate::builder::draw_seed()).into(),
        };
        let state = State {
            token: None,
            refused: false,
            generation: 0,
            flight: None,
            flights: 0,
            failure: None,
            failures: 0,
            lost: 0,
            random: fastrand::Rng::with_seed(seed),
        };
        Self { provider, options, account, state: Mutex::new(state) }
    }

    pub(super) fn options(&self) -> &TokenOptions {
        &self.options
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn current(&self) -> Option<CachedToken> {
        let state = self.lock();
        let is_alive = matches!(state.holding(Instant::now()), Holding::Fresh | Holding::Due);
        state.token.clone().filter(|_| is_alive)
    }

    pub(super) fn fresh(&self) -> Option<CachedToken> {
        let state = self.lock();
        if state.holding(Instant::now()) == Holding::Fresh { state.token.clone() } else { None }
    }

    pub(super) fn invalidate(&self, generation: u64) -> bool {
        let mut state = self.lock();
        match &state.token {
            Some(token) if token.generation() == generation && !state.refused => {
                if token.is_vain_replacement() && token.age() < VAIN_REPLACEMENT {
                    return false;
                }
                state.refused = true;
                true
            }
            _ => true,
        }
    }

    pub(super) fn reset(&self) {
        let mut state = self.lock();
        (state.token, state.refused, state.failure, state.failures) = (None, false, None, 0);
        let outdated = state.flight.take();
        drop(state);
        drop(outdated); // wakes the waiters, outside the lock: they join the next one
    }

    /// Serves a caller, lets it wait, or makes it the one that starts a fetch. A token of the generation `beyond`, or an
    /// older one, does not serve it.
    pub(super) fn join(this: &Arc<Self>, progress: Option<&Arc<Progress>>, beyond: Option<u64>) -> Joined {
        let now = Instant::now();
        let mut state = this.lock();
        if let Some(stalled) = state.take_stalled(now, this.options.fetch_timeout) {
            drop(state);
            drop(stalled); // wakes the waiters, outside the lock: they join the next one
            state = this.lock();
        }
        let resting = state.failure.as_ref().is_some_and(|(_, until)| now < *until);
        let step = match beyond.filter(|generation| state.generation <= *generation) {
            Some(_) => next_beyond(state.holding(now), state.flight.is_some(), resting),
            None => next(state.holding(now), state.flight.is_some(), resting),
        };
        let (reason, answer) = match (step, &state.token, &state.failure) {
            (Step::Serve, Some(token), _) => return Joined::Served(Ok(token.clone())),
            (Step::ServeAndRenew, Some(token), _) => (TokenReason::Early, Some(token.clone())),
            (Step::Fail, _, Some((error, _))) => return Joined::Served(Err(error.duplicate())),
            (Step::Wait, ..) => return Joined::Waiting(state.wait()),
            (Step::Fetch(reason), ..) => (reason, None),
            (Step::Serve | Step::ServeAndRenew | Step::Fail, ..) => (TokenReason::First, None),
        };
        let Ok(runtime) = Handle::try_current() else {
            return Joined::Served(answer.ok_or_else(|| {
                Error::new(
                    ErrorKind::Config,
                    "tokens are fetched in a task: send from within a tokio runtime",
                )
            }));
        };
        let request = TokenRequest {
            reason,
            generation: state.token.as_ref().map_or(0, CachedToken::generation),
            previous: state.token.as_ref().map(|token| token.token().clone()),
        };
        let number = state.begin(now);
        let joined = match answer {
            Some(token) => Joined::Served(Ok(token)),
            None => Joined::Waiting(state.wait()),
        };
        // A runtime that is shutting down drops the task at once, and the landing takes the lock.
        drop(state);
        let landing = Landing { fetches: Arc::clone(this), number };
        runtime.spawn(fetch(landing, request, now, progress.cloned()));
        joined
    }

    /// The fetch has ended: keeps what came of it. `None` if it had been given up.
    fn land(&self, number: u64, result: Result<Token, Error>, request: &TokenRequest) -> Option<Landed> {
        let mut state = self.lock();
        let flight = state.take_flight(number)?;
        let (now, generation) = (Instant::now(), state.generation.saturating_add(1));
        let random = state.random.f64();
        let outcome = result.and_then(|token| {
            let life = Life::new(flight.begun, token.expires_in, self.options.early_refresh, random);
            CachedToken::new(token, generation, life, request.reason == TokenReason::Refused)
        });
        match &outcome {
            Ok(token) => {
                state.token = Some(token.clone());
                state.generation = generation;
                (state.refused, state.failure, state.failures, state.lost) = (false, None, 0, 0);
            }
            Err(error) => state.fail(error.duplicate(), now),
        }
        Some(Landed { outcome, waiters: flight.waiters, took: now.saturating_duration_since(flight.begun) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn holding(&self, now: Instant) -> Holding {
        match &self.token {
            None => Holding::Nothing,
            Some(_) if self.refused => Holding::Refused,
            Some(token) => Holding::of(token.life(), now),
        }
    }

    fn take_stalled(&mut self, now: Instant, fetch_timeout: Duration) -> Option<Flight> {
        let limit = fetch_timeout.saturating_add(STALLED);
        self.flight.take_if(|flight| now.saturating_duration_since(flight.begun) > limit)
    }

    fn begin(&mut self, now: Instant) -> u64 {
        self.flights = self.flights.wrapping_add(1);
        self.flight = Some(Flight { number: self.flights, begun: now, waiters: Vec::new() });
        self.flights
    }

    fn take_flight(&mut self, number: u64) -> Option<Flight> {
        self.flight.take_if(|flight| flight.number == number)
    }

    fn wait(&mut self) -> Waiter {
        let (teller, waiter) = oneshot::channel();
        if let Some(flight) = &mut self.flight {
            // Callers that went away leave their channels behind; before growing is the time to sweep.
            if flight.waiters.len() == flight.waiters.capacity() {
                flight.waiters.retain(|waiter| !waiter.is_closed());
            }
            flight.waiters.push(teller);
        }
        waiter
    }

    fn fail(&mut self, error: Error, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let until = after(now, rest(self.failures, error.retry()));
        self.failure = Some((error, until));
        self.lost = 0;
    }
}

struct Landed {
    outcome: Outcome,
    waiters: Vec<oneshot::Sender<Outcome>>,
    took: Duration,
}

/// The task of one fetch. It has no link to the caller that started it.
async fn fetch(landing: Landing, request: TokenRequest, begun: Instant, progress: Option<Arc<Progress>>) {
    let limit = landing.fetches.options.fetch_timeout;
    let result = match timeout(limit, landing.fetches.provider.fetch(request.clone())).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::Timeout, format!("the token was not fetched within {limit:?}"))
            .with_sent(Sent::Maybe)
            .with_retry(RetryAdvice::Later)),
    };
    let Some(Landed { outcome, waiters, took }) = landing.fetches.land(landing.number, result, &request)
    else {
        return;
    };
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match &outcome {
        Ok(token) => {
            tracing::debug!(generation = token.generation(), reason = ?request.reason, took_ms, "token fetched");
        }
        Err(error) => {
            tracing::warn!(kind = error.kind().name(), reason = ?request.reason, took_ms, "no token fetched");
        }
    }
    if let Some(progress) = progress {
        let failure = outcome.as_ref().err().map(Error::kind);
        progress.note(|| Event::TokenFetched { failure, took: begun.elapsed() });
    }
    for waiter in waiters {
        // Whoever is gone does not need it.
        let _ = waiter.send(match &outcome {
            Ok(token) => Ok(token.clone()),
            Err(error) => Err(error.duplicate()),
        });
    }
}

/// Clears the flight however its task ends; those who wait then see closed channels, and one of them begins anew.
struct Landing {
    fetches: Arc<Fetches>,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.fetches.lock();
        let Some(flight) = state.take_flight(self.number) else { return };
        state.lost = state.lost.saturating_add(1);
        if state.lost >= LOST_IN_A_ROW {
            let message = "the task that fetches tokens panicked or lost its runtime several times in a row";
            state.fail(Error::new(ErrorKind::Unavailable, message), Instant::now());
        }
        drop(state);
        drop(flight); // wakes the waiters, outside the lock
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::auth::TokenCache;
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Counts fetches and remembers what they were asked for; each takes a second and gives `canary-<n>` for an hour,
    /// unless the script has something else.
    #[derive(Clone, Default)]
    struct Desk(Arc<Mutex<Book>>);

    #[derive(Default)]
    struct Book {
        asked: Vec<TokenRequest>,
        script: VecDeque<Scene>,
    }

    enum Scene {
        Token(Option<Duration>),
        Failure(ErrorKind),
        Panic,
        Silence,
    }

    impl Desk {
        fn new(script: impl IntoIterator<Item = Scene>) -> Self {
            let desk = Self::default();
            desk.0.lock().unwrap().script.extend(script);
            desk
        }

        fn cache(&self) -> TokenCache {
            TokenCache::with_options(self.clone(), TokenOptions::default().with_seed(7))
        }

        fn asked(&self) -> Vec<(TokenReason, u64)> {
            let book = self.0.lock().unwrap();
            book.asked.iter().map(|request| (request.reason, request.generation)).collect()
        }

        fn fetches(&self) -> usize {
            self.0.lock().unwrap().asked.len()
        }
    }

    impl TokenProvider for Desk {
        fn fetch(&self, request: TokenRequest) -> crate::auth::TokenFuture {
            let (number, scene) = {
                let mut book = self.0.lock().unwrap();
                book.asked.push(request);
                (book.asked.len(), book.script.pop_front().unwrap_or(Scene::Token(Some(HOUR))))
            };
            Box::pin(async move {
                sleep(SECOND).await;
                let mut token = Token::new(format!("canary-{number}"));
                match scene {
                    Scene::Token(life) => token.expires_in = life,
                    Scene::Failure(kind) => return Err(Error::new(kind, "no").with_sent(Sent::Yes)),
                    Scene::Panic => panic!("scripted"),
                    Scene::Silence => std::future::pending().await,
                }
                Ok(token)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_callers_share_one_fetch_even_if_the_first_one_goes_away() {
        let desk = Desk::new([Scene::Token(Some(HOUR))]);
        let cache = desk.cache();
        cache.get().await.unwrap();
        advance(HOUR).await;
        let mut callers: Vec<_> = (0..1_000)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.get().await })
            })
            .collect();
        tokio::task::yield_now().await;
        let first = callers.remove(0);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap().value().expose(), "canary-2");
        }
        assert_eq!(desk.asked(), [(TokenReason::First, 0), (TokenReason::Expired, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_whose_only_caller_goes_away_is_kept() {
        let desk = Desk::default();
        let cache = desk.cache();
        timeout(SECOND / 2, cache.get()).await.unwrap_err();
        sleep(SECOND).await;
        assert_eq!(cache.current().unwrap().generation(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_fetched_before_a_future_is_polled() {
        let desk = Desk::default();
        let cache = desk.cache();
        drop(cache.get());
        sleep(SECOND).await;
        assert_eq!(desk.fetches(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_token_is_served_until_its_end_while_a_new_one_is_fetched() {
        let desk = Desk::default();
        let cache = desk.cache();
        assert_eq!(cache.get().await.unwrap().generation(), 1);
        advance(HOUR - 320 * SECOND).await; // due 6 minutes before its end, give or take a tenth
        let begun = Instant::now();
        for _ in 0..100 {
            assert_eq!(cache.get().await.unwrap().generation(), 1);
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        sleep(2 * SECOND).await;
        assert_eq!(cache.get().await.unwrap().generation(), 2);
        assert_eq!(desk.asked(), [(TokenReason::First, 0), (TokenReason::Early, 1)]);
        let previous = desk.0.lock().unwrap().asked[1].previous.clone().unwrap();
        assert_eq!(previous.value.expose(), "canary-1");
    }

    #[tokio::test(start_paused = true)]
    async fn who_needs_a_long_life_waits_for_a_new_token_and_nobody_else_does() {
        let desk = Desk::default();
        let cache = desk.cache();
        cache.get().await.unwrap();
        advance(HOUR / 2).await;
        let need = HOUR * 3 / 4;
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.get_living_for(need).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let begun = Instant::now();
        assert_eq!(cache.get().await.unwrap().generation(), 1);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for caller in callers {
            let token = caller.await.unwrap().unwrap();
            assert!(token.generation() == 2 && token.remaining() >= Some(need));
        }
        assert_eq!(desk.asked(), [(TokenReason::First, 0), (TokenReason::Early, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_that_no_token_has_is_an_error_and_fetches_nothing_more() {
        let desk = Desk::default();
        let cache = desk.cache();
        let error = cache.get_living_for(2 * HOUR).await.unwrap_err();
        assert_eq!((error.kind(), desk.fetches()), (ErrorKind::Config, 1));
        assert!(error.message().contains("ask for less"), "{error}");
        let endless = Desk::new([Scene::Token(None)]);
        assert!(endless.cache().get_living_for(Duration::MAX).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_renewal_hurts_nobody_while_the_old_token_lives() {
        let desk = Desk::new([
            Scene::Token(Some(HOUR)),
            Scene::Failure(ErrorKind::Unavailable),
            Scene::Token(Some(HOUR)),
        ]);
        let cache = desk.cache();
        cache.get().await.unwrap();
        advance(HOUR - 60 * SECOND).await;
        cache.get().await.unwrap();
        sleep(SECOND * 3 / 2).await; // it has failed, and rests
        cache.get().await.unwrap();
        assert_eq!(desk.fetches(), 2);
        sleep(SECOND).await;
        cache.get().await.unwrap();
        sleep(2 * SECOND).await;
        assert_eq!((cache.get().await.unwrap().generation(), desk.fetches()), (2, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_fetch_is_everybodys_error_for_a_second() {
        let desk = Desk::new([Scene::Failure(ErrorKind::Unavailable)]);
        let cache = desk.cache();
        let (one, two) = tokio::join!(cache.get(), cache.get());
        let begun = Instant::now();
        for error in [one.unwrap_err(), two.unwrap_err(), cache.get().await.unwrap_err()] {
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Yes));
        }
        assert_eq!((begun.elapsed(), desk.fetches()), (Duration::ZERO, 1));
        advance(SECOND).await;
        assert_eq!(cache.get().await.unwrap().value().expose(), "canary-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_never_ends_is_given_up_after_its_timeout() {
        let desk = Desk::new([Scene::Silence]);
        let cache = desk.cache();
        let begun = Instant::now();
        assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(begun.elapsed(), 30 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_generation_that_was_refused_is_dropped() {
        let desk = Desk::default();
        let cache = desk.cache();
        let first = cache.get().await.unwrap();
        assert!(cache.invalidate(first.generation()));
        assert!(cache.current().is_none());
        let second = cache.get().await.unwrap();
        assert!(cache.invalidate(first.generation()), "a newer one can be had");
        assert_eq!(cache.get().await.unwrap().generation(), second.generation());
        assert_eq!(desk.asked(), [(TokenReason::First, 0), (TokenReason::Refused, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_replacement_that_is_refused_too_is_not_replaced_at_once() {
        let desk = Desk::default();
        let cache = desk.cache();
        cache.get().await.unwrap();
        cache.invalidate(1);
        let second = cache.get().await.unwrap();
        assert!(!cache.invalidate(2));
        assert_eq!((cache.get().await.unwrap().generation(), desk.fetches()), (2, 2));
        advance(VAIN_REPLACEMENT).await;
        assert!(cache.invalidate(2));
        let third = cache.get().await.unwrap();
        third.set_accepted();
        assert!(cache.invalidate(3), "a token that was accepted before has been revoked since");
        assert_eq!(second.generation(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_panic_one_of_those_who_wait_fetches_again() {
        let desk = Desk::new([Scene::Panic]);
        let cache = desk.cache();
        let callers: Vec<_> = (0..10).map(|_| tokio::spawn(cache.get())).collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap().generation(), 1);
        }
        assert_eq!(desk.fetches(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_always_panics_is_not_asked_for_ever() {
        let desk = Desk::new([Scene::Panic, Scene::Panic, Scene::Panic]);
        let cache = desk.cache();
        let (one, two) = tokio::join!(cache.get(), cache.get());
        assert_eq!(one.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(two.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(desk.fetches(), 3);
        advance(SECOND).await;
        cache.get().await.unwrap();
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    }

    #[test]
    fn a_runtime_that_ends_takes_its_fetch_along_and_no_more() {
        let desk = Desk::new([Scene::Silence]);
        let cache = desk.cache();
        let short = runtime();
        let mut waiting = Box::pin(cache.get());
        short.block_on(async { timeout(SECOND, &mut waiting).await.unwrap_err() });
        drop(short);
        assert_eq!(runtime().block_on(waiting).unwrap().generation(), 1);
        assert_eq!(desk.fetches(), 2);
    }

    #[test]
    fn a_runtime_that_nobody_drives_holds_nobody_up_for_long() {
        let desk = Desk::new([Scene::Silence]);
        let cache = desk.cache();
        let idle = runtime();
        idle.block_on(async { timeout(SECOND, cache.get()).await.unwrap_err() });
        runtime().block_on(async {
            let waiting = tokio::spawn(cache.get());
            sleep(40 * SECOND).await;
            assert_eq!(cache.get().await.unwrap().generation(), 1);
            assert_eq!(waiting.await.unwrap().unwrap().generation(), 1);
        });
        idle.block_on(async { sleep(60 * SECOND).await }); // it comes too late and changes nothing
        assert_eq!((cache.0.lock().generation, desk.fetches()), (1, 2));
    }

    #[test]
    fn outside_a_runtime_there_is_an_error_and_no_panic() {
        let cache = Desk::default().cache();
        let mut get = Box::pin(cache.get());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Err(error)) = get.as_mut().poll(&mut cx) else { panic!("it waits") };
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_no_header_can_carry_is_an_error() {
        for value in ["", " ", "canary\n"] {
            let cache = TokenCache::new(move |_: TokenRequest| async move { Ok(Token::new(value)) });
            let error = cache.get().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(!format!("{error:#} {error:?}").contains("canary"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_already_over_serves_those_who_waited() {
        let desk = Desk::new([Scene::Token(Some(Duration::ZERO))]);
        let cache = desk.cache();
        let (one, two) = tokio::join!(cache.get(), cache.get());
        assert_eq!((one.unwrap().generation(), two.unwrap().generation()), (1, 1));
        assert!(cache.current().is_none());
        assert_eq!(cache.get().await.unwrap().generation(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_went_away_leave_no_channels_behind() {
        let cache = Desk::new([Scene::Silence]).cache();
        let patient = tokio::spawn(cache.get());
        for _ in 0..10_000 {
            assert!(timeout(Duration::ZERO, cache.get()).await.is_err());
        }
        let waiters = cache.0.lock().flight.as_ref().unwrap().waiters.len();
        assert!(waiters < 100, "{waiters}");
        patient.abort();
    }

    /// Rule 10: dropped after every number of polls, a caller takes nothing from the others.
    #[tokio::test(start_paused = true)]
    async fn a_caller_can_go_away_at_any_moment() {
        for polls in 0..4 {
            let desk = Desk::default();
            let cache = desk.cache();
            let mut leaving = Box::pin(cache.get());
            for _ in 0..polls {
                let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(leaving.as_mut().poll(cx))).await;
                sleep(SECOND / 3).await;
            }
            drop(leaving);
            assert_eq!(cache.get().await.unwrap().generation(), 1, "after {polls} polls");
            assert_eq!(desk.fetches(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn debug_shows_no_token() {
        let shown = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&shown);
        let cache = TokenCache::new(move |request: TokenRequest| {
            assert!(!format!("{request:?} {:?}", request.previous).contains("canary"));
            seen.fetch_add(1, Ordering::Relaxed);
            async { Ok(Token::new("canary")) }
        });
        let get = cache.get();
        let token = cache.get().await.unwrap();
        cache.invalidate(1);
        let everything = format!("{cache:?} {get:?} {token:?} {:?} {:?}", token.token(), cache.options());
        cache.get().await.unwrap();
        assert!(!everything.contains("canary"), "{everything}");
        assert_eq!(shown.load(Ordering::Relaxed), 2);
    }
}
