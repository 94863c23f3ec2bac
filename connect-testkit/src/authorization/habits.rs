//! How authorization servers differ: what becomes of a used refresh token, and how an error looks.
//!
//! By default a fake rotates with reuse detection and speaks as RFC 6749 says: the strictest of the four, so that
//! a client that is safe here is safe elsewhere.
//! Not a description of any one provider: a test combines the habits that it is about.

use std::time::Duration;

/// What becomes of a refresh token that was used.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use connect_testkit::FakeAuthorization;
/// use connect_testkit::authorization::Rotation;
/// let atlassian = FakeAuthorization::builder().rotation(Rotation::Leeway(Rotation::TEN_MINUTES)).start().await?;
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It stays good, and the answer does not repeat it.
    None,
    /// It is replaced. Presented again it is refused, and everything that came from the same login is revoked.
    #[default]
    ReuseDetected,
    /// It is replaced, but presented again within this time it gives a further pair from the same login; after
    /// that it is refused, and nothing else is revoked. Counted in whole seconds on the fake's clock.
    Leeway(Duration),
}

impl Rotation {
    /// Atlassian's leeway.
    pub const TEN_MINUTES: Duration = Duration::from_secs(600);
}

/// How the token endpoint says no, and what else its answers have of their own.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use connect_testkit::FakeAuthorization;
/// use connect_testkit::authorization::Shape;
/// let slack = FakeAuthorization::builder().shape(Shape::Slack).start().await?;
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// 400 (401 for a wrong client) with `error` and `error_description`, as RFC 6749 5.2 says.
    #[default]
    Standard,
    /// 200 with GitHub's words in `error`, `error_description` and `error_uri`. Scopes are written with commas,
    /// and answers are form-encoded unless the request accepts JSON.
    GitHub,
    /// 200 with `ok: false` and Slack's word; success has `ok: true`. Scopes are written with commas, and a login
    /// with `user_scope` alone is answered below `authed_user`.
    Slack,
    /// 403 `unauthorized_client` for a bad refresh token, 403 for other bad grants, and else the standard.
    Atlassian,
}

/// What the server was built to do with tokens.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) rotation: Rotation,
    /// Seconds that an access token lives.
    pub(crate) expires_in: u64,
    /// Whether answers say so.
    pub(crate) says_expires_in: bool,
    /// Seconds that a refresh token lives unused; `None` is for ever.
    pub(crate) refresh_lifetime: Option<u64>,
    /// The scope without which a login gives no refresh token.
    pub(crate) offline_scope: Option<String>,
}
