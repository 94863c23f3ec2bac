//! What a call draws on: buckets, how much, and by which rule each of them fills up again.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The most buckets that one call draws on. GitHub's writes need five: the hourly limit, points, what is created in an hour,
/// and two distances.
pub(crate) const MOST_DRAWS: usize = 5;

/// One allowance of an account: by name, and by part where each channel, repository or issue has one of its own.
///
/// The name alone is shown in metrics and reports, because parts are many and may be private.
///
/// ```
/// use connect_core::quota::Bucket;
/// let core = Bucket::new("core");
/// let posts = Bucket::new("chat.postMessage").part("C0123456789");
/// assert_eq!((core.name(), posts.name()), ("core", "chat.postMessage"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    name: Cow<'static, str>,
    part: Option<Box<str>>,
}

impl Bucket {
    /// A bucket of the whole account.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), part: None }
    }

    /// The bucket of one part.
    #[must_use]
    pub fn part(mut self, part: impl Into<Box<str>>) -> Self {
        self.part = Some(part.into());
        self
    }

    /// The name, without the part.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn label(&self) -> Cow<'static, str> {
        self.name.clone()
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// How a bucket fills up again, and who counts.
///
/// Data, so that a provider's limits are a table.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The provider counts, and says in its answers what is left.
    Server,
    /// The provider publishes "so many in any such time", and says nothing: we count.
    Published {
        /// So many...
        limit: u32,
        /// ...in any such time.
        window: Duration,
    },
    /// One at a time, at this distance.
    Spacing {
        /// From one to the next.
        every: Duration,
    },
}

/// What a call takes out of one bucket.
///
/// Part of [`Draws`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Which one.
    pub bucket: Bucket,
    /// How much.
    pub cost: u32,
    /// How it fills up again.
    pub rule: Rule,
}

/// What a call draws on, all together: up to five buckets, without an allocation.
///
/// ```
/// use std::time::Duration;
/// use connect_core::quota::{Bucket, Draws, Rule};
/// let draws = Draws::none()
///     .and(Bucket::new("core"), 1, Rule::Server)
///     .and(Bucket::new("content"), 1, Rule::Published { limit: 80, window: Duration::from_secs(60) });
/// assert_eq!(draws.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Draws([Option<Draw>; MOST_DRAWS]);

impl Draws {
    /// Draws on nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Draws on one bucket more; on one that is drawn on already, so much more. What would be a sixth is left out: no
    /// provider has that many.
    #[must_use]
    pub fn and(mut self, bucket: Bucket, cost: u32, rule: Rule) -> Self {
        for draw in &mut self.0 {
            match draw {
                Some(draw) if draw.bucket == bucket => {
                    draw.cost = draw.cost.saturating_add(cost);
                    return self;
                }
                Some(_) => {}
                None => {
                    *draw = Some(Draw { bucket, cost, rule });
                    return self;
                }
            }
        }
        self
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Draw> {
        self.0.iter().flatten()
    }
}
