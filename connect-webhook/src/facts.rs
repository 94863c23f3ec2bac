//! What a verified payload and its headers say about themselves: the dedupe id, the event type, the key of
//! the order, and the values a handshake wants. Read in one pass, however large the payload is.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::encoding::hex;
use crate::error::{BuildError, PayloadError};
use crate::form;
use crate::plan;
use crate::pointer::{MAX_POINTERS, Pointer, Scalar, extract};
use crate::scheme::{Algorithm, Code, Grammar, Locator, Scheme, Source};

/// Longer ids are not believed: an id header is unsigned and becomes a key in somebody's database.
const MAX_ID_BYTES: usize = 256;

/// A batch of more items stays one event: a list of millions in a body of some megabytes must not become a
/// list of many more in memory. The largest of any provider is SendGrid's, of about a thousand.
const MAX_ITEMS: usize = 10_000;

/// The locators of a scheme, ready to use.
#[derive(Debug)]
pub(crate) struct Finder {
    id: Vec<Slot>,
    event: Vec<Slot>,
    ordering_key: Vec<Slot>,
    batch: Option<Vec<String>>,
    keep: Vec<HeaderName>,
    /// What [`Slot::Json`] points into; those of the handshake come last.
    pointers: Vec<Pointer>,
    handshake_from: usize,
}

/// A [`Locator`], ready to use.
#[derive(Debug)]
enum Slot {
    Header(HeaderName),
    Json(usize),
    Form(String),
}

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Facts<'p> {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) ordering_key: Option<String>,
    /// The values at the pointers of the handshake.
    pub(crate) handshake: Vec<Option<Scalar<'p>>>,
}

impl Finder {
    /// `handshake` are the pointers whose values the handshake of the scheme wants.
    pub(crate) fn compile(scheme: &Scheme, handshake: &[&str]) -> Result<Self, BuildError> {
        let mut pointers = Vec::new();
        let mut slots = |locators: &[Locator]| {
            let slot = |locator: &Locator| match locator {
                Locator::Header(name) => plan::header(scheme, name).map(Slot::Header),
                Locator::Form(name) => Ok(Slot::Form(name.to_string())),
                Locator::Json(text) => {
                    pointers.push(plan::pointer(scheme, text)?);
                    Ok(Slot::Json(pointers.len() - 1))
                }
            };
            locators.iter().map(slot).collect::<Result<Vec<_>, BuildError>>()
        };
        let (id, event) = (slots(&scheme.id)?, slots(&scheme.event)?);
        let ordering_key = slots(&scheme.ordering_key)?;
        let handshake_from = pointers.len();
        for text in handshake {
            pointers.push(plan::pointer(scheme, text)?);
        }
        if pointers.len() > MAX_POINTERS {
            return Err(BuildError::InvalidScheme {
                scheme: scheme.name.to_string(),
                reason: "it names more than 64 JSON pointers; leave some out".to_owned(),
            });
        }
        let batch = scheme.batch.as_deref().map(|text| {
            plan::pointer(scheme, text)?;
            let keys = text.split('/').skip(1);
            Ok(keys.map(|key| key.replace("~1", "/").replace("~0", "~")).collect())
        });
        let mut keep = scheme
            .keep_headers
            .iter()
            .map(|name| plan::header(scheme, name))
            .collect::<Result<Vec<_>, _>>()?;
        // The W3C trace context, so that one trace spans the sender, the inbox and the handler.
        keep.push(HeaderName::from_static("traceparent"));
        Ok(Self { id, event, ordering_key, batch: batch.transpose()?, keep, pointers, handshake_from })
    }

    /// What one payload says. Fails if it is not JSON.
    pub(crate) fn read<'p>(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        payload: &'p [u8],
    ) -> Result<Facts<'p>, PayloadError> {
        if let Some(items) = self.items(payload) {
            return self.read_batch(headers, body, payload, &items);
        }
        // No scheme of the table wants more, so that reading costs no allocation but those of the results.
        let (mut few, mut many);
        let values = match self.pointers.len() {
            count @ 0..=8 => {
                few = [const { None }; 8];
                few.get_mut(..count).unwrap_or_default()
            }
            count => {
                many = vec![None; count];
                &mut *many
            }
        };
        extract(payload, &self.pointers, values)?;
        let mut facts = self.read_values(headers, body, values);
        facts.handshake = values.get_mut(self.handshake_from..).unwrap_or_default().to_vec();
        Ok(facts)
    }

    /// The items of a batch, each a slice of the payload; `None` if it is none, or has more than
    /// [`MAX_ITEMS`].
    pub(crate) fn items<'p>(&self, payload: &'p [u8]) -> Option<Vec<&'p str>> {
        // Looked at first: most schemes have no batches, and reading a payload is not free.
        let keys = self.batch.as_ref()?;
        let mut json: &RawValue = serde_json::from_slice(payload).ok()?;
        for key in keys {
            let mut fields: std::collections::BTreeMap<std::borrow::Cow<'_, str>, &RawValue> =
                serde_json::from_str(json.get()).ok()?;
            json = fields.remove(key.as_str())?;
        }
        let Items(items) = serde_json::from_str(json.get()).ok()?;
        Some(items)
    }

    /// One item: its own id, event type and ordering key, and those of the headers.
    pub(crate) fn read_item(&self, headers: &HeaderMap, item: &[u8]) -> Result<Facts<'static>, PayloadError> {
        let mut values = vec![None; self.pointers.len()];
        extract(item, &self.pointers, &mut values)?;
        Ok(self.read_values(headers, &[], &values))
    }

    /// A batch of one is its item. A larger one has no event type, and the hash of its items' ids for an id:
    /// equal only for the same events, so that a sender may put its batches together anew.
    fn read_batch<'p>(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        payload: &'p [u8],
        items: &[&str],
    ) -> Result<Facts<'p>, PayloadError> {
        let mut values = vec![None; self.pointers.len()];
        extract(payload, &self.pointers, &mut values)?;
        let mut whole = self.read_values(headers, body, &[]);
        whole.handshake = values.split_off(self.handshake_from.min(values.len()));
        if let [item] = items {
            let one = self.read_item(headers, item.as_bytes())?;
            return Ok(Facts { handshake: whole.handshake, ..one });
        }
        if whole.id.is_none() {
            let mut hash = Sha256::new();
            let mut all = !items.is_empty();
            for item in items {
                let one = self.read_item(headers, item.as_bytes())?;
                all &= one.id.is_some();
                hash.update(one.id.unwrap_or_default());
                hash.update([0]);
            }
            whole.id = all.then(|| format!("batch:{}", hex(&hash.finalize())));
        }
        Ok(whole)
    }

    fn read_values(&self, headers: &HeaderMap, body: &[u8], values: &[Option<Scalar<'_>>]) -> Facts<'static> {
        let text = |slot: &Slot| {
            let field;
            let text = match slot {
                Slot::Header(name) => headers.get(name)?.to_str().ok()?,
                Slot::Json(index) => values.get(*index)?.as_ref()?.as_str(),
                Slot::Form(name) => {
                    field = form::field(body, name)?;
                    &field
                }
            };
            let usable = !text.trim().is_empty() && text.len() <= MAX_ID_BYTES;
            usable.then(|| text.to_owned())
        };
        Facts {
            id: self.id.iter().find_map(text),
            event: self.event.iter().find_map(text),
            ordering_key: self.ordering_key.iter().find_map(text),
            handshake: Vec::new(),
        }
    }

    /// The headers the scheme wants kept.
    pub(crate) fn kept(&self, headers: &HeaderMap) -> HeaderMap {
        let present = || self.keep.iter().filter_map(|name| Some((name, headers.get(name)?)));
        // Room for all of them at once; none for none.
        let mut kept = HeaderMap::with_capacity(present().count());
        for (name, value) in present() {
            kept.insert(name.clone(), value.clone());
        }
        kept
    }
}

/// The items of an array, at most [`MAX_ITEMS`].
struct Items<'j>(Vec<&'j str>);

impl<'j> Deserialize<'j> for Items<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'j> Visitor<'j> for Array {
            type Value = Items<'j>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of few items")
            }

            fn visit_seq<A: SeqAccess<'j>>(self, mut array: A) -> Result<Items<'j>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = array.next_element::<&RawValue>()? {
                    if items.len() == MAX_ITEMS {
                        return Err(serde::de::Error::custom("there are too many items"));
                    }
                    items.push(item.get());
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Array)
    }
}

/// The dedupe id of a delivery that names none: equal for a copy of the same request, and only for that.
///
/// What was signed beside the body is part of it, because a scheme that signs a timestamp may send equal bodies
/// for different events (a slash command typed twice). That is the signature's decoded bytes, since a captured
/// request must not become a new one by upper-casing it; and the signed time where a signature could be added.
pub(crate) fn fallback_id(body: &[u8], signature: &[u8]) -> String {
    let digest = Sha256::new().chain_update(body).chain_update(signature).finalize();
    format!("body:{}", hex(&digest))
}

/// What recognises a captured delivery that comes again under another id; `None` where the id is signed, or
/// where an equal request is no sign of a replay.
///
/// An HMAC proves the body, and the time if one is signed: where there is one place for one signature, its
/// bytes are enough and the body is not hashed again. Elsewhere whoever replays a delivery may add signatures,
/// or alter one without breaking it (ECDSA): then body and time decide. A token proves no body: who captured
/// one has no need to replay. Rules in code that sign no time (Twilio's) sign the same for one key pressed
/// twice. PayPal signs a checksum that many bodies have: its transmission is the key, whatever body came with it.
/// Hashed, so that no store holds a signature.
pub(crate) fn replay_key(
    scheme: &Scheme,
    body: &[u8],
    event: Option<&str>,
    signed_at: Option<UnixTime>,
    signature: impl FnOnce() -> Vec<u8>,
) -> Option<String> {
    if scheme.algorithm == Algorithm::Code(Code::PayPal) {
        return Some(format!("transmission:{}", hex(&Sha256::digest(signature()))));
    }
    if scheme.signs_id() || !scheme.covers_body {
        return None;
    }
    let is_code = matches!(scheme.algorithm, Algorithm::Code(_));
    let repeats = scheme.bodies_repeat
        || event.is_some_and(|event| scheme.bodies_repeat_in.iter().any(|known| known == event));
    if signed_at.is_none() && (repeats || is_code) {
        return None;
    }
    if has_one_signature(scheme) {
        return Some(format!("signature:{}", hex(&Sha256::digest(signature()))));
    }
    let time = signed_at.map_or(0, |signed| signed.0).to_be_bytes();
    Some(format!("body:{}", hex(&Sha256::new().chain_update(body).chain_update(time).finalize())))
}

/// Whether there is one place for one signature, which nobody can spell otherwise.
pub(crate) fn has_one_signature(scheme: &Scheme) -> bool {
    matches!(scheme.signature, Source::Header(_) | Source::FirstHeader(_))
        && matches!(scheme.grammar, Grammar::Bare | Grammar::Prefixed(_))
        && matches!(scheme.algorithm, Algorithm::Hmac(_))
}

/// The part of `whole` that `part` borrows, without a copy.
pub(crate) fn slice_of(whole: &Bytes, part: &str) -> Bytes {
    whole.slice_ref(part.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn an_id_that_is_blank_or_huge_is_not_an_id() {
        let finder = Finder::compile(&schemes::GITHUB, &[]).unwrap();
        for (value, expected) in [(" ", None), (&*"x".repeat(257), None), ("x", Some("x"))] {
            let mut headers = HeaderMap::new();
            headers.insert("x-github-delivery", value.parse().unwrap());
            let facts = finder.read(&headers, b"", b"{}").unwrap();
            assert_eq!(facts.id.as_deref(), expected);
        }
    }

    #[test]
    fn only_ids_that_nobody_signed_need_a_replay_key() {
        let signed = Some(UnixTime(1));
        let expected = [
            (&schemes::GITHUB, None, Some("signature")),
            (&schemes::JIRA, None, Some("signature")),
            // Inside its window, a signed time does not help: both keys are there, and each has its place.
            (&schemes::BOX, signed, Some("body")),
            // The id is in the signed body, or beside it.
            (&schemes::VERCEL, None, None),
            (&schemes::SLACK, signed, None),
            (&schemes::STANDARD_WEBHOOKS, signed, None),
            // The signed checksum proves no body, and the transmission is signed.
            (&schemes::PAYPAL, signed, Some("transmission")),
            // A token proves no body.
            (&schemes::GITLAB_TOKEN, None, None),
            // Equal requests that are different events.
            (&schemes::SHOPIFY, None, None),
            (&schemes::TWILIO, None, None),
        ];
        for (scheme, signed_at, expected) in expected {
            let key = replay_key(scheme, b"{}", None, signed_at, || b"1".to_vec());
            assert_eq!(key.as_deref().and_then(|key| key.split(':').next()), expected, "{}", scheme.name);
        }
    }

    #[test]
    fn a_signature_that_was_added_makes_no_new_delivery_and_another_time_does() {
        let key = |time, signature: &[u8]| {
            replay_key(&schemes::BOX, b"{}", None, Some(UnixTime(time)), || signature.to_vec()).unwrap()
        };
        assert_eq!(key(1, b"good"), key(1, b"goodbad"));
        assert_ne!(key(1, b"good"), key(2, b"good"));
    }

    #[test]
    fn a_batch_has_the_id_of_its_only_item_or_of_all_of_them() {
        let finder = Finder::compile(&schemes::HUBSPOT_V3, &[]).unwrap();
        let id = |payload: &str| finder.read(&HeaderMap::new(), b"", payload.as_bytes()).unwrap().id;
        assert_eq!(id(r#"[{"eventId":1}]"#).as_deref(), Some("1"));
        let two = id(r#"[{"eventId":1},{"eventId":2}]"#).unwrap();
        assert!(two.starts_with("batch:"));
        assert_ne!(id(r#"[{"eventId":1},{"eventId":3}]"#).unwrap(), two, "no event is lost with the batch");
        assert_eq!(id(r#"[{"eventId":1},{}]"#), None);
        assert_eq!(id("[]"), None);
    }
}
