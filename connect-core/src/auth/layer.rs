//! The Auth layer: attaches what proves who sends an attempt, and hears from the answer whether that was accepted.
//!
//! What is attached never reaches a host outside the client's origins, whatever led there. A wait for a token counts
//! against the operation's deadline, which drops this future, and not against the attempt's time-out, which starts
//! below; the fetch itself goes on in its task. A token that cannot be had fails the attempt as
//! [`Sent::No`](crate::Sent::No) with the kind of what went wrong, so that what may pass is tried again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::authorize::Signing;
use super::cache::{CachedToken, GetToken, TokenCache};
use super::credentials::Credentials;
use crate::api::Verdict;
use crate::clock::{Skew, WallClock};
use crate::error::{Error, Sent};
use crate::event::{Cause, Event};
use crate::origins::Origins;
use crate::progress::Progress;
use crate::request::Request;
use crate::response::Response;

/// `Date` has a resolution of one second: a clock found wrong by more is why a signature was refused.
const NOTABLE_SKEW: Duration = Duration::from_secs(1);

/// Puts [`Auth`] round a service.
///
/// Fails to build rather than to send: an unusable credential is found at start-up.
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Shared>);

struct Shared {
    scheme: Scheme,
    origins: Arc<Origins>,
}

/// Credentials, made ready.
enum Scheme {
    Anonymous,
    Fixed(HeaderName, HeaderValue),
    Tokens(TokenCache),
    Signed(Signing),
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl AuthLayer {
    /// These credentials, for these origins.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an empty secret, one that no header can carry, or a token
    /// cache that allows no time to fetch.
    pub fn new(credentials: &Credentials, origins: Arc<Origins>) -> Result<Self, Error> {
        let scheme = match (credentials, credentials.header()?) {
            (Credentials::Tokens(cache), _) => {
                cache.check()?;
                Scheme::Tokens(cache.clone())
            }
            (Credentials::Signed(signing), _) => Scheme::Signed(signing.clone()),
            (_, Some((name, value))) => Scheme::Fixed(name, value),
            (_, None) => Scheme::Anonymous,
        };
        Ok(Self(Arc::new(Shared { scheme, origins })))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, shared: Arc::clone(&self.0) }
    }
}

impl Shared {
    fn owns(&self, request: &Request) -> bool {
        request.url().is_some_and(|url| self.origins.contains(url))
    }

    /// Who learns the provider's clock from the answers, and by which clock of ours.
    fn skew(&self) -> Option<(&Skew, &dyn WallClock)> {
        match &self.scheme {
            Scheme::Signed(signing) => Some((signing.skew(), signing.clock())),
            Scheme::Tokens(cache) => cache.options().measure(),
            Scheme::Anonymous | Scheme::Fixed(..) => None,
        }
    }

    /// Learns from the answer to a request that carried a token or a signature, and asks for another attempt where a
    /// newer token, or a better clock, promises more.
    fn hear(&self, response: &Response, watch: &Watch) {
        let moved = match (self.skew(), watch.sent) {
            (Some((skew, clock)), Some(sent)) => skew.learn(response.headers(), sent.elapsed(), clock.now()),
            _ => Duration::ZERO,
        };
        let refused = response.verdict() == Some(Verdict::Unauthenticated);
        let is_worth_another = match (&self.scheme, &watch.token) {
            (Scheme::Tokens(cache), Some(token)) if refused => match cache.settles_in(token) {
                Some(pause) => {
                    watch.progress.set_token_settling(pause);
                    false
                }
                None => cache.invalidate(token.generation()),
            },
            (Scheme::Tokens(_), Some(token)) => {
                if response.verdict() == Some(Verdict::Success) {
                    token.set_accepted();
                }
                false
            }
            _ => refused && moved > NOTABLE_SKEW,
        };
        if is_worth_another {
            watch.progress.set_token_refused();
        }
    }
}

/// Attaches the credential to each attempt.
///
/// See the [module](super) for where it never goes.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for Auth<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    type Response = Response;
    type Error = Error;
    type Future = AuthFuture<S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> AuthFuture<S> {
        let state = match &self.shared.scheme {
            Scheme::Fixed(name, value) if self.shared.owns(&request) => {
                request.set_credential(name.clone(), value.clone());
                State::Running { running: self.inner.call(request), watch: None }
            }
            Scheme::Tokens(cache) if self.shared.owns(&request) => match cache.fresh() {
                Some(token) => {
                    let watch = Watch::attach(&self.shared, &mut request, token);
                    State::Running { running: self.inner.call(request), watch: Some(watch) }
                }
                None => {
                    let get = cache.get_for(request.context().progress());
                    let spare = self.inner.clone();
                    // The ready instance makes the call; the clone, which was never polled ready, stays behind.
                    let service = std::mem::replace(&mut self.inner, spare);
                    let shared = Arc::clone(&self.shared);
                    // Boxed, so that whoever needs not wait carries nothing along.
                    let fetching = Box::new(Fetching { service, request, get, shared, begun: None });
                    State::Fetching { fetching: Some(fetching) }
                }
            },
            Scheme::Signed(signing) if self.shared.owns(&request) => match signing.sign(&mut request) {
                Ok(()) => {
                    let watch = Watch::new(&self.shared, &request, None);
                    State::Running { running: self.inner.call(request), watch: Some(watch) }
                }
                Err(error) => State::Failed { error: Some(error.with_sent(Sent::No)) },
            },
            _ => State::Running { running: self.inner.call(request), watch: None },
        };
        AuthFuture { state }
    }
}

/// A request that waits for its token.
struct Fetching<S> {
    service: S,
    request: Request,
    get: GetToken,
    shared: Arc<Shared>,
    /// Since when it really waits.
    begun: Option<Instant>,
}

impl<S> Fetching<S> {
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<CachedToken, Error>> {
        let context = self.request.context();
        let Poll::Ready(outcome) = Pin::new(&mut self.get).poll(cx) else {
            if self.begun.is_none() {
                self.begun = Some(Instant::now());
                context.note(|| Event::Waiting { cause: Cause::Token, planned: None });
            }
            return Poll::Pending;
        };
        if let Some(begun) = self.begun.take() {
            context.note(|| Event::Waited { cause: Cause::Token, took: begun.elapsed() });
        }
        // Whatever became of the fetch: this request was not sent.
        Poll::Ready(outcome.map_err(|error| error.in_context("no token could be had").with_sent(Sent::No)))
    }
}

/// What the answer is held against.
struct Watch {
    shared: Arc<Shared>,
    progress: Arc<Progress>,
    /// When it was sent, if somebody learns the provider's clock.
    sent: Option<Instant>,
    /// `None` for a signature.
    token: Option<CachedToken>,
}

impl Watch {
    fn new(shared: &Arc<Shared>, request: &Request, token: Option<CachedToken>) -> Self {
        Self {
            shared: Arc::clone(shared),
            progress: Arc::clone(request.context().progress()),
            sent: shared.skew().map(|_| Instant::now()),
            token,
        }
    }

    fn attach(shared: &Arc<Shared>, request: &mut Request, token: CachedToken) -> Self {
        request.set_credential(AUTHORIZATION, token.header().clone());
        Self::new(shared, request, Some(token))
    }
}

pin_project! {
    /// The future of [`Auth`].
    pub struct AuthFuture<S>
    where
        S: Service<Request>,
    {
        #[pin]
        state: State<S::Future, S>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S> {
        Running { #[pin] running: F, watch: Option<Watch> },
        Fetching { fetching: Option<Box<Fetching<S>>> },
        Failed { error: Option<Error> },
    }
}

impl<S> Future for AuthFuture<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Running { running, watch } => {
                    let result = ready!(running.poll(cx));
                    if let (Some(watch), Ok(response)) = (watch, &result) {
                        watch.shared.hear(response, watch);
                    }
                    return Poll::Ready(result);
                }
                StateProjection::Fetching { fetching } => {
                    let Some(waiting) = fetching else { return Poll::Pending }; // polled after completion
                    let outcome = ready!(waiting.poll(cx));
                    let Some(waiting) = fetching.take() else { return Poll::Pending };
                    let token = match outcome {
                        Ok(token) => token,
                        Err(error) => return Poll::Ready(Err(error)),
                    };
                    let Fetching { mut service, mut request, shared, .. } = *waiting;
                    let watch = Some(Watch::attach(&shared, &mut request, token));
                    let running = service.call(request);
                    state.set(State::Running { running, watch });
                }
                StateProjection::Failed { error } => {
                    return match error.take() {
                        Some(error) => Poll::Ready(Err(error)),
                        None => Poll::Pending, // polled after completion
                    };
                }
            }
        }
    }
}

impl<S: Service<Request>> fmt::Debug for AuthFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::SystemTime;

    use super::*;
    use crate::auth::{Authorize, Token, TokenOptions, TokenRequest, Unsigned};
    use crate::error::ErrorKind;
    use crate::observe::Scope;
    use crate::operation::Operation;
    use http::{HeaderMap, Method, StatusCode};
    use tokio::time::sleep;
    use tower::ServiceExt;
    use url::Url;

    const OWN: &str = "https://api.example.com/reports";

    /// Answers with what the test says, and remembers the credentials.
    #[derive(Clone)]
    struct Wire {
        answer: fn() -> Response,
        seen: Arc<Mutex<Vec<String>>>,
    }

    impl Wire {
        fn new(answer: fn() -> Response) -> Self {
            Self { answer, seen: Arc::default() }
        }

        fn seen(&self) -> Vec<String> {
            self.seen.lock().unwrap().clone()
        }
    }

    impl Service<Request> for Wire {
        type Response = Response;
        type Error = Error;
        type Future = std::future::Ready<Result<Response, Error>>;

        fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request) -> Self::Future {
            let credential = request.credential().map_or("-", |(_, value)| value.to_str().unwrap());
            self.seen.lock().unwrap().push(credential.to_owned());
            std::future::ready(Ok((self.answer)()))
        }
    }

    fn answer(status: StatusCode, verdict: Verdict) -> Response {
        Response::new(status, HeaderMap::new(), "").with_verdict(verdict)
    }

    fn accepted() -> Response {
        answer(StatusCode::OK, Verdict::Success)
    }

    fn refused() -> Response {
        answer(StatusCode::UNAUTHORIZED, Verdict::Unauthenticated)
    }

    fn cache() -> TokenCache {
        let provider = |request: TokenRequest| async move {
            sleep(Duration::from_secs(1)).await;
            Ok(Token::new(format!("token-{}", request.generation + 1)))
        };
        TokenCache::with_options(provider, TokenOptions::default().with_seed(7))
    }

    fn auth(credentials: &Credentials, wire: &Wire) -> Auth<Wire> {
        let origins = Arc::new(Origins::new("https://api.example.com").unwrap());
        AuthLayer::new(credentials, origins).unwrap().layer(wire.clone())
    }

    fn request() -> (Request, Arc<Progress>) {
        let operation = Operation::raw("report", Method::POST, "/");
        let request = Request::builder(&operation).build().unwrap();
        let mut request = request.at(Url::parse(OWN).unwrap()).unwrap();
        let progress = Arc::new(Progress::watched(Scope::default(), None, true));
        request.context_mut().set_progress(Arc::clone(&progress));
        (request, progress)
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_token_is_told_and_having_one_is_not() {
        let (wire, cache) = (Wire::new(accepted), cache());
        let auth = auth(&Credentials::tokens(cache), &wire);
        let (first, told) = request();
        auth.clone().oneshot(first).await.unwrap();
        let second = Duration::from_secs(1);
        let events = [
            (Duration::ZERO, Event::Waiting { cause: Cause::Token, planned: None }),
            (second, Event::TokenFetched { failure: None, took: second }),
            (second, Event::Waited { cause: Cause::Token, took: second }),
        ];
        assert_eq!(told.take_trace(), events);
        let (next, told) = request();
        auth.oneshot(next).await.unwrap();
        assert_eq!(told.take_trace(), []);
        assert_eq!(wire.seen(), ["Bearer token-1", "Bearer token-1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_reported_once_per_operation() {
        let wire = Wire::new(refused);
        let auth = auth(&Credentials::tokens(cache()), &wire);
        let (first, progress) = request();
        let replay = first.replay().unwrap();
        assert_eq!(auth.clone().oneshot(first).await.unwrap().status(), StatusCode::UNAUTHORIZED);
        assert!(progress.take_token_refused());
        auth.oneshot(replay).await.unwrap();
        assert!(!progress.take_token_refused());
        assert_eq!(wire.seen(), ["Bearer token-1", "Bearer token-2"]);
        let told = progress.take_trace();
        assert_eq!(told.iter().filter(|(_, event)| *event == Event::TokenRefused).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_refusal_of_an_older_token_spares_the_newer_one_and_is_reported_all_the_same() {
        let (wire, cache) = (Wire::new(refused), cache());
        let auth = auth(&Credentials::tokens(cache.clone()), &wire);
        let (mut slow, progress) = request();
        let watch = Watch::attach(&auth.shared, &mut slow, cache.get().await.unwrap());
        cache.invalidate(1); // somebody else is refused while this one is under way
        cache.get().await.unwrap();
        auth.shared.hear(&refused(), &watch);
        assert_eq!(cache.current().unwrap().generation(), 2);
        assert!(progress.take_token_refused());
    }

    #[tokio::test(start_paused = true)]
    async fn fixed_credentials_that_are_refused_are_not_sent_again() {
        for credentials in [Credentials::bearer("canary"), Credentials::Anonymous] {
            let (request, progress) = request();
            auth(&credentials, &Wire::new(refused)).oneshot(request).await.unwrap();
            assert!(!progress.take_token_refused());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_token_nothing_is_sent_and_the_error_keeps_its_kind() {
        for kind in [ErrorKind::Unavailable, ErrorKind::Auth] {
            let provider = move |_: TokenRequest| async move {
                Err(Error::new(kind, "the token endpoint said no").with_sent(Sent::Yes))
            };
            let wire = Wire::new(accepted);
            let auth = auth(&Credentials::tokens(TokenCache::new(provider)), &wire);
            let (request, progress) = request();
            let error = auth.oneshot(request).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (kind, Sent::No));
            assert_eq!(error.message(), "no token could be had: the token endpoint said no");
            assert!(wire.seen().is_empty());
            let told = progress.take_trace();
            assert!(told.iter().any(|(_, event)| matches!(
                event,
                Event::TokenFetched { failure: Some(failure), .. } if *failure == kind
            )));
        }
    }

    struct Clocked;

    impl Authorize for Clocked {
        fn authorize(&self, request: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
            let seconds = request.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            Ok(vec![(AUTHORIZATION, HeaderValue::from(seconds))])
        }
    }

    fn refused_by_date() -> Response {
        let mut response = refused();
        let date = HeaderValue::from_static("Thu, 01 Jan 1970 00:10:00 GMT");
        response.headers_mut().insert(http::header::DATE, date);
        response
    }

    #[tokio::test(start_paused = true)]
    async fn a_signature_refused_for_our_wrong_clock_is_made_again_by_theirs() {
        let wire = Wire::new(refused_by_date);
        let five_minutes_late = || SystemTime::UNIX_EPOCH + Duration::from_secs(300);
        let signing = Signing::new(Clocked).with_clock(five_minutes_late);
        let auth = auth(&Credentials::Signed(signing), &wire);
        let (first, progress) = request();
        let replay = first.replay().unwrap();
        auth.clone().oneshot(first).await.unwrap();
        assert!(progress.take_token_refused());
        auth.clone().oneshot(replay).await.unwrap();
        assert_eq!(wire.seen(), ["300", "600"]);
        let (another, progress) = request();
        auth.oneshot(another).await.unwrap();
        assert!(!progress.take_token_refused(), "the clock is right now, so the key is wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_right_is_no_reason_to_sign_again() {
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_millis(600_400);
        let (request, progress) = request();
        let credentials = Credentials::Signed(Signing::new(Clocked).with_clock(clock));
        auth(&credentials, &Wire::new(refused_by_date)).oneshot(request).await.unwrap();
        assert!(!progress.take_token_refused());
    }

    #[tokio::test(start_paused = true)]
    async fn makers_of_signed_tokens_hear_of_the_providers_clock() {
        let skew = Skew::default();
        let options = TokenOptions::default().with_skew(skew.clone());
        let provider = |_: TokenRequest| async { Ok(Token::new("canary")) };
        let cache = TokenCache::with_options(provider, options);
        let (request, _) = request();
        auth(&Credentials::tokens(cache), &Wire::new(refused_by_date)).oneshot(request).await.unwrap();
        assert!(skew.millis() < -1_000_000_000, "the answer is of 1970: {skew:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_providers_clock_is_compared_with_the_one_that_signs() {
        let skew = Skew::default();
        let five_minutes_late = || SystemTime::UNIX_EPOCH + Duration::from_secs(300);
        let options = TokenOptions::default().with_skew(skew.clone()).with_clock(five_minutes_late);
        let provider = |_: TokenRequest| async { Ok(Token::new("canary")) };
        let cache = TokenCache::with_options(provider, options);
        let (request, _) = request();
        auth(&Credentials::tokens(cache), &Wire::new(refused_by_date)).oneshot(request).await.unwrap();
        assert!((300_000..=301_000).contains(&skew.millis()), "{skew:?}");
    }

    #[test]
    fn whoever_needs_not_wait_carries_little_along() {
        assert!(size_of::<AuthFuture<Wire>>() <= size_of::<<Wire as Service<Request>>::Future>() + 48);
    }

    #[test]
    fn no_time_to_fetch_is_found_at_build_time() {
        let provider = |_: TokenRequest| async { Ok(Token::new("canary")) };
        let options = TokenOptions::default().with_fetch_timeout(Duration::ZERO);
        let credentials = Credentials::tokens(TokenCache::with_options(provider, options));
        let origins = Arc::new(Origins::new("https://api.example.com").unwrap());
        assert_eq!(AuthLayer::new(&credentials, origins).unwrap_err().kind(), ErrorKind::Config);
    }
}
