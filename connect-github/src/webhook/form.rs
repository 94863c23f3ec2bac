//! Deliveries as a form, which a webhook's settings offer beside JSON: the JSON is the field `payload`.

use std::borrow::Cow;

use connect_webhook::PayloadError;
use percent_encoding::percent_decode;

/// The JSON of a body. The signature is over the body as it came.
pub(super) fn payload<'b>(content_type: Option<&str>, body: &'b [u8]) -> Result<Cow<'b, [u8]>, PayloadError> {
    let essence =
        content_type.and_then(|text| text.split(';').next()).map(|text| text.trim().to_ascii_lowercase());
    match essence.as_deref() {
        Some("application/x-www-form-urlencoded") => {
            let mut fields = body.split(|byte| *byte == b'&');
            let value = fields.find_map(|field| field.strip_prefix(b"payload="));
            let value = value.ok_or(PayloadError::MissingPayloadField)?;
            let spaced: Vec<u8> = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            Ok(Cow::Owned(percent_decode(&spaced).collect()))
        }
        Some(essence) if essence != "application/json" && !essence.ends_with("+json") => {
            Err(PayloadError::UnsupportedContentType)
        }
        _ => Ok(Cow::Borrowed(body)),
    }
}
