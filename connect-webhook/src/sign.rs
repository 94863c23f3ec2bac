//! Signs as a provider would: for tests, for local development, and for sending webhooks of your own.
//!
//! [`sign`] is the short way: the headers that a signature needs, for a body. [`Signer`] signs whole requests
//! and works for every scheme whose secret is shared, also where the signature covers the URL or stands inside
//! the body; so a receiver can always be tested without its provider. Content type and event headers are the
//! sender's to add.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::code;
use crate::encoding::{BASE64, Signature, hex};
use crate::error::BuildError;
use crate::form;
use crate::incoming::Incoming;
use crate::key::Key;
use crate::plan::Plan;
use crate::rfc3339;
use crate::scheme::{Algorithm, Encoding, Grammar, Part, Scheme, Source, TimestampUnit};

/// The headers a sender sets for `body`: the signature, marked sensitive, and what else is signed beside the
/// body, such as a timestamp and an id.
///
/// The id is made of the body and the time. For an id of your own, for schemes that sign the URL, and for
/// those whose signature stands in the body, use a [`Signer`].
///
/// ```
/// use connect_webhook::{UnixTime, schemes, sign};
/// let headers = sign(&schemes::SLACK, &"s3cret".into(), b"{}", UnixTime(1_750_000_000))?;
/// assert_eq!(headers["x-slack-request-timestamp"], "1750000000");
/// assert!(headers["x-slack-signature"].is_sensitive());
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
pub fn sign(
    scheme: &Scheme,
    secret: &SecretString,
    body: &[u8],
    now: UnixTime,
) -> Result<HeaderMap, BuildError> {
    let is_in_body = |source: &Source| matches!(source, Source::Json(_) | Source::Form(_));
    let in_body = is_in_body(&scheme.signature)
        || scheme.timestamp.as_ref().is_some_and(|rule| is_in_body(&rule.source))
        || scheme.base.iter().any(|part| matches!(part, Part::Json(_) | Part::Form(_)));
    if in_body || scheme.needs_url() {
        return Err(unsignable(
            scheme,
            "its signature covers the URL, or something of it stands in the body; sign the whole request with a \
             `Signer`",
        ));
    }
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = Method::POST;
    let request = Signer::new(scheme, secret)?.sign(request, now)?;
    Ok(request.into_parts().0.headers)
}

/// Signs requests of one scheme.
///
/// ```
/// use bytes::Bytes;
/// use connect_webhook::{Incoming, Signer, UnixTime, Verifier, schemes};
///
/// let signer = Signer::new(&schemes::SQUARE, &"s3cret".into())?;
/// let request = http::Request::post("https://hooks.example.com/square").body(Bytes::from("{}")).unwrap();
/// let now = UnixTime(1_750_000_000);
/// let (parts, body) = signer.sign(request, now)?.into_parts();
///
/// let verifier = Verifier::new(&schemes::SQUARE, ["s3cret".into()])?;
/// let incoming = Incoming::post(&parts.headers, &body).with_url("https://hooks.example.com/square");
/// assert!(verifier.verify_request(&incoming, now).is_ok());
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[derive(Debug)]
pub struct Signer<'s> {
    scheme: &'s Scheme,
    plan: Plan,
    /// The current one first; with a grammar that takes several signatures, all of them sign.
    secrets: Vec<Secret>,
}

#[derive(Debug)]
enum Secret {
    Shared {
        key: Box<Key>,
        text: SecretString,
    },
    /// A private key.
    #[cfg(feature = "ed25519")]
    Ed25519(secrecy::SecretSlice<u8>),
}

impl<'s> Signer<'s> {
    /// Checks scheme and secret. For schemes with a public key this takes the private one: the 32 bytes of an
    /// Ed25519 seed, written as the scheme writes its keys (`whsk_...` for Standard Webhooks v1a).
    pub fn new(scheme: &'s Scheme, secret: &SecretString) -> Result<Self, BuildError> {
        Self::with_secrets(scheme, [secret])
    }

    /// As [`Signer::new`], with several secrets: all of them sign, where the scheme has room for several
    /// signatures, so that a receiver may change over whenever it likes.
    pub fn with_secrets<'a>(
        scheme: &'s Scheme,
        secrets: impl IntoIterator<Item = &'a SecretString>,
    ) -> Result<Self, BuildError> {
        let plan = Plan::compile(scheme)?;
        let secrets = secrets.into_iter().enumerate().map(|(index, secret)| match scheme.algorithm {
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => {
                let mut form = scheme.clone();
                // The private key has a prefix of its own.
                if form.secret.prefix == "whpk_" {
                    form.secret.prefix = "whsk_".into();
                }
                let bytes = crate::key::secret_bytes(&form, index, secret)?;
                match crate::ed25519::sign(bytes.expose_secret(), b"") {
                    Some(_) => Ok(Secret::Ed25519(bytes)),
                    None => Err(unsignable(scheme, "the private key is not 32 bytes; give the seed")),
                }
            }
            Algorithm::EcdsaP256Sha256 => Err(unsignable(
                scheme,
                "only the provider has the private key; replay a captured delivery instead",
            )),
            _ => Ok(Secret::Shared {
                key: Box::new(Key::new(scheme, index, secret, None)?),
                text: secret.clone(),
            }),
        });
        let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        if secrets.is_empty() {
            return Err(BuildError::NoSecret { scheme: scheme.name.to_string() });
        }
        Ok(Self { scheme, plan, secrets })
    }

    /// The request with everything that the scheme signs. An id that is there already is kept, a missing one is
    /// made of body and time; the timestamp is `now`.
    ///
    /// Schemes that sign the URL take the request's, which must then be the whole of it.
    pub fn sign(&self, mut request: Request<Bytes>, now: UnixTime) -> Result<Request<Bytes>, BuildError> {
        let scheme = self.scheme;
        let url = request.uri().to_string();
        if scheme.needs_url() && request.uri().host().is_none() {
            return Err(unsignable(
                scheme,
                "its signature covers the URL; give the request the whole of it, scheme and host included",
            ));
        }
        if let (Algorithm::Code(rule), Some(Secret::Shared { key, text })) =
            (scheme.algorithm, self.secrets.first())
        {
            code::sign(rule, scheme, key, text, &mut request, &url, now)?;
            return Ok(request);
        }
        let timestamp = self.stamp(&mut request, now)?;
        self.fill_ids(&mut request, now)?;
        let signatures = self.signatures(&request, &url, &timestamp)?;
        self.place(&mut request, &timestamp, &signatures)?;
        Ok(request)
    }

    /// The headers that name a message: those that the scheme signs beside the timestamp, or else the one
    /// that receivers read the id from.
    #[cfg(feature = "send")]
    pub(crate) fn id_headers(&self) -> Vec<HeaderName> {
        let signed: Vec<_> = self.plan.signed_headers().filter_map(|names| names.first().cloned()).collect();
        if !signed.is_empty() {
            return signed;
        }
        let named = self.scheme.id.iter().find_map(|locator| match locator {
            crate::scheme::Locator::Header(name) => HeaderName::try_from(&**name).ok(),
            _ => None,
        });
        named.into_iter().collect()
    }

    /// Puts the timestamp where the scheme wants it, unless that is the signature's own header.
    fn stamp(&self, request: &mut Request<Bytes>, now: UnixTime) -> Result<String, BuildError> {
        let Some(rule) = &self.scheme.timestamp else { return Ok(String::new()) };
        let seconds = u64::try_from(now.0).map_err(|_| BuildError::TimeBeforeEpoch)?;
        let text = match rule.unit {
            TimestampUnit::Seconds => seconds.to_string(),
            TimestampUnit::Milliseconds => seconds.saturating_mul(1000).to_string(),
            TimestampUnit::Rfc3339 => rfc3339::format(now),
        };
        match &rule.source {
            Source::Json(pointer) => {
                let value = match rule.unit {
                    TimestampUnit::Rfc3339 => text.clone().into(),
                    // Where the timestamp is signed by itself, it is the text that counts.
                    _ if self.scheme.base.contains(&Part::Timestamp) => text.clone().into(),
                    _ => serde_json::Value::from(text.parse::<u64>().unwrap_or_default()),
                };
                self.set_json(request, pointer, value)?;
            }
            Source::Form(name) => set_form(request, name, &text),
            _ => {
                if let Some(header) = self.plan.timestamp_header() {
                    self.set_header(request, &header, &text)?;
                }
            }
        }
        Ok(text)
    }

    /// Every other signed header that is missing, and every other signed field.
    fn fill_ids(&self, request: &mut Request<Bytes>, now: UnixTime) -> Result<(), BuildError> {
        let id = |body: &[u8]| {
            let digest = Sha256::new().chain_update(body).chain_update(now.0.to_be_bytes()).finalize();
            format!("msg_{}", hex(digest.get(..12).unwrap_or_default()))
        };
        for names in self.plan.signed_headers() {
            let is_there = names.iter().any(|name| request.headers().contains_key(name));
            // The timestamp may be signed under its header's name.
            if let (false, Some(name)) = (is_there, names.first()) {
                let id = id(request.body());
                self.set_header(request, name, &id)?;
            }
        }
        for part in &*self.scheme.base {
            match part {
                Part::Json(pointer) => {
                    let parsed = crate::pointer::Pointer::parse(pointer);
                    let there =
                        parsed.and_then(|pointer| crate::pointer::find(request.body(), &pointer).map(|_| ()));
                    if there.is_none() {
                        let id = id(request.body());
                        self.set_json(request, pointer, id.into())?;
                    }
                }
                Part::Form(name) if form::field(request.body(), name).is_none() => {
                    let id = id(request.body());
                    set_form(request, name, &id);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// As text, one of each secret.
    fn signatures(
        &self,
        request: &Request<Bytes>,
        url: &str,
        timestamp: &str,
    ) -> Result<Vec<String>, BuildError> {
        let scheme = self.scheme;
        // A timestamp in the signature's own header is not there yet.
        let mut headers = request.headers().clone();
        if let Some(header) = self.plan.signature_header() {
            let placeholder = self.value("", timestamp, &["00".to_owned()]);
            headers.insert(header, HeaderValue::try_from(placeholder).map_err(|_| invalid_text(scheme))?);
        }
        let incoming = Incoming::post(&headers, request.body()).with_method(request.method()).with_url(url);
        let claims =
            self.plan.claims(scheme, incoming).map_err(|error| unsignable(scheme, &error.to_string()))?;
        let sign = |secret: &Secret| match secret {
            Secret::Shared { text, .. } if scheme.algorithm == Algorithm::Token => {
                let bytes = crate::key::secret_bytes(scheme, 0, text)?;
                Ok(match scheme.encoding {
                    Encoding::Base64 => base64::Engine::encode(&BASE64, bytes.expose_secret()),
                    _ => String::from_utf8_lossy(bytes.expose_secret()).into_owned(),
                })
            }
            Secret::Shared { key, .. } => {
                let tag = key.tag(|sink, secret| self.plan.feed(scheme, &claims, url, secret, sink));
                let tag = tag.unwrap_or_else(|| Signature::new(&[]));
                Ok(tag.encode(scheme.encoding))
            }
            #[cfg(feature = "ed25519")]
            Secret::Ed25519(private) => {
                let mut message = Vec::new();
                self.plan.feed(scheme, &claims, url, &[], &mut |piece| message.extend_from_slice(piece));
                let signature = crate::ed25519::sign(private.expose_secret(), &message).unwrap_or([0; 64]);
                Ok(Signature::new(&signature).encode(scheme.encoding))
            }
        };
        self.secrets.iter().map(sign).collect()
    }

    /// The signature's header or field, around `signatures`.
    fn value(&self, already: &str, timestamp: &str, signatures: &[String]) -> String {
        let first = signatures.first().map(String::as_str).unwrap_or_default();
        match &self.scheme.grammar {
            Grammar::Bare => first.to_owned(),
            Grammar::Prefixed(prefix) => format!("{prefix}{first}"),
            Grammar::Pairs { separator, signature } => {
                let stamp = match &self.scheme.timestamp {
                    Some(rule) => match &rule.source {
                        Source::Pair(key) => Some(format!("{key}={timestamp}")),
                        _ => None,
                    },
                    None => None,
                };
                let pairs = signatures.iter().map(|text| format!("{signature}={text}"));
                stamp.into_iter().chain(pairs).collect::<Vec<_>>().join(&separator.to_string())
            }
            Grammar::Versions(version) => {
                let before = Some(already.to_owned()).filter(|text| !text.is_empty());
                let entries = signatures.iter().map(|text| format!("{version},{text}"));
                before.into_iter().chain(entries).collect::<Vec<_>>().join(" ")
            }
        }
    }

    fn place(
        &self,
        request: &mut Request<Bytes>,
        timestamp: &str,
        signatures: &[String],
    ) -> Result<(), BuildError> {
        match &self.scheme.signature {
            Source::Json(pointer) => {
                self.set_json(request, pointer, self.value("", timestamp, signatures).into())
            }
            Source::Form(name) => {
                set_form(request, name, &self.value("", timestamp, signatures));
                Ok(())
            }
            _ => {
                let Some(header) = self.plan.signature_header() else { return Ok(()) };
                // Versions of one signature stand in one header: v1 and v1a of Standard Webhooks, say.
                let already = request.headers().get(&header).and_then(|value| value.to_str().ok());
                let text = self.value(already.unwrap_or_default(), timestamp, signatures);
                let mut value = HeaderValue::try_from(text).map_err(|_| invalid_text(self.scheme))?;
                value.set_sensitive(true);
                request.headers_mut().insert(header, value);
                Ok(())
            }
        }
    }

    fn set_header(
        &self,
        request: &mut Request<Bytes>,
        name: &HeaderName,
        text: &str,
    ) -> Result<(), BuildError> {
        let value = HeaderValue::try_from(text).map_err(|_| invalid_text(self.scheme))?;
        request.headers_mut().insert(name, value);
        Ok(())
    }

    /// Sets a value of the JSON body, and makes the objects on the way.
    fn set_json(
        &self,
        request: &mut Request<Bytes>,
        pointer: &str,
        value: serde_json::Value,
    ) -> Result<(), BuildError> {
        let not_an_object = || unsignable(self.scheme, "the body is not a JSON object; give one");
        let mut json: serde_json::Value =
            serde_json::from_slice(request.body()).map_err(|_| not_an_object())?;
        let mut place = &mut json;
        for key in pointer.split('/').skip(1) {
            let object = place.as_object_mut().ok_or_else(not_an_object)?;
            let empty = || serde_json::Value::Object(serde_json::Map::new());
            place = object.entry(key.replace("~1", "/").replace("~0", "~")).or_insert_with(empty);
        }
        *place = value;
        *request.body_mut() = json.to_string().into();
        Ok(())
    }
}

/// Adds a field to the form in the body, or replaces it.
fn set_form(request: &mut Request<Bytes>, name: &str, value: &str) {
    let kept = request.body().split(|byte| *byte == b'&').filter(|field| {
        !field.is_empty() && !form::fields(field).any(|(key, _)| form::decode(key) == name.as_bytes())
    });
    let mut fields: Vec<Vec<u8>> = kept.map(<[u8]>::to_vec).collect();
    fields.push(format!("{}={}", form::encode(name), form::encode(value)).into_bytes());
    *request.body_mut() = fields.join(&b'&').into();
}

fn unsignable(scheme: &Scheme, reason: &str) -> BuildError {
    BuildError::Unsignable { scheme: scheme.name.to_string(), reason: reason.to_owned() }
}

fn invalid_text(scheme: &Scheme) -> BuildError {
    BuildError::InvalidScheme {
        scheme: scheme.name.to_string(),
        reason: "the text round the signature cannot stand in a header; use visible ASCII".to_owned(),
    }
}
