//! A provider's public keys (RFC 7517), and what each of them may verify.
//!
//! A set is foreign data that changes under way: a key of an unknown kind, or one that is too short or not for
//! signatures, is skipped, and the others work.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use connect_core::{Error, ErrorKind};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::Algorithm;

/// Keys kept of one set. Providers show two to ten, Microsoft's common endpoint some twenty; a hostile or broken set
/// must not fill the memory, nor cost a verification each.
const MOST_KEYS: usize = 50;

/// RFC 7518 3.3; longer than 8192 bits is not verified by ring.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 2048 / 8..=8192 / 8;

/// Without padding by the standard, with it from some.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A set of public keys, as a provider publishes it under its `jwks_uri`.
///
/// Of a set with more than 50 usable keys, the first 50.
///
/// ```
/// use connect_oauth::jwt::Jwks;
/// let json = r#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "oct", "k": "c2hhcmVk"}
/// ]}"#;
/// assert_eq!(Jwks::from_json(json).unwrap().len(), 1);
/// ```
#[derive(Clone)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a set. Keys that cannot verify signatures here are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if it is no set, or no key of it is usable.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        // The cause would quote the document.
        let object = serde_json::from_str(json).map_err(|_| no_set())?;
        Self::from_object(&object)
    }

    pub(crate) fn from_object(object: &Map<String, Value>) -> Result<Self, Error> {
        let listed = object.get("keys").and_then(Value::as_array).ok_or_else(no_set)?;
        let keys: Vec<_> = listed.iter().filter_map(Jwk::read).take(MOST_KEYS).collect();
        if keys.is_empty() {
            let message =
                "the key set has no key that can verify signatures here: is it the provider's jwks_uri?";
            return Err(Error::new(ErrorKind::Decode, message));
        }
        Ok(Self { keys })
    }

    /// How many usable keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Is there none? Never so for a set that was read.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have made a signature.
    pub(crate) fn choose(&self, id: Option<&str>, algorithm: Algorithm) -> Choice<'_> {
        let named = |key: &&Jwk| id.is_none() || key.id.as_deref() == id;
        let mut keys: Vec<&Jwk> = self.keys.iter().filter(named).collect();
        if keys.is_empty() {
            // A provider that does not name its keys may name them in its tokens.
            keys = self.keys.iter().filter(|key| key.id.is_none()).collect();
        }
        if keys.is_empty() {
            return Choice::Unknown;
        }
        keys.retain(|key| key.fits(algorithm));
        if keys.is_empty() { Choice::OtherKind } else { Choice::Keys(keys) }
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

fn no_set() -> Error {
    Error::new(
        ErrorKind::Decode,
        "this is no JSON object with a list of `keys`: is it the provider's jwks_uri?",
    )
}

/// What [`Jwks::choose`] found.
pub(crate) enum Choice<'a> {
    /// To be tried one after the other; at least one.
    Keys(Vec<&'a Jwk>),
    /// There is one of that name, and it is not for this algorithm.
    OtherKind,
    /// There is none of that name.
    Unknown,
}

/// One public key.
#[derive(Clone)]
pub(crate) struct Jwk {
    id: Option<String>,
    /// The only algorithm it is for, if it says so.
    algorithm: Option<Algorithm>,
    /// Microsoft's: whose tokens it signs, perhaps with `{tenantid}` in it.
    issuer: Option<String>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Jwk {
    fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        if key.get("use").is_some() && text("use") != Some("sig") {
            return None;
        }
        if let Some(operations) = key.get("key_ops") {
            operations.as_array()?.iter().find(|operation| operation.as_str() == Some("verify"))?;
        }
        // An algorithm that is not known here says what the key is for as well: not for this.
        let algorithm = match key.get("alg") {
            Some(name) => Some(Algorithm::from_name(name.as_str()?)?),
            None => None,
        };
        let material = Material::read(text)?;
        if algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
            return None;
        }
        let owned = |name| text(name).map(str::to_owned);
        Some(Self { id: owned("kid"), algorithm, issuer: owned("issuer"), material })
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.fits(algorithm)
    }

    /// Did the owner of this key sign the input?
    pub(crate) fn verifies(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm) && self.material.verifies(algorithm, input, signature)
    }
}

impl Material {
    fn read<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let bytes = |name| BASE64.decode(text(name)?).ok();
        // 0x04 and both coordinates, each of full length.
        let point = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == length && y.len() == length).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
        };
        match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                // Some write a zero in front, as DER does.
                let [modulus, exponent] = [bytes("n")?, bytes("e")?].map(without_leading_zeros);
                RSA_BYTES.contains(&modulus.len()).then_some(Self::Rsa { modulus, exponent })
            }
            ("EC", Some("P-256")) => point(32).map(Self::P256),
            ("EC", Some("P-384")) => point(48).map(Self::P384),
            ("OKP", Some("Ed25519")) => bytes("x").filter(|x| x.len() == 32).map(Self::Ed25519),
            _ => None,
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        match self {
            Self::Rsa { .. } => {
                matches!(algorithm, A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512)
            }
            Self::P256(_) => algorithm == A::Es256,
            Self::P384(_) => algorithm == A::Es384,
            Self::Ed25519(_) => algorithm == A::EdDsa,
        }
    }

    fn verifies(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        let unparsed = |scheme: &'static dyn signature::VerificationAlgorithm, key: &Vec<u8>| {
            UnparsedPublicKey::new(scheme, key).verify(input, signature).is_ok()
        };
        match self {
            Self::Rsa { modulus, exponent } => rsa(algorithm).is_some_and(|scheme| {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(scheme, input, signature).is_ok()
            }),
            Self::P256(point) => unparsed(&signature::ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => unparsed(&signature::ECDSA_P384_SHA384_FIXED, point),
            Self::Ed25519(point) => unparsed(&signature::ED25519, point),
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}

fn without_leading_zeros(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519(more: Value) -> Value {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    fn usable(keys: Vec<Value>) -> usize {
        Jwks::from_json(&json!({ "keys": keys }).to_string()).map_or(0, |set| set.len())
    }

    #[test]
    fn odd_keys_are_skipped() {
        let short = BASE64.encode([255_u8; 128]);
        let odd = [
            json!(7),
            json!({}),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "n": short, "e": "AQAB"}),
            json!({"kty": "RSA", "n": BASE64.encode([255_u8; 1025]), "e": "AQAB"}),
            json!({"kty": "RSA", "n": BASE64.encode([255_u8; 256])}),
            json!({"kty": "RSA", "n": "!", "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": "AA"}),
            json!({"kty": "EC", "crv": "P-521", "x": X, "y": X}),
            json!({"kty": "OKP", "crv": "X25519", "x": X}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
            ed25519(json!({"use": "enc"})),
            ed25519(json!({"use": 1})),
            ed25519(json!({"key_ops": ["encrypt"]})),
            ed25519(json!({"key_ops": "verify"})),
            ed25519(json!({"alg": "HS256"})),
            ed25519(json!({"alg": "RS256"})),
            ed25519(json!({"alg": 1})),
        ];
        for key in &odd {
            assert_eq!(usable(vec![key.clone(), ed25519(json!({}))]), 1, "{key}");
        }
        for more in [
            json!({"use": "sig"}),
            json!({"key_ops": ["verify"]}),
            json!({"alg": "EdDSA"}),
            json!({"kid": 7}),
        ] {
            assert_eq!(usable(vec![ed25519(more)]), 1);
        }
        let error = Jwks::from_json(&json!({ "keys": odd }).to_string()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }

    #[test]
    fn no_more_than_fifty_keys_are_kept() {
        assert_eq!(usable(vec![ed25519(json!({})); 10_000]), MOST_KEYS);
    }

    #[test]
    fn what_is_no_set_is_refused_without_being_quoted() {
        for json in ["", "canary", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": "canary"}"#, r#"{"keys": []}"#]
        {
            let error = Jwks::from_json(json).unwrap_err();
            assert!(!format!("{error:#} {error:?}").contains("canary"));
        }
    }
}
