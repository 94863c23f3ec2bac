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
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::code;
use crate::encoding::Signature;
use crate::error::{BuildError, VerifyError};
use crate::facts::{Finder, fallback_id, has_one_signature, replay_key};
use crate::handshake;
use crate::incoming::Incoming;
use crate::key::{Key, State, equal};
use crate::plan::{Claims, Plan, check_window, unescaped};
use crate::scheme::{Algorithm, Scheme};
use crate::settings::Settings;
use crate::verified::Verified;
use crate::verifier_builder::VerifierBuilder;

/// A public-key signature costs as much as 100 HMACs, and a sender may name as many as fit into a header.
const MAX_ASYMMETRIC_SIGNATURES: usize = 8;

/// Verifies deliveries of one scheme with one or more secrets. Cheap to clone; clones share their secrets.
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
pub(crate) struct Inner {
    pub(crate) scheme: Cow<'static, Scheme>,
    pub(crate) plan: Plan,
    pub(crate) finder: Finder,
    pub(crate) settings: Settings,
    /// Replaced as a whole, so that a delivery is checked against one set.
    keys: RwLock<Arc<[Key]>>,
}

/// What is known about a request that verified.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Which secret matched, counted from 0. When index 0 is all you see, older secrets can be retired. 0 too
    /// where the provider's public keys decide.
    pub key_index: usize,
    /// When the sender signed, for schemes that sign a timestamp. The distance to now is clock skew plus
    /// delay.
    pub signed_at: Option<UnixTime>,
}

impl Verification {
    pub(crate) fn new(key_index: usize, signed_at: Option<UnixTime>) -> Self {
        Self { key_index, signed_at }
    }
}

impl Verifier {
    /// Checks `scheme` (a row of [`schemes`](crate::schemes) or one of your own) and prepares `secrets`.
    ///
    /// Several secrets are for rotation: put the new one first, retire the old one when nothing matches it
    /// any more. Each costs one more hash of every body. No secret, or one that is empty or only whitespace,
    /// is an error: there is no way to build a verifier that accepts everything.
    ///
    /// Some schemes need more than secrets, such as the URL that the provider calls: see
    /// [`Verifier::builder`].
    pub fn new(
        scheme: impl Into<Cow<'static, Scheme>>,
        secrets: impl IntoIterator<Item = SecretString>,
    ) -> Result<Self, BuildError> {
        secrets.into_iter().fold(Self::builder(scheme), VerifierBuilder::secret).build()
    }

    /// Starts a verifier that needs more than secrets.
    pub fn builder(scheme: impl Into<Cow<'static, Scheme>>) -> VerifierBuilder {
        VerifierBuilder::new(scheme.into())
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

    pub(crate) fn assemble(
        scheme: Cow<'static, Scheme>,
        settings: Settings,
        keys: Vec<Key>,
    ) -> Result<Self, BuildError> {
        let plan = Plan::compile(&scheme)?;
        let finder = Finder::compile(&scheme, handshake::pointers(scheme.challenge))?;
        Ok(Self(Arc::new(Inner { scheme, plan, finder, settings, keys: RwLock::new(keys.into()) })))
    }

    /// The scheme this verifies.
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// Replaces the secrets of this verifier and all its clones, for rotation while the program runs. Each is
    /// good until its date, if it has one. If one of them is not usable, all stays as it was.
    ///
    /// ```
    /// use connect_webhook::{UnixTime, Verifier, schemes, sign};
    /// let verifier = Verifier::new(&schemes::GITHUB, ["old".into()])?;
    /// verifier.replace_secrets([("new".into(), None), ("old".into(), Some(UnixTime(1_750_000_000)))])?;
    ///
    /// let headers = sign(&schemes::GITHUB, &"old".into(), b"{}", UnixTime(0))?;
    /// assert!(verifier.verify(&headers, b"{}", UnixTime(1_750_000_000)).is_ok());
    /// assert!(verifier.verify(&headers, b"{}", UnixTime(1_750_000_001)).is_err());
    /// # Ok::<(), connect_webhook::BuildError>(())
    /// ```
    pub fn replace_secrets(
        &self,
        secrets: impl IntoIterator<Item = (SecretString, Option<UnixTime>)>,
    ) -> Result<(), BuildError> {
        let scheme = &self.0.scheme;
        let key = |(index, (secret, not_after))| Key::new(scheme, index, &secret, not_after);
        let keys = secrets.into_iter().enumerate().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(BuildError::NoSecret { scheme: scheme.name.to_string() });
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
        Ok(())
    }

    /// Whether `body`, exactly as received, was signed by the provider not too far from `now`.
    ///
    /// For schemes that sign the URL, this takes the [`public_url`](VerifierBuilder::public_url) for it; use
    /// [`Verifier::verify_request`] where that is only its beginning.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Verification, VerifyError> {
        let url = self.0.settings.public_url.as_deref().unwrap_or_default();
        self.verify_request(&Incoming::post(headers, body).with_url(url), now)
    }

    /// As [`Verifier::verify`], for schemes that look at the method and the URL too.
    pub fn verify_request(
        &self,
        incoming: &Incoming<'_>,
        now: UnixTime,
    ) -> Result<Verification, VerifyError> {
        let inner = &*self.0;
        // Held until the verdict: cheaper than counting one more reader in and out.
        let keys = inner.keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Algorithm::Code(rule) = inner.scheme.algorithm {
            return code::verify(rule, &code::Context { inner, keys: &keys, incoming: *incoming, now });
        }
        let mut claims = Claims::new(*incoming);
        inner.plan.read_claims(&inner.scheme, &mut claims)?;
        if keys.is_empty() {
            return Err(VerifyError::NoSecretYet);
        }
        let url = incoming.url;
        let mut matched = self.matching(&keys, &claims, url, now)?;
        if matched.is_none()
            && let Some(url) = unescaped(&inner.scheme, url)
        {
            matched = self.matching(&keys, &claims, &url, now)?;
        }
        self.conclude(matched, claims.time, incoming.body, now)
    }

    /// The first of the live keys that signed this, if any did. All are tried, so the time taken does not
    /// depend on which it is.
    fn matching(
        &self,
        keys: &[Key],
        claims: &Claims<'_>,
        url: &str,
        now: UnixTime,
    ) -> Result<Option<usize>, VerifyError> {
        let Inner { scheme, plan, .. } = &*self.0;
        // Before the body is hashed: without a signature there is nothing to compare. The usual one is kept.
        let (mut first, mut count) = (Signature::NEVER, 0_usize);
        plan.presented(scheme, claims, |presented| {
            if count == 0 {
                first = *presented;
            }
            count += 1;
        })?;
        let mut matched = None;
        for (index, key) in keys.iter().enumerate() {
            let mut matches = false;
            let tag = key.tag(|sink, secret| plan.feed(scheme, claims, url, secret, sink));
            match tag {
                Some(tag) if count == 1 => matches = equal(&tag, &first),
                Some(tag) => {
                    plan.presented(scheme, claims, |presented| matches |= equal(&tag, presented))?;
                }
                None => {
                    let mut message = Vec::with_capacity(claims.incoming.body.len() + 64);
                    plan.feed(scheme, claims, url, &[], &mut |piece| message.extend_from_slice(piece));
                    let mut tried = 0;
                    plan.presented(scheme, claims, |presented| {
                        tried += 1;
                        if tried <= MAX_ASYMMETRIC_SIGNATURES && !matches {
                            matches = key.signed(&message, presented);
                        }
                    })?;
                }
            }
            if matches && key.is_live(now) && matched.is_none() {
                matched = Some(index);
            }
        }
        Ok(matched)
    }

    fn conclude(
        &self,
        matched: Option<usize>,
        time: Option<UnixTime>,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Verification, VerifyError> {
        let Inner { scheme, plan, .. } = &*self.0;
        let key_index = matched.ok_or(VerifyError::SignatureMismatch)?;
        let signed_at = match time {
            Some(time) => Some(time),
            None => plan.late_time(scheme, body)?,
        };
        if let (Some(signed), Some(rule)) = (signed_at, &scheme.timestamp) {
            check_window(rule, signed, now)?;
        }
        Ok(Verification { key_index, signed_at })
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
        let Inner { scheme, plan, .. } = &*self.0;
        let incoming = Incoming::post(headers, &[]).with_url("-");
        if let Algorithm::Code(rule) = scheme.algorithm {
            return code::precheck(rule, headers, now);
        }
        let claims = match plan.claims(scheme, incoming) {
            // The body is still to come.
            Err(VerifyError::MalformedBody | VerifyError::MissingField { .. }) => return Ok(()),
            claims => claims?,
        };
        match plan.presented(scheme, &claims, |_| {}) {
            Err(VerifyError::MissingField { .. }) => return Ok(()),
            presented => presented?,
        }
        match (claims.time, &scheme.timestamp) {
            (Some(signed), Some(rule)) => check_window(rule, signed, now),
            _ => Ok(()),
        }
    }

    /// Starts to verify a body that is still arriving: give it the head of the request, then every piece.
    ///
    /// Refuses by the headers as [`Verifier::precheck`] does. `Ok(None)` where the scheme needs the whole body
    /// at once: public keys, forms, and signatures or timestamps inside the body. What arrives is hashed and
    /// not kept; the caller keeps it, with a cap.
    ///
    /// ```
    /// use connect_webhook::{Incoming, UnixTime, Verifier, schemes, sign};
    /// let verifier = Verifier::new(&schemes::STRIPE, ["whsec_test".into()])?;
    /// let now = UnixTime(1_750_000_000);
    /// let headers = sign(&schemes::STRIPE, &"whsec_test".into(), b"{\"id\":\"evt_1\"}", now)?;
    ///
    /// let mut stream = verifier.stream(&Incoming::post(&headers, b""), now).unwrap().expect("Stripe allows it");
    /// for piece in [&b"{\"id\":"[..], b"\"evt_1\"}"] {
    ///     stream.update(piece);
    /// }
    /// assert!(stream.finish().is_ok());
    /// # Ok::<(), connect_webhook::BuildError>(())
    /// ```
    pub fn stream<'a>(
        &self,
        head: &Incoming<'a>,
        now: UnixTime,
    ) -> Result<Option<Streaming<'a>>, VerifyError> {
        self.precheck(head.headers, now)?;
        let Inner { scheme, plan, .. } = &*self.0;
        let by_code = matches!(scheme.algorithm, Algorithm::Code(_));
        if by_code || !plan.can_stream() || unescaped(scheme, head.url).is_some() {
            return Ok(None);
        }
        let claims = plan.claims(scheme, *head)?;
        let keys = self.keys();
        let start =
            |key: &Key| key.start(|sink, _| plan.feed_beside_body(scheme, &claims, head.url, false, sink));
        let Some(states) = keys.iter().map(start).collect::<Option<Vec<_>>>() else { return Ok(None) };
        if states.is_empty() {
            return Err(VerifyError::NoSecretYet);
        }
        Ok(Some(Streaming { verifier: self.clone(), keys, states, claims, now }))
    }

    /// The URL that the sender called, for a request of this path and query.
    pub(crate) fn url_of(&self, uri: &http::Uri) -> String {
        match &self.0.settings.public_url {
            Some(base) => {
                let path = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
                format!("{base}{path}")
            }
            None => uri.to_string(),
        }
    }

    pub(crate) fn has_public_url(&self) -> bool {
        self.0.settings.public_url.is_some()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn keys(&self) -> Arc<[Key]> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The dedupe id of a verified request that names none.
    pub(crate) fn fallback_id(&self, incoming: &Incoming<'_>, now: UnixTime) -> String {
        let mut distinguishing = self.distinguishing(incoming);
        if self.0.scheme.bodies_repeat {
            // A retry may come through as a second event. The other way round, an event would be lost.
            distinguishing.extend_from_slice(&now.0.to_be_bytes());
        }
        fallback_id(incoming.body, &distinguishing)
    }

    /// What recognises a verified request that names an id when it comes again under another one.
    pub(crate) fn replay_key(
        &self,
        incoming: &Incoming<'_>,
        event: Option<&str>,
        signed_at: Option<UnixTime>,
    ) -> Option<String> {
        replay_key(&self.0.scheme, incoming.body, event, signed_at, || self.distinguishing(incoming))
    }

    /// What tells this verified request from others under the same body, and nobody but the sender can change:
    /// the signature, or the signed time where somebody could add a signature to one that is right.
    pub(crate) fn distinguishing(&self, incoming: &Incoming<'_>) -> Vec<u8> {
        let Inner { scheme, plan, .. } = &*self.0;
        let mut bytes = Vec::new();
        if let Algorithm::Code(_) = scheme.algorithm {
            return code::distinguishing(scheme, incoming);
        }
        let Ok(claims) = plan.claims(scheme, *incoming) else { return bytes };
        if !has_one_signature(scheme) {
            bytes.extend(claims.time.iter().flat_map(|time| time.0.to_be_bytes()));
        } else {
            // Fails only for a request that would not have verified.
            let _ = plan.presented(scheme, &claims, |signature: &Signature| {
                bytes.extend_from_slice(signature.as_bytes());
            });
        }
        bytes
    }
}

/// A verification under way, from [`Verifier::stream`].
#[derive(Debug)]
pub struct Streaming<'a> {
    verifier: Verifier,
    keys: Arc<[Key]>,
    states: Vec<State>,
    claims: Claims<'a>,
    now: UnixTime,
}

impl Streaming<'_> {
    /// Takes the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.states.iter_mut().for_each(|state| state.update(piece));
    }

    /// The verdict, once the body is complete.
    pub fn finish(self) -> Result<Verification, VerifyError> {
        let Inner { scheme, plan, .. } = &*self.verifier.0;
        let mut matched = None;
        for (index, (mut state, key)) in self.states.into_iter().zip(&*self.keys).enumerate() {
            let url = self.claims.incoming.url;
            plan.feed_beside_body(scheme, &self.claims, url, true, &mut |piece| state.update(piece));
            let (tag, mut matches) = (state.finish(), false);
            plan.presented(scheme, &self.claims, |presented| matches |= equal(&tag, presented))?;
            if matches && key.is_live(self.now) && matched.is_none() {
                matched = Some(index);
            }
        }
        self.verifier.conclude(matched, self.claims.time, &[], self.now)
    }
}
