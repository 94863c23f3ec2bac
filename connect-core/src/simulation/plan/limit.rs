//! The limits of a simulated provider: how they count, what they count, and how they refuse.

use std::borrow::Cow;
use std::time::Duration;

use http::Method;

use crate::request::Request;

/// One limit of a provider.
///
/// Made by [`Limit::fixed`], [`Limit::sliding`] or [`Limit::concurrent`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Its name; the value of `x-ratelimit-resource`.
    pub name: Cow<'static, str>,
    /// How it counts.
    pub shape: Shape,
    /// What it counts.
    pub counting: Counting,
    /// What an operation draws from it, where that is not 1.
    pub costs: Vec<(Cow<'static, str>, u64)>,
    /// The status of its refusals: 429, or 403 as GitHub does.
    pub refusal: u16,
    /// What its refusals say in `Retry-After`.
    pub hint: Hint,
    /// Do answers carry its `x-ratelimit-*` headers? Of several, the first that counts the request shows.
    pub shows: bool,
}

impl Limit {
    /// So many in each window; then the window ends and everything is allowed again. Shows headers; its refusals carry
    /// no `Retry-After`, because the reset says it (GitHub's primary limit,
    /// <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
    pub fn fixed(name: impl Into<Cow<'static, str>>, limit: u64, window: Duration) -> Self {
        let shape = Shape::Fixed { limit, window, elapsed: Duration::ZERO };
        Self { shows: true, hint: Hint::None, ..Self::new(name, shape) }
    }

    /// So many in any stretch of this length. Shows no headers; its refusals carry `Retry-After`.
    pub fn sliding(name: impl Into<Cow<'static, str>>, limit: u64, window: Duration) -> Self {
        Self::new(name, Shape::Sliding { limit, window })
    }

    /// So many at a time. Shows no headers; its refusals say a minute, as GitHub's secondary limits do.
    pub fn concurrent(name: impl Into<Cow<'static, str>>, limit: u64) -> Self {
        let hint = Hint::Always(Duration::from_secs(60));
        Self { hint, ..Self::new(name, Shape::Concurrent { limit }) }
    }

    fn new(name: impl Into<Cow<'static, str>>, shape: Shape) -> Self {
        let name = name.into();
        Self {
            name,
            shape,
            counting: Counting::All,
            costs: Vec::new(),
            refusal: 429,
            hint: Hint::Exact,
            shows: false,
        }
    }

    /// Sets what it counts.
    #[must_use]
    pub fn counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        self
    }

    /// Says that an operation draws another number than 1, as points do.
    #[must_use]
    pub fn with_cost(mut self, operation: impl Into<Cow<'static, str>>, cost: u64) -> Self {
        self.costs.push((operation.into(), cost));
        self
    }

    /// Sets the status of its refusals.
    #[must_use]
    pub fn refused_with(mut self, status: u16) -> Self {
        self.refusal = status;
        self
    }

    /// Sets what its refusals say in `Retry-After`.
    #[must_use]
    pub fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = hint;
        self
    }

    /// Shows or hides its headers.
    #[must_use]
    pub fn showing(mut self, shows: bool) -> Self {
        self.shows = shows;
        self
    }

    /// For a fixed window: how much of the first one has passed when the simulation begins.
    #[must_use]
    pub fn elapsed(mut self, passed: Duration) -> Self {
        if let Shape::Fixed { elapsed, .. } = &mut self.shape {
            *elapsed = passed;
        }
        self
    }

    /// What a request draws from it; `None` if it does not count the request.
    pub(in crate::simulation) fn draw(&self, request: &Request) -> Option<u64> {
        let operation = &request.operation().name;
        let cost = self.costs.iter().find(|(name, _)| name == operation).map_or(1, |(_, cost)| *cost);
        self.counting.counts(request).then_some(cost)
    }
}

/// How a [`Limit`] counts.
///
/// Three, because each of them needs another strategy of the client.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Windows one after the other.
    Fixed {
        /// The allowance of a window.
        limit: u64,
        /// Its length.
        window: Duration,
        /// How much of the first one has passed when the simulation begins.
        elapsed: Duration,
    },
    /// Any stretch of time.
    Sliding {
        /// The allowance of a stretch.
        limit: u64,
        /// Its length.
        window: Duration,
    },
    /// At a time, from a request's arrival until its answer leaves.
    Concurrent {
        /// The most.
        limit: u64,
    },
}

/// What a [`Limit`] counts.
///
/// As data, so that a plan can be printed.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Every request.
    #[default]
    All,
    /// Everything but GET, HEAD and OPTIONS.
    Writes,
    /// The operation of this name.
    Operation(Cow<'static, str>),
    /// Paths that begin like this.
    Prefix(Cow<'static, str>),
}

impl Counting {
    fn counts(&self, request: &Request) -> bool {
        match self {
            Self::All => true,
            Self::Writes => is_write(request.method()),
            Self::Operation(name) => request.operation().name == *name,
            Self::Prefix(prefix) => request.path_and_query().starts_with(&**prefix),
        }
    }
}

pub(in crate::simulation) fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What a refusal says in `Retry-After`.
///
/// Providers differ, and some say nothing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nothing.
    None,
    /// When there is room again, in whole seconds, rounded up.
    Exact,
    /// Always the same.
    Always(Duration),
}
