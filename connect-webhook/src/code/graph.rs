//! Microsoft Graph: every item repeats the `clientState` of its subscription, and deliveries with resource data
//! bring JSON web tokens beside it.
//!
//! `clientState` is a shared text and no signature: it proves that the sender knows it, nothing about the rest
//! of the body, and whoever reads one delivery on its way can write others. So fetch the resource that an item
//! names rather than trust its fields. Every item must repeat one of the secrets; items of several
//! subscriptions may repeat different ones, and [`Verification::key_index`] is that of the oldest in use.
//!
//! Items with `encryptedContent` come with `validationTokens`, which are checked too. That needs feature
//! `asymmetric`; without it such a delivery is refused.

use std::fmt;
use std::marker::PhantomData;

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::*;
use crate::key::token;

/// Graph sends below 1,000; a list of millions in a body of some megabytes must not become a larger one in memory.
const MAX_ITEMS: usize = 10_000;

/// Every token costs a public-key operation. A delivery has one for every app and tenant in it, usually one.
pub(super) const MAX_TOKENS: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notifications {
    #[serde(default)]
    value: AtMost<MAX_ITEMS, Item>,
    validation_tokens: Option<AtMost<MAX_TOKENS, String>>,
}

/// A list that is refused as soon as it is longer, before it is collected.
pub(super) struct AtMost<const MOST: usize, T>(pub(super) Vec<T>);

impl<const MOST: usize, T> Default for AtMost<MOST, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'j, const MOST: usize, T: Deserialize<'j>> Deserialize<'j> for AtMost<MOST, T> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<const MOST: usize, T>(PhantomData<T>);
        impl<'j, const MOST: usize, T: Deserialize<'j>> Visitor<'j> for List<MOST, T> {
            type Value = AtMost<MOST, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'j>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    if items.len() == MOST {
                        return Err(serde::de::Error::custom("the list is too long"));
                    }
                    items.push(item);
                }
                Ok(AtMost(items))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    client_state: Option<String>,
    encrypted_content: Option<IgnoredAny>,
}

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let missing = |field: &str| VerifyError::MissingField { field: field.to_owned() };
    let Notifications { value: AtMost(value), validation_tokens: tokens } =
        serde_json::from_slice(cx.incoming.body).map_err(|_| VerifyError::MalformedBody)?;
    if value.is_empty() {
        return Err(missing("/value/0/clientState"));
    }
    let mut oldest = 0;
    for item in &value {
        let text = item.client_state.as_deref().ok_or_else(|| missing("clientState"))?;
        let presented = Signature::new(&token(text.as_bytes()));
        oldest = oldest.max(cx.matching(|key| signs(key, &presented, &[]))?);
    }
    match tokens {
        Some(AtMost(tokens)) if !tokens.is_empty() => validation_tokens(cx, &tokens)?,
        // Or leaving the tokens out would be a way round them.
        _ if value.iter().any(|item| item.encrypted_content.is_some()) => {
            return Err(missing("/validationTokens"));
        }
        _ => {}
    }
    Ok(Verification::new(oldest, None))
}

/// Checks the tokens that come with resource data; there is at least one.
#[cfg(feature = "asymmetric")]
fn validation_tokens(cx: &Context<'_>, tokens: &[String]) -> Result<(), VerifyError> {
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    super::graph_tokens::validation_tokens(cx, &tokens)
}

#[cfg(not(feature = "asymmetric"))]
fn validation_tokens(_: &Context<'_>, _: &[String]) -> Result<(), VerifyError> {
    Err(VerifyError::UnknownKey)
}

pub(super) fn sign(
    scheme: &Scheme,
    secret: &SecretString,
    request: &mut Request<Bytes>,
) -> Result<(), BuildError> {
    let no_items = || unsignable(scheme, "the body has no items in `value`; give at least one object");
    let mut json: Value = serde_json::from_slice(request.body()).map_err(|_| no_items())?;
    let items = json.get_mut("value").and_then(Value::as_array_mut);
    let items = items.filter(|items| !items.is_empty()).ok_or_else(no_items)?;
    for item in items {
        let item = item.as_object_mut().ok_or_else(no_items)?;
        item.insert("clientState".to_owned(), secret.expose_secret().into());
    }
    *request.body_mut() = json.to_string().into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::MICROSOFT_GRAPH;

    #[test]
    fn signing_writes_the_secret_into_every_item() {
        let body = r#"{"value":[{"resource":"r"},{"clientState":"another"}]}"#;
        let mut request = Request::post("/").body(Bytes::from(body)).unwrap();
        sign(&MICROSOFT_GRAPH, &"s3cret".into(), &mut request).unwrap();
        let notifications: Notifications = serde_json::from_slice(request.body()).unwrap();
        let states: Vec<_> = notifications.value.0.iter().map(|item| item.client_state.as_deref()).collect();
        assert_eq!(states, [Some("s3cret"); 2]);
    }

    #[test]
    fn a_doubled_client_state_is_malformed() {
        let doubled = r#"{"value":[{"clientState":"a","clientState":"b"}]}"#;
        assert!(serde_json::from_str::<Notifications>(doubled).is_err());
        assert!(serde_json::from_str::<Notifications>(r#"{"value":[],"value":[]}"#).is_err());
    }
}
