//! Mandrill: `X-Mandrill-Signature`, base64 of HMAC-SHA1 over the URL and the sorted form fields.
//!
//! The URL is the one in Mandrill's settings, character by character: with a query or with Basic credentials
//! if it has them there. Unlike [Twilio](super::twilio), Mandrill does not change it on the way, so no other
//! spelling is tried. A body that is not a form is refused, for nothing would cover it.

use super::*;

/// The header of the signature.
const SIGNATURE: &str = "x-mandrill-signature";

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let presented = cx.presented()?;
    let url = cx.url()?;
    if !sorted_form::is_announced(cx.incoming.headers) {
        return Err(VerifyError::MalformedBody);
    }
    let fields = sorted_form::sorted(cx.incoming.body)?;
    let key_index = cx.matching(|key| signs(key, &presented, &[url.as_bytes(), &fields]))?;
    Ok(Verification::new(key_index, None))
}

pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    request: &mut Request<Bytes>,
    url: &str,
) -> Result<(), BuildError> {
    if !sorted_form::is_announced(request.headers()) {
        return Err(unsignable(
            scheme,
            "the body is not a form; set content-type to application/x-www-form-urlencoded",
        ));
    }
    let fields = sorted_form::sorted(request.body())
        .map_err(|_| unsignable(scheme, "the form has more fields than any delivery; send fewer"))?;
    let signature = encoded(scheme, key, &[url.as_bytes(), &fields]);
    set_header(scheme, request, SIGNATURE, &signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::MANDRILL;

    #[test]
    fn only_a_form_is_signed() {
        let key = Key::new(&MANDRILL, 0, &"s3cret".into(), None).unwrap();
        let url = "https://hooks.example.com/";
        for (content_type, expected) in
            [("application/x-www-form-urlencoded", true), ("application/json", false), ("", false)]
        {
            let request = Request::post(url).header("content-type", content_type);
            let mut request = request.body(Bytes::from("mandrill_events=%5B%5D")).unwrap();
            assert_eq!(sign(&MANDRILL, &key, &mut request, url).is_ok(), expected, "{content_type}");
            assert_eq!(request.headers().contains_key(SIGNATURE), expected, "{content_type}");
        }
    }
}
