//! Bodies of type `application/x-www-form-urlencoded`.
//!
//! GitHub (if set so) and Slack's interactivity send their JSON as the form field `payload`; slash commands
//! are plain forms. The signature always covers the raw form, so this runs after verification. Escapes that
//! are not escapes are kept as they stand, as browsers do; text that is not UTF-8 is an error and not
//! repaired.

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::error::PayloadError;
use crate::pointer::Scalar;
use crate::scheme::FormRule;

/// The JSON text that a form stands for.
pub(crate) fn payload(rule: &FormRule, body: &[u8]) -> Result<Bytes, PayloadError> {
    let find =
        |name: &str| fields(body).find(|(key, _)| is(key, name)).map(|(_, value)| decode(value).into());
    match rule {
        FormRule::Refuse => Err(PayloadError::UnsupportedContentType),
        FormRule::Fields => as_object(body),
        FormRule::Field(name) => find(name).ok_or(PayloadError::MissingPayloadField),
        FormRule::FieldOrFields(name) => find(name).map_or_else(|| as_object(body), Ok),
    }
}

/// The first field of this name, if it is UTF-8.
pub(crate) fn field(body: &[u8], name: &str) -> Option<String> {
    scalar(body, name).map(|value| value.as_str().to_owned())
}

/// The same, borrowed where nothing is encoded.
pub(crate) fn scalar<'b>(body: &'b [u8], name: &str) -> Option<Scalar<'b>> {
    let (_, value) = fields(body).find(|(key, _)| is(key, name))?;
    if is_plain(value) {
        std::str::from_utf8(value).ok().map(Scalar::Borrowed)
    } else {
        String::from_utf8(decode(value)).ok().map(Scalar::Owned)
    }
}

/// Whether an encoded name is this one.
fn is(key: &[u8], name: &str) -> bool {
    if is_plain(key) { key == name.as_bytes() } else { decode(key) == name.as_bytes() }
}

fn is_plain(raw: &[u8]) -> bool {
    !raw.iter().any(|byte| matches!(byte, b'%' | b'+'))
}

/// The parameter of this name of a query, decoded.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    field(query.as_bytes(), name)
}

/// Text as the value of a field.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn as_object(body: &[u8]) -> Result<Bytes, PayloadError> {
    let text = |raw| String::from_utf8(decode(raw)).map_err(|_| PayloadError::NotUtf8);
    let mut object = Map::new();
    for (key, value) in fields(body) {
        let value = text(value)?;
        object.entry(text(key)?).or_insert(Value::String(value));
    }
    Ok(Value::Object(object).to_string().into())
}

/// Still encoded names and values.
pub(crate) fn fields(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(|field| {
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    })
}

pub(crate) fn decode(raw: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_field_is_decoded() {
        let cases: [(&[u8], &[u8]); 5] = [
            (b"payload=%7B%22a%22%3A%22b+c%22%7D", br#"{"a":"b c"}"#),
            (b"x=1&payload=a%2Bb&payload=second", b"a+b"),
            (b"%70ayload=1", b"1"),
            (b"payload=%zz%4", b"%zz%4"),
            (b"&&payload", b""),
        ];
        for (form, expected) in cases {
            assert_eq!(payload(&FormRule::Field("payload".into()), form).unwrap(), expected);
        }
    }

    #[test]
    fn a_form_without_payload_depends_on_the_scheme() {
        let form = b"command=%2Fdeploy&text=now+please&text=again&empty=";
        let missing = payload(&FormRule::Field("payload".into()), form);
        assert!(matches!(missing, Err(PayloadError::MissingPayloadField)));
        let object = payload(&FormRule::FieldOrFields("payload".into()), form).unwrap();
        assert_eq!(object, r#"{"command":"/deploy","empty":"","text":"now please"}"#);
        let refused = payload(&FormRule::Refuse, b"payload={}");
        assert!(matches!(refused, Err(PayloadError::UnsupportedContentType)));
    }

    #[test]
    fn fields_that_are_not_utf8_are_an_error() {
        assert!(matches!(
            payload(&FormRule::FieldOrFields("payload".into()), b"a=%ff"),
            Err(PayloadError::NotUtf8)
        ));
    }
}
