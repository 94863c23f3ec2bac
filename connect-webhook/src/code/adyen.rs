//! Adyen's payment webhooks: each item carries `additionalData.hmacSignature`, base64 of HMAC-SHA256 over
//! eight of its fields.
//!
//! The fields are joined with `:` as they stand: nothing is escaped, what is missing is empty. Every item must
//! be signed, all of them by one key, and there must be one: an empty list proves nothing. Other fields of an
//! item, such as the reason of a refusal, are not covered; fetch what you act on. A field that is there twice
//! makes the body malformed, because your parser might believe the other one.
//!
//! Adyen's banking and management webhooks sign the body: they are the row
//! [`ADYEN_BANKING`](crate::schemes::ADYEN_BANKING).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "notificationItems", default)]
    items: Vec<Wrapped>,
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "NotificationRequestItem")]
    item: Item,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    psp_reference: Option<Value>,
    original_reference: Option<Value>,
    merchant_account_code: Option<Value>,
    merchant_reference: Option<Value>,
    amount: Option<Amount>,
    event_code: Option<Value>,
    success: Option<Value>,
    additional_data: Option<AdditionalData>,
}

#[derive(Default, Deserialize)]
struct Amount {
    value: Option<Value>,
    currency: Option<Value>,
}

#[derive(Deserialize)]
struct AdditionalData {
    #[serde(rename = "hmacSignature")]
    signature: Option<String>,
}

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let items = items(cx.incoming.body)?;
    if items.is_empty() {
        return Err(VerifyError::MissingField { field: "/notificationItems/0".to_owned() });
    }
    let scheme = &cx.inner.scheme;
    let read = |(index, item): (usize, &Item)| {
        let text = item.additional_data.as_ref().and_then(|data| data.signature.as_deref());
        let text = text.ok_or_else(|| VerifyError::MissingField { field: place(index) })?;
        let signature = Signature::decode(scheme.encoding, text.as_bytes())
            .ok_or_else(|| VerifyError::BadEncoding { form: plan::form(scheme) })?;
        Ok((signed_text(item)?, signature))
    };
    let items = items.iter().enumerate().map(read).collect::<Result<Vec<_>, VerifyError>>()?;
    let key_index = cx.matching(|key| {
        // No early end: how long this takes must not tell which item failed.
        items.iter().fold(true, |all, (text, presented)| signs(key, presented, &[text.as_bytes()]) & all)
    })?;
    Ok(Verification::new(key_index, None))
}

pub(super) fn sign(scheme: &Scheme, key: &Key, request: &mut Request<Bytes>) -> Result<(), BuildError> {
    let no_items = || unsignable(scheme, "the body has no `notificationItems`; give at least one");
    let items = items(request.body()).map_err(|_| no_items())?;
    let mut json: Value = serde_json::from_slice(request.body()).map_err(|_| no_items())?;
    for (index, item) in items.iter().enumerate() {
        let text = signed_text(item).map_err(|_| {
            unsignable(scheme, "a signed field is an object or a list; give text or a number")
        })?;
        let signature = encoded(scheme, key, &[text.as_bytes()]);
        let item = json.pointer_mut(&format!("/notificationItems/{index}/NotificationRequestItem"));
        let item = item.and_then(Value::as_object_mut).ok_or_else(no_items)?;
        let data = item.entry("additionalData").or_insert(Value::Null);
        if data.is_null() {
            *data = Map::new().into();
        }
        data.as_object_mut().ok_or_else(no_items)?.insert("hmacSignature".to_owned(), signature.into());
    }
    if items.is_empty() {
        return Err(no_items());
    }
    *request.body_mut() = json.to_string().into();
    Ok(())
}

fn items(body: &[u8]) -> Result<Vec<Item>, VerifyError> {
    let notification: Notification = serde_json::from_slice(body).map_err(|_| VerifyError::MalformedBody)?;
    Ok(notification.items.into_iter().map(|wrapped| wrapped.item).collect())
}

/// What Adyen signs of one item.
fn signed_text(item: &Item) -> Result<String, VerifyError> {
    let none = Amount::default();
    let amount = item.amount.as_ref().unwrap_or(&none);
    let fields = [
        &item.psp_reference,
        &item.original_reference,
        &item.merchant_account_code,
        &item.merchant_reference,
        &amount.value,
        &amount.currency,
        &item.event_code,
        &item.success,
    ];
    let texts = fields.map(|field| match field {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(VerifyError::MalformedBody),
    });
    Ok(texts.into_iter().collect::<Result<Vec<_>, _>>()?.join(":"))
}

fn place(index: usize) -> String {
    format!("/notificationItems/{index}/NotificationRequestItem/additionalData/hmacSignature")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(item: &str) -> Result<String, VerifyError> {
        let body = format!(r#"{{"notificationItems":[{{"NotificationRequestItem":{item}}}]}}"#);
        signed_text(&items(body.as_bytes())?[0])
    }

    #[test]
    fn eight_fields_are_joined_and_what_is_missing_is_empty() {
        let whole = r#"{"pspReference":"P1","originalReference":"O1","merchantAccountCode":"Shop",
            "merchantReference":"a:b\\c","amount":{"value":1999,"currency":"EUR"},"eventCode":"CAPTURE",
            "success":"true","reason":"x","operations":["CANCEL"]}"#;
        assert_eq!(text_of(whole).unwrap(), r"P1:O1:Shop:a:b\c:1999:EUR:CAPTURE:true");
        assert_eq!(text_of("{}").unwrap(), ":::::::");
        assert_eq!(text_of(r#"{"success":false,"amount":null}"#).unwrap(), ":::::::false");
        assert_eq!(text_of(r#"{"amount":{"value":"10"}}"#).unwrap(), "::::10:::");
    }

    #[test]
    fn a_field_that_readers_may_read_differently_is_malformed() {
        for item in [
            r#"{"eventCode":"CAPTURE","eventCode":"REFUND"}"#,
            r#"{"amount":{"value":1,"value":2}}"#,
            r#"{"success":["true"]}"#,
            r#"{"additionalData":{"hmacSignature":1}}"#,
            "[]",
            "null",
        ] {
            assert_eq!(text_of(item), Err(VerifyError::MalformedBody), "{item}");
        }
    }
}
