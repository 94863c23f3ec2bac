//! Follows redirects, which no transport here does: where a request goes decides what it may carry.
//!
//! The rules are one pure function, [`decide`]:
//!
//! | the answer | to a read (GET, HEAD) | to anything else |
//! |---|---|---|
//! | 301, 302 | followed | returned: clients differ over the method, so a write must not depend on it |
//! | 303 | followed | followed by a GET without the body (RFC 9110, 15.4.4) |
//! | 307, 308 | followed | the same once more, on the client's own origins and with a body that can be sent again |
//!
//! The credential stays on the client's own [`Origins`] and is gone after the first step off them, together with
//! whatever else is marked sensitive. A step from https to plain http is an error, and so are a circle and more than
//! ten steps. A `Location` that leads nowhere leaves the answer as it is.
//!
//! What a foreign host answers says nothing about this client's token or allowance: its 401 is a refusal, and its 429 a
//! failure of its own. And once a write was answered 303 it is done: whatever happens to the GET that follows, nothing
//! here sends the write again.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::header::LOCATION;
use http::{Method, StatusCode};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use url::Url;

use crate::api::Verdict;
use crate::error::{Error, ErrorKind, Sent};
use crate::event::Event;
use crate::origins::Origins;
use crate::request::Request;
use crate::response::Response;

/// Steps that are followed for one attempt. Browsers allow twenty; an API needs one or two.
pub const MOST_STEPS: usize = 10;

/// What a request carries beside its head.
///
/// Three kinds, because a body that is gone cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// No body.
    Nothing,
    /// A body that can be sent again.
    Replayable,
    /// A body that was sent and is gone.
    Spent,
}

/// What to do about an answer.
///
/// `Follow` is a step; the others end the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is no redirect, or one that is not followed: hand it up as it is.
    Return,
    /// Ask there.
    Follow {
        /// Where: absolute, without user name, password and fragment.
        url: Url,
        /// By a GET without the body, whatever it was before.
        by_get: bool,
        /// Is it one of the client's own origins?
        own_origin: bool,
    },
    /// Give up with an error that says this.
    Refuse(&'static str),
}

/// Decides about one answer. `visited` are the addresses asked so far for this attempt, the present one last.
///
/// ```
/// use connect_core::redirect::{Decision, Payload, decide};
/// use connect_core::{Method, Origins, StatusCode, Url};
/// let origins = Origins::new("https://api.example.com")?;
/// let visited = [Url::parse("https://api.example.com/old?page=2").unwrap()];
/// let decision = decide(StatusCode::FOUND, Some(b"/new"), &Method::GET, Payload::Nothing, &visited, &origins);
/// let url = Url::parse("https://api.example.com/new").unwrap();
/// assert_eq!(decision, Decision::Follow { url, by_get: false, own_origin: true });
/// # Ok::<(), connect_core::Error>(())
/// ```
pub fn decide(
    status: StatusCode,
    location: Option<&[u8]>,
    method: &Method,
    payload: Payload,
    visited: &[Url],
    origins: &Origins,
) -> Decision {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let by_get = match status.as_u16() {
        301 | 302 if reads => false,
        303 => !reads,
        307 | 308 => false,
        _ => return Decision::Return,
    };
    let Some(from) = visited.last() else { return Decision::Return };
    let Some(url) = location.and_then(|location| target(from, location)) else { return Decision::Return };
    let own_origin = origins.contains(&url);
    let follows = by_get
        || match payload {
            Payload::Nothing => reads || own_origin,
            Payload::Replayable => own_origin,
            Payload::Spent => false,
        };
    if !follows {
        return Decision::Return;
    }
    if from.scheme() == "https" && url.scheme() == "http" && !own_origin {
        return Decision::Refuse("the provider redirects from https to plain http");
    }
    // Asking the same address again is a circle, unless a write ends in a look at its own address.
    if !by_get && visited.contains(&url) {
        return Decision::Refuse("the provider redirects in a circle");
    }
    if visited.len() > MOST_STEPS {
        return Decision::Refuse("the provider redirects more than ten times");
    }
    Decision::Follow { url, by_get, own_origin }
}

/// The address that a `Location` means, relative ones included (RFC 9110, 10.2.2).
fn target(from: &Url, location: &[u8]) -> Option<Url> {
    let mut url = from.join(std::str::from_utf8(location).ok()?).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    // A user name in the address would become a credential of the next request.
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// Puts [`Redirect`] round a service.
///
/// Sits between Auth, which attaches the credential, and AttemptTimeout, which every step gets anew.
#[derive(Clone, Debug)]
pub struct RedirectLayer(Arc<Origins>);

impl RedirectLayer {
    /// Credentials and writes stay on these origins.
    pub fn new(origins: Arc<Origins>) -> Self {
        Self(origins)
    }
}

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirect<S>;

    fn layer(&self, inner: S) -> Redirect<S> {
        Redirect { inner, origins: Arc::clone(&self.0) }
    }
}

/// Follows redirects.
///
/// A thin shell: [`decide`] has the rules.
#[derive(Clone, Debug)]
pub struct Redirect<S> {
    inner: S,
    origins: Arc<Origins>,
}

impl<S> Service<Request> for Redirect<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    type Response = Response;
    type Error = Error;
    type Future = RedirectFuture<S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> RedirectFuture<S> {
        let spare = self.inner.clone();
        // The ready instance makes the call; the clone, which was never polled ready, stays behind.
        let mut service = std::mem::replace(&mut self.inner, spare);
        let way = Way::new(&request, Arc::clone(&self.origins));
        RedirectFuture { state: State::Running { running: service.call(request) }, service, way }
    }
}

/// The steps of one attempt.
struct Way {
    /// The request as it was sent last, but for a body that is spent.
    sent: Request,
    payload: Payload,
    origins: Arc<Origins>,
    visited: Vec<Url>,
    /// Was a step off the client's own origins taken?
    foreign: bool,
    /// Was a write answered with the address of its result?
    written: bool,
}

impl Way {
    fn new(request: &Request, origins: Arc<Origins>) -> Self {
        let (sent, whole) = request.duplicate();
        let payload = match (whole, sent.body().content_length()) {
            (false, _) => Payload::Spent,
            (true, Some(0)) => Payload::Nothing,
            (true, _) => Payload::Replayable,
        };
        Self { sent, payload, origins, visited: Vec::new(), foreign: false, written: false }
    }

    /// The next request, or what the attempt comes to.
    fn after(&mut self, result: Result<Response, Error>) -> ControlFlow<Result<Response, Error>, Request> {
        let response = match result {
            Ok(response)
                if response.status().is_redirection() && response.headers().contains_key(LOCATION) =>
            {
                response
            }
            result => return ControlFlow::Break(self.end(result)),
        };
        if self.visited.is_empty() {
            self.visited.extend(self.sent.url().cloned());
        }
        let status = response.status();
        let location = response.headers().get(LOCATION).map(http::HeaderValue::as_bytes);
        match decide(status, location, self.sent.method(), self.payload, &self.visited, &self.origins) {
            Decision::Return => ControlFlow::Break(self.end(Ok(response))),
            Decision::Refuse(why) => {
                let error = Error::new(ErrorKind::Unsupported, why).with_status(status).with_sent(Sent::Yes);
                ControlFlow::Break(self.end(Err(error)))
            }
            Decision::Follow { url, by_get, own_origin } => {
                self.foreign |= !own_origin;
                if by_get {
                    self.written = true;
                    self.payload = Payload::Nothing;
                }
                self.visited.push(url.clone());
                self.sent.redirect(url, by_get, !self.foreign);
                let own_origin = !self.foreign;
                self.sent.context().note(|| Event::Redirected { status, own_origin });
                ControlFlow::Continue(self.sent.duplicate().0)
            }
        }
    }

    /// What the last answer means for the request that was sent first.
    fn end(&self, result: Result<Response, Error>) -> Result<Response, Error> {
        if !self.written && !self.foreign {
            return result;
        }
        match result {
            Err(error) if self.written => Err(error.with_sent(Sent::Maybe)),
            Err(error) => Err(error),
            Ok(response) => match response.verdict() {
                Some(Verdict::Success) | None => Ok(response),
                Some(_) if self.written => Err(Error::new(
                    ErrorKind::Unavailable,
                    "the provider took the request, but what it redirects to cannot be read",
                )
                .with_status(response.status())
                .with_sent(Sent::Maybe)),
                Some(Verdict::Unauthenticated) => Ok(response.with_verdict(Verdict::Refused)),
                Some(Verdict::RateLimited { retry_after }) => {
                    Ok(response.with_verdict(Verdict::Transient { retry_after }))
                }
                Some(Verdict::Refused | Verdict::Transient { .. }) => Ok(response),
            },
        }
    }
}

pin_project! {
    /// The future of [`Redirect`].
    pub struct RedirectFuture<S: Service<Request>> {
        service: S,
        way: Way,
        #[pin]
        state: State<S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] running: F },
        Next { request: Option<Request> },
    }
}

impl<S> Future for RedirectFuture<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Running { running } => match this.way.after(ready!(running.poll(cx))) {
                    ControlFlow::Continue(next) => this.state.set(State::Next { request: Some(next) }),
                    ControlFlow::Break(result) => return Poll::Ready(result),
                },
                StateProjection::Next { request } => {
                    if let Err(error) = ready!(this.service.poll_ready(cx)) {
                        return Poll::Ready(this.way.end(Err(error)));
                    }
                    let Some(request) = request.take() else { return Poll::Pending };
                    let running = this.service.call(request);
                    this.state.set(State::Running { running });
                }
            }
        }
    }
}

impl<S: Service<Request>> std::fmt::Debug for RedirectFuture<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedirectFuture")
            .field("steps", &self.way.visited.len().saturating_sub(1))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "https://api.example.com/a/b?x=1";

    fn origins() -> Origins {
        Origins::new("https://api.example.com")
            .unwrap()
            .with(crate::Origin::Files, "http://127.0.0.1:9000")
            .unwrap()
    }

    fn decision(status: u16, location: &str, method: Method, payload: Payload) -> Decision {
        let visited = [Url::parse(FROM).unwrap()];
        let status = StatusCode::from_u16(status).unwrap();
        decide(status, Some(location.as_bytes()), &method, payload, &visited, &origins())
    }

    /// `get` or `same`, and `own` or `foreign`; or why not.
    fn word(decision: &Decision) -> &'static str {
        match decision {
            Decision::Return => "return",
            Decision::Refuse(_) => "refuse",
            Decision::Follow { by_get: true, own_origin: true, .. } => "get own",
            Decision::Follow { by_get: true, own_origin: false, .. } => "get foreign",
            Decision::Follow { by_get: false, own_origin: true, .. } => "same own",
            Decision::Follow { by_get: false, own_origin: false, .. } => "same foreign",
        }
    }

    #[test]
    fn status_method_body_and_origin_decide() {
        use Payload::{Nothing, Replayable, Spent};
        let (get, head, post, delete) = (Method::GET, Method::HEAD, Method::POST, Method::DELETE);
        const OWN: &str = "https://api.example.com/new";
        const FOREIGN: &str = "https://files.example.net/new";
        let cases = [
            (301, &get, Nothing, "same own", "same foreign"),
            (302, &get, Nothing, "same own", "same foreign"),
            (303, &get, Nothing, "same own", "same foreign"),
            (307, &head, Nothing, "same own", "same foreign"),
            (308, &get, Nothing, "same own", "same foreign"),
            (308, &get, Replayable, "same own", "return"),
            (301, &post, Replayable, "return", "return"),
            (302, &delete, Nothing, "return", "return"),
            (303, &post, Spent, "get own", "get foreign"),
            (307, &post, Replayable, "same own", "return"),
            (308, &delete, Nothing, "same own", "return"),
            (307, &post, Spent, "return", "return"),
            (300, &get, Nothing, "return", "return"),
            (304, &get, Nothing, "return", "return"),
            (305, &get, Nothing, "return", "return"),
            (200, &get, Nothing, "return", "return"),
        ];
        for (status, method, payload, own, foreign) in cases {
            let at = |location| decision(status, location, method.clone(), payload);
            assert_eq!(word(&at(OWN)), own, "{status} {method} {payload:?} own");
            assert_eq!(word(&at(FOREIGN)), foreign, "{status} {method} {payload:?} foreign");
        }
    }

    #[test]
    fn a_location_is_read_relative_and_without_what_must_not_travel() {
        let cases = [
            ("/new", "https://api.example.com/new"),
            ("new?y=2", "https://api.example.com/a/new?y=2"),
            ("?y=2", "https://api.example.com/a/b?y=2"),
            ("//other.example/x", "https://other.example/x"),
            ("https://me:canary@other.example/x#part", "https://other.example/x"),
            ("/\u{fc}", "https://api.example.com/%C3%BC"),
        ];
        for (location, expected) in cases {
            let Decision::Follow { url, .. } = decision(302, location, Method::GET, Payload::Nothing) else {
                panic!("{location} is not followed");
            };
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn a_location_that_leads_nowhere_leaves_the_answer_as_it_is() {
        for location in ["http://", "https://[::1", "ftp://a.example/", "javascript:1", "mailto:a@b.example"]
        {
            let decision = decision(302, location, Method::GET, Payload::Nothing);
            assert_eq!(decision, Decision::Return, "{location}");
        }
        let visited = [Url::parse(FROM).unwrap()];
        for location in [None, Some(&b"\xff\xfe"[..])] {
            let decision =
                decide(StatusCode::FOUND, location, &Method::GET, Payload::Nothing, &visited, &origins());
            assert_eq!(decision, Decision::Return);
        }
    }

    #[test]
    fn plain_http_is_refused_but_on_the_clients_own_loopback() {
        let at = |location| decision(302, location, Method::GET, Payload::Nothing);
        for location in ["http://api.example.com/new", "http://evil.example/", "http://127.0.0.1:9001/"] {
            assert_eq!(word(&at(location)), "refuse", "{location}");
        }
        assert_eq!(word(&at("http://127.0.0.1:9000/file")), "same own");
    }

    #[test]
    fn circles_and_long_ways_are_refused() {
        let at = |location| decision(302, location, Method::GET, Payload::Nothing);
        assert_eq!(at(FROM), Decision::Refuse("the provider redirects in a circle"));
        // A write that ends at its own address asks it by another method.
        assert_eq!(word(&decision(303, FROM, Method::POST, Payload::Replayable)), "get own");
        let url = |step| Url::parse(&format!("https://api.example.com/{step}")).unwrap();
        let way = |steps| (0..=steps).map(url).collect::<Vec<_>>();
        let next = |visited: &[Url]| {
            decide(StatusCode::FOUND, Some(b"/new"), &Method::GET, Payload::Nothing, visited, &origins())
        };
        assert_eq!(word(&next(&way(MOST_STEPS - 1))), "same own");
        assert_eq!(next(&way(MOST_STEPS)), Decision::Refuse("the provider redirects more than ten times"));
    }
}
