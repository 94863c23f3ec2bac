//! Decides whether a request comes from the provider: pure functions over headers, raw bytes and a time.
//!
//! Use a [`Verifier`] alone where the web framework already has the body; a [`Receiver`](crate::Receiver)
//! does the rest too. Always pass the raw bytes as received: a body that was parsed and written again does
//! not verify.
//!
//! Defaults: every secret is tried, in constant time; the signature is checked before the time window, so
//! that an answer tells no one which of the two failed; without a secret there is no verifier. Nothing is
//! allocated for a valid signature.

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderMap;
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::error::{BuildError, VerifyError};
use crate::key::Key;
use crate::plan::{Plan, Stamp, check_window};
use crate::scheme::{Part, Scheme};
use crate::verified::Verified;

/// Verifies deliveries of one scheme with one or more secrets. Cheap to clone.
///
/// ```
/// use connect_webhook::{UnixTime, Verifier, schemes, sign};
///
/// // The current secret first, then the one that is being retired.
/// let verifier = Verifier::new(&schemes::GITHUB, ["new".into(), "old".into()])?;
///
/// let now = UnixTime(1_750_000_000);
/// let headers = sign(&schemes::GITHUB, &"old".into(), b"{}", now)?;
/// assert_eq!(verifier.verify(&headers, b"{}", now).unwrap().key_index, 1);
/// assert!(verifier.verify(&headers, b"{ }", now).is_err());
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scheme: Cow<'static, Scheme>,
    plan: Plan,
    keys: Vec<Key>,
}

/// What is known about a request that verified.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Which secret matched, counted from 0. When index 0 is all you see, older secrets can be retired.
    pub key_index: usize,
    /// When the sender signed, for schemes that sign a timestamp. The distance to now is clock skew plus
    /// delay.
    pub signed_at: Option<UnixTime>,
}

impl Verifier {
    /// Checks `scheme` (a row of [`schemes`](crate::schemes) or one of your own) and prepares `secrets`.
    ///
    /// Several secrets are for rotation: put the new one first, retire the old one when nothing matches it
    /// any more. Each costs one more hash of every body. No secret, or one that is empty or only whitespace,
    /// is an error: there is no way to build a verifier that accepts everything.
    pub fn new(
        scheme: impl Into<Cow<'static, Scheme>>,
        secrets: impl IntoIterator<Item = SecretString>,
    ) -> Result<Self, BuildError> {
        let scheme = scheme.into();
        let plan = Plan::compile(&scheme)?;
        let key = |(index, secret)| Key::new(&scheme, index, &secret);
        let keys = secrets.into_iter().enumerate().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(BuildError::NoSecret { scheme: scheme.name.to_string() });
        }
        Ok(Self(Arc::new(Inner { scheme, plan, keys })))
    }

    /// A verifier for the secret in a variable, looked up by a function: `std::env::var(name).ok()` in a
    /// program, a table in a test. White space round the secret is a pasting accident and is cut off.
    ///
    /// ```
    /// use connect_webhook::{Verifier, schemes};
    /// let lookup = |name: &str| (name == "HOOK_SECRET").then(|| "s3cret".to_owned());
    /// assert!(Verifier::from_vars(&schemes::GITHUB, "HOOK_SECRET", lookup).is_ok());
    /// let error = Verifier::from_vars(&schemes::GITHUB, "OTHER", lookup).unwrap_err();
    /// assert!(error.to_string().starts_with("OTHER is not set"));
    /// ```
    pub fn from_vars(
        scheme: impl Into<Cow<'static, Scheme>>,
        variable: &str,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BuildError> {
        let scheme = scheme.into();
        let value = lookup(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let Some(value) = value else {
            return Err(BuildError::MissingVariable {
                scheme: scheme.name.to_string(),
                variable: variable.to_owned(),
            });
        };
        Self::new(scheme, [SecretString::from(value)])
    }

    /// The scheme this verifies.
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// Whether `body`, exactly as received, was signed by the provider not too far from `now`.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Verification, VerifyError> {
        let Inner { scheme, plan, keys } = &*self.0;
        let presented = plan.presented(scheme, headers)?;
        let stamp = plan.timestamp(scheme, headers)?;
        let mut matched = None;
        for (index, key) in keys.iter().enumerate() {
            // No early exit: the time taken does not depend on which secret matches.
            let matches =
                key.matches(signed_parts(scheme, stamp.map_or(&[], |stamp| stamp.text), body), &presented);
            if matches && matched.is_none() {
                matched = Some(index);
            }
        }
        let key_index = matched.ok_or(VerifyError::SignatureMismatch)?;
        self.check_time(stamp, now)?;
        Ok(Verification { key_index, signed_at: stamp.map(|stamp| stamp.time) })
    }

    /// As [`Verifier::verify`], returning the body with the proof attached.
    pub fn open<T: AsRef<[u8]>>(
        &self,
        headers: &HeaderMap,
        body: T,
        now: UnixTime,
    ) -> Result<Verified<T>, VerifyError> {
        self.verify(headers, body.as_ref(), now)?;
        Ok(Verified::new(body))
    }

    /// What can be refused by the headers alone: a missing or malformed one, a hopeless timestamp.
    ///
    /// Cheap enough to run before a body is read. Passing proves nothing. Answer a failure exactly like a
    /// failed [`Verifier::verify`].
    pub fn precheck(&self, headers: &HeaderMap, now: UnixTime) -> Result<(), VerifyError> {
        self.0.plan.presented(&self.0.scheme, headers)?;
        self.check_time(self.0.plan.timestamp(&self.0.scheme, headers)?, now)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    fn check_time(&self, stamp: Option<Stamp<'_>>, now: UnixTime) -> Result<(), VerifyError> {
        match (stamp, &self.0.scheme.timestamp) {
            (Some(stamp), Some(rule)) => check_window(rule, stamp.time, now),
            _ => Ok(()),
        }
    }
}

/// The signed bytes, piece by piece: bodies may be binary and are never copied into a base string.
pub(crate) fn signed_parts<'a>(
    scheme: &'a Scheme,
    timestamp: &'a [u8],
    body: &'a [u8],
) -> impl Iterator<Item = &'a [u8]> {
    scheme.base.iter().map(move |part| match part {
        Part::Literal(text) => text.as_bytes(),
        Part::Timestamp => timestamp,
        Part::Body => body,
    })
}
