//! The checks of an id token, in order (OpenID Connect Core 3.1.3.7).
//!
//! Everything in a token is somebody's word until its signature is verified, and the header stays so afterwards: it
//! chooses among what is allowed here, and nothing else. The first check that fails is the [`IdTokenProblem`]; no error
//! repeats what stood in the token.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::Error;
use connect_core::clock::{SystemClock, WallClock};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::id_token::IdToken;
use super::issuer;
use super::keys::Keys;
use super::problem::IdTokenProblem;
use crate::jwt::{Algorithm, Choice, Jwk, Jwks};

/// Longest token that is looked into. Real ones are a few KiB; with hundreds of groups in them, some ten.
const LONGEST: usize = 64 * 1024;

/// How far clocks may differ. Machines under NTP differ by less than a second, others by a minute.
const LEEWAY: Duration = Duration::from_secs(60);

/// Verifies the id tokens of one provider for one app.
///
/// Make one and keep it: it holds the provider's keys.
///
/// ```
/// use connect_core::{Config, Error, Url};
/// use connect_oauth::identity::{IdTokenVerifier, Keys};
/// async fn log_in(id_token: &str, nonce: &str) -> Result<String, Box<dyn std::error::Error>> {
///     let keys = Keys::at(Url::parse("https://www.googleapis.com/oauth2/v3/certs")?, Config::default());
///     let verifier = IdTokenVerifier::new("https://accounts.google.com", "client-id", keys);
///     let token = verifier.verify(id_token, Some(nonce)).await?;
///     Ok(token.subject().to_owned())
/// }
/// # let _ = log_in;
/// ```
#[derive(Clone)]
pub struct IdTokenVerifier {
    issuer: String,
    client_id: String,
    keys: Keys,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    max_age: Option<Duration>,
    clock: Arc<dyn WallClock>,
}

impl IdTokenVerifier {
    /// For tokens of this issuer, letter by letter as its discovery document has it, that are meant for this app.
    ///
    /// The issuer of Microsoft's common endpoints is a template (`https://login.microsoftonline.com/{tenantid}/v2.0`):
    /// it takes tokens of every tenant, of their own accounts and of strangers. Whoever means some of them compares the
    /// claim `tid`.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>, keys: Keys) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            keys,
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            leeway: LEEWAY,
            max_age: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// The algorithms that a token may be signed with; RS256 and ES256 by default.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far the provider's clock may differ from ours; a minute by default.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Refuses tokens that were issued longer ago than this, even if they have not expired.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Another clock than the operating system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Verifies a token. `nonce` is what the authorization request of this login had; without one, as with a refreshed
    /// token, a token of another login passes.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`](connect_core::ErrorKind::Auth) with an [`IdTokenProblem`] as details for a token that does not
    /// pass; whatever fetching the provider's keys can fail with.
    pub async fn verify(&self, token: &str, nonce: Option<&str>) -> Result<IdToken, Error> {
        let signed = Signed::read(token, &self.algorithms)?;
        let keys = self.keys.current().await?;
        let claims = match self.opened(&signed, &keys) {
            Err(problem) if may_be_of_a_newer_key(problem) => match self.keys.newer(&keys).await {
                Some(keys) => self.opened(&signed, &keys)?,
                None => return Err(problem.into()),
            },
            result => result?,
        };
        Ok(self.accepted(claims, nonce)?)
    }

    /// The claims, if one of the keys has signed them.
    fn opened(&self, signed: &Signed<'_>, keys: &Jwks) -> Result<Map<String, Value>, IdTokenProblem> {
        let key = signed.signer(keys)?;
        let claims = object(signed.claims)?;
        // Next to those for all of its issuers, Microsoft has keys for one of them.
        let is_its_key = !issuer::is_template(&self.issuer)
            || key.issuer().is_none_or(|of_key| {
                let issuer = claims.get("iss").and_then(Value::as_str);
                issuer.is_some_and(|issuer| issuer::matches(of_key, issuer, &claims))
            });
        if is_its_key { Ok(claims) } else { Err(IdTokenProblem::Issuer) }
    }

    fn accepted(&self, claims: Map<String, Value>, nonce: Option<&str>) -> Result<IdToken, IdTokenProblem> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let issuer = text("iss").ok_or(IdTokenProblem::Issuer)?;
        if !issuer::matches(&self.issuer, issuer, &claims) {
            return Err(IdTokenProblem::Issuer);
        }
        self.check_audience(&claims)?;
        self.check_times(&claims)?;
        if let Some(nonce) = nonce {
            let named = text("nonce").unwrap_or_default();
            if nonce.is_empty() || !bool::from(named.as_bytes().ct_eq(nonce.as_bytes())) {
                return Err(IdTokenProblem::Nonce);
            }
        }
        let subject = text("sub").ok_or(IdTokenProblem::Claims)?;
        Ok(IdToken::new(issuer.to_owned(), subject.to_owned(), claims))
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), IdTokenProblem> {
        let is_us =
            |audience: &Value| !self.client_id.is_empty() && audience.as_str() == Some(&self.client_id);
        let has_others = match claims.get("aud") {
            Some(audience) if is_us(audience) => false,
            Some(Value::Array(audiences)) if audiences.iter().any(is_us) => audiences.len() > 1,
            _ => return Err(IdTokenProblem::Audience),
        };
        // With one audience it may be another part of the same app: Google names the Android client here.
        if has_others && !claims.get("azp").is_some_and(is_us) {
            return Err(IdTokenProblem::AuthorizedParty);
        }
        Ok(())
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), IdTokenProblem> {
        let now = self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let leeway = self.leeway.as_secs();
        if seconds(claims, "exp")?.ok_or(IdTokenProblem::Claims)?.saturating_add(leeway) <= now {
            return Err(IdTokenProblem::Expired);
        }
        let latest = now.saturating_add(leeway);
        if seconds(claims, "nbf")?.is_some_and(|begins| begins > latest) {
            return Err(IdTokenProblem::NotYetValid);
        }
        let issued = seconds(claims, "iat")?.ok_or(IdTokenProblem::Claims)?;
        if issued > latest {
            return Err(IdTokenProblem::IssuedInFuture);
        }
        let oldest = self.max_age.map(|age| now.saturating_sub(age.as_secs()).saturating_sub(leeway));
        if oldest.is_some_and(|oldest| issued < oldest) {
            return Err(IdTokenProblem::TooOld);
        }
        Ok(())
    }
}

impl fmt::Debug for IdTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenVerifier")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("keys", &self.keys)
            .field("algorithms", &self.algorithms)
            .field("leeway", &self.leeway)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// A token whose header is acceptable.
struct Signed<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    /// What is signed: the first two parts and the dot between them.
    input: &'a [u8],
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    fn read(token: &'a str, allowed: &[Algorithm]) -> Result<Self, IdTokenProblem> {
        if token.len() > LONGEST {
            return Err(IdTokenProblem::TooLong);
        }
        let (input, signature) = token.rsplit_once('.').ok_or(IdTokenProblem::Malformed)?;
        let (header, claims) = input.split_once('.').ok_or(IdTokenProblem::Malformed)?;
        if claims.contains('.') {
            return Err(IdTokenProblem::Malformed); // five parts: an encrypted one
        }
        let header = object(header)?;
        let name = header.get("alg").and_then(Value::as_str).ok_or(IdTokenProblem::Malformed)?;
        let algorithm = Algorithm::from_name(name).filter(|algorithm| allowed.contains(algorithm));
        let algorithm = algorithm.ok_or(IdTokenProblem::Algorithm)?;
        if header.contains_key("crit") {
            return Err(IdTokenProblem::Critical);
        }
        // RFC 8725 3.11: `at+jwt`, `logout+jwt`. An id token is a plain JWT, or says nothing.
        let kind = header.get("typ").and_then(Value::as_str).unwrap_or_default();
        if kind.to_ascii_lowercase().ends_with("+jwt") {
            return Err(IdTokenProblem::OtherKind);
        }
        let key_id = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| IdTokenProblem::Malformed)?;
        Ok(Self { algorithm, key_id, input: input.as_bytes(), claims, signature })
    }

    /// The key that signed it.
    fn signer<'k>(&self, keys: &'k Jwks) -> Result<&'k Jwk, IdTokenProblem> {
        match keys.choose(self.key_id.as_deref(), self.algorithm) {
            Choice::Unknown => Err(IdTokenProblem::UnknownKey),
            Choice::OtherKind => Err(IdTokenProblem::KeyMismatch),
            Choice::Keys(keys) => keys
                .into_iter()
                .find(|key| key.verifies(self.algorithm, self.input, &self.signature))
                .ok_or(IdTokenProblem::Signature),
        }
    }
}

/// Could keys that the provider has had since then make the difference? Not every provider names its keys, and some put
/// a new key under an old name.
fn may_be_of_a_newer_key(problem: IdTokenProblem) -> bool {
    use IdTokenProblem as P;
    matches!(problem, P::UnknownKey | P::KeyMismatch | P::Signature)
}

/// One part of a token as a JSON object.
fn object(part: &str) -> Result<Map<String, Value>, IdTokenProblem> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenProblem::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenProblem::Malformed)
}

/// A time claim. RFC 7519 allows fractions; text, negative and infinite times are no times.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, IdTokenProblem> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = value.as_u64().or_else(|| {
        // The cast cuts the fraction, and stops at the largest number there is.
        value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64)
    });
    whole.map(Some).ok_or(IdTokenProblem::Claims)
}
