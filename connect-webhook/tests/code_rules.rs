//! The rules in code that need only shared secrets, through the public API: what is signed verifies, and
//! nothing that was changed does.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use bytes::Bytes;
use connect_webhook::{
    BuildError, Incoming, Scheme, Signer, UnixTime, Verification, Verifier, VerifyError, schemes,
};
use http::{Method, Request};
use support::NOW;

/// Hexadecimal, so that it does for Adyen too.
const SECRET: &str = "44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056";
const OLD_SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// One provider, and what a delivery of it looks like before it is signed.
struct Case {
    scheme: &'static Scheme,
    url: &'static str,
    content_type: &'static str,
    body: &'static str,
    /// A body that the signature must not fit, if the scheme covers any of it.
    tampered: Option<(&'static str, &'static str)>,
    covers_url: bool,
    covers_method: bool,
    /// How long a signature is good.
    seconds: Option<i64>,
}

const TWILIO_FORM: Case = Case {
    scheme: &schemes::TWILIO,
    url: "https://hooks.example.com/sms?tenant=a%20b",
    content_type: FORM,
    body: "MessageSid=SM01&From=%2B4930123&Body=Gr%C3%BC%C3%9Fe+%26+mehr&NumMedia=0",
    tampered: Some(("4930123", "4930124")),
    covers_url: true,
    covers_method: false,
    seconds: None,
};

const TWILIO_JSON: Case = Case {
    content_type: JSON,
    body: r#"{"Type":"com.twilio.voice","Data":{"CallSid":"CA01"}}"#,
    tampered: Some(("CA01", "CA02")),
    ..TWILIO_FORM
};

const TWILIO_NO_BODY: Case = Case { content_type: JSON, body: "", tampered: None, ..TWILIO_FORM };

const MANDRILL: Case = Case {
    scheme: &schemes::MANDRILL,
    url: "https://user:pass@hooks.example.com/mandrill?k=1",
    content_type: FORM,
    body: "mandrill_events=%5B%7B%22event%22%3A%22open%22%2C%22_id%22%3A%22e1%22%7D%5D",
    tampered: Some(("open", "spam")),
    covers_url: true,
    covers_method: false,
    seconds: None,
};

const ADYEN: Case = Case {
    scheme: &schemes::ADYEN_PAYMENT,
    url: "https://hooks.example.com/adyen",
    content_type: JSON,
    body: r#"{"live":"false","notificationItems":[
        {"NotificationRequestItem":{"pspReference":"PSP1","merchantAccountCode":"Shop","merchantReference":"o-1",
            "amount":{"value":1130,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true"}},
        {"NotificationRequestItem":{"pspReference":"PSP2","originalReference":"PSP1","merchantAccountCode":"Shop",
            "amount":{"value":130,"currency":"EUR"},"eventCode":"REFUND","success":"true",
            "additionalData":{"expiryDate":"12/2030"}}}]}"#,
    tampered: Some(("\"value\":130", "\"value\":131")),
    covers_url: false,
    covers_method: false,
    seconds: None,
};

const CONTENTFUL: Case = Case {
    scheme: &schemes::CONTENTFUL,
    url: "https://app.example.com/hooks/contentful?env=master&x=a%20b",
    content_type: "application/vnd.contentful.management.v1+json",
    body: r#"{"sys":{"id":"entry1","type":"Entry"}}"#,
    tampered: Some(("entry1", "entry2")),
    covers_url: true,
    covers_method: true,
    seconds: Some(30),
};

const CONNECT: Case = Case {
    scheme: &schemes::ATLASSIAN_CONNECT_JWT,
    url: "https://app.example.com/hooks/jira?user_id=abc&b=2&a=x%20y&a=1",
    content_type: JSON,
    body: r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10001"}}"#,
    tampered: None,
    covers_url: true,
    covers_method: true,
    // 180 s and 30 s for clocks that differ.
    seconds: Some(180),
};

const GRAPH: Case = Case {
    scheme: &schemes::MICROSOFT_GRAPH,
    url: "https://hooks.example.com/graph",
    content_type: JSON,
    body: r#"{"value":[{"subscriptionId":"s1","changeType":"created","resource":"Users/u/Messages/m"},
        {"subscriptionId":"s2","changeType":"updated","resource":"Users/u/Messages/n"}]}"#,
    tampered: Some((SECRET, OLD_SECRET)),
    covers_url: false,
    covers_method: false,
    seconds: None,
};

const CASES: [Case; 8] =
    [TWILIO_FORM, TWILIO_JSON, TWILIO_NO_BODY, MANDRILL, ADYEN, CONTENTFUL, CONNECT, GRAPH];

impl Case {
    fn request(&self) -> Request<Bytes> {
        let request = Request::post(self.url).header("content-type", self.content_type);
        request.body(Bytes::from(self.body)).unwrap()
    }

    fn signed(&self) -> Request<Bytes> {
        self.signed_with(SECRET)
    }

    fn signed_with(&self, secret: &str) -> Request<Bytes> {
        Signer::new(self.scheme, &secret.into()).unwrap().sign(self.request(), NOW).unwrap()
    }

    fn verifier(&self) -> Verifier {
        self.verifier_of(&[SECRET])
    }

    fn verifier_of(&self, secrets: &[&str]) -> Verifier {
        let builder = Verifier::builder(self.scheme).public_url("https://hooks.example.com");
        secrets.iter().fold(builder, |builder, secret| builder.secret((*secret).into())).build().unwrap()
    }

    fn name(&self) -> String {
        format!("{} {} {:?}", self.scheme.name, self.content_type, self.body.get(..9))
    }
}

fn verify_at(
    verifier: &Verifier,
    request: &Request<Bytes>,
    now: UnixTime,
) -> Result<Verification, VerifyError> {
    // `http::Uri` keeps credentials, as the sender's URL does.
    let url = request.uri().to_string();
    let incoming =
        Incoming::post(request.headers(), request.body()).with_method(request.method()).with_url(&url);
    verifier.verify_request(&incoming, now)
}

fn code(verifier: &Verifier, request: &Request<Bytes>) -> &'static str {
    verify_at(verifier, request, NOW).map_or_else(|error| error.code(), |_| "ok")
}

fn set_url(request: &mut Request<Bytes>, url: &str) {
    *request.uri_mut() = url.parse().unwrap();
}

fn replace_in_body(request: &mut Request<Bytes>, from: &str, to: &str) {
    let text = std::str::from_utf8(request.body()).unwrap();
    assert!(text.contains(from), "{text}");
    *request.body_mut() = text.replace(from, to).into();
}

#[test]
fn what_is_signed_verifies_and_passes_the_early_check() {
    for case in CASES {
        let request = case.signed();
        assert_eq!(code(&case.verifier(), &request), "ok", "{}", case.name());
        assert_eq!(case.verifier().precheck(request.headers(), NOW), Ok(()), "{}", case.name());
        assert_eq!(code(&case.verifier_of(&[OLD_SECRET]), &request), "signature_mismatch", "{}", case.name());
    }
}

#[test]
fn every_secret_is_tried_and_the_one_that_matched_is_named() {
    for case in CASES {
        let verifier = case.verifier_of(&[SECRET, OLD_SECRET]);
        for (index, secret) in [SECRET, OLD_SECRET].into_iter().enumerate() {
            let verified = verify_at(&verifier, &case.signed_with(secret), NOW).unwrap();
            assert_eq!(verified.key_index, index, "{}", case.name());
        }
        let retired = Verifier::builder(case.scheme)
            .secret(SECRET.into())
            .secret_until(OLD_SECRET.into(), UnixTime(NOW.0 - 1))
            .public_url("https://hooks.example.com")
            .build()
            .unwrap();
        assert_eq!(code(&retired, &case.signed_with(OLD_SECRET)), "signature_mismatch", "{}", case.name());
    }
}

#[test]
fn a_changed_body_is_refused() {
    for case in CASES {
        let Some((from, to)) = case.tampered else { continue };
        let mut request = case.signed();
        replace_in_body(&mut request, from, to);
        let expected =
            if case.name() == TWILIO_JSON.name() { "body_hash_mismatch" } else { "signature_mismatch" };
        assert_eq!(code(&case.verifier(), &request), expected, "{}", case.name());
    }
}

#[test]
fn a_changed_url_or_method_is_refused_where_it_is_signed() {
    for case in CASES {
        let refused = if case.scheme == &schemes::ATLASSIAN_CONNECT_JWT {
            "qsh_mismatch"
        } else {
            "signature_mismatch"
        };
        let signed = case.signed();
        let url = signed.uri().to_string();
        let (base, query) = url.split_once('?').unwrap_or((&url, ""));
        for changed in
            [format!("{base}x?{query}"), format!("{base}?{query}&z=1"), format!("{base}?z={query}")]
        {
            let mut request = signed.clone();
            set_url(&mut request, &changed);
            let expected = if case.covers_url { refused } else { "ok" };
            assert_eq!(code(&case.verifier(), &request), expected, "{} {changed}", case.name());
        }
        let mut request = signed.clone();
        *request.method_mut() = Method::PUT;
        let expected = if case.covers_method { refused } else { "ok" };
        assert_eq!(code(&case.verifier(), &request), expected, "{}", case.name());
    }
}

#[test]
fn signatures_that_other_programs_made_verify_and_ours_are_the_same() {
    let connect = "JWT eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjbGllbnQtMSIsImlhdCI6MTc1MDAwMDAwMCwiZXhwI\
        joxNzUwMDAwMTgwLCJxc2giOiI4ZWUxZjMyZDk0ODAzOTdlNjVkMmE5ZDM5MjU2YWEzNDM5ZjgwZThiMDE4MzRiZjBjMGQ4YjZkYWRlYWYy\
        ZmYzIn0.0y_x-_mDp3JB4LFX5Ce9lghj9CL_I7fRPf_A8nA8gis";
    let contentful = "eaf0cf4cb6b302c79fce8a0c7f2bcab74ebc89ba424c7fafadffaa43b3196ce2";
    for (case, header, value) in [
        (TWILIO_FORM, "x-twilio-signature", "qlkPGPo6VRF8XXmjwYptSwbitFU="),
        (TWILIO_JSON, "x-twilio-signature", "MLZnsFrGKSv1I70UuZWCSfOFWFA="),
        (MANDRILL, "x-mandrill-signature", "B1vYxFNTpBQRONk2nU5kZPxsNHQ="),
        (CONTENTFUL, "x-contentful-signature", contentful),
        (CONNECT, "authorization", connect),
    ] {
        let mut request = case.signed();
        if case.scheme != &schemes::ATLASSIAN_CONNECT_JWT {
            assert_eq!(request.headers()[header], value);
        }
        request.headers_mut().insert(header, value.parse().unwrap());
        assert_eq!(code(&case.verifier(), &request), "ok", "{}", case.name());
    }
    let request = ADYEN.signed();
    let json: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    for (index, expected) in
        ["LStndZRVj5+wcuW5+z8fIxHzO8nYYy4aZ+InA2bzITg=", "bU3HxOEnH3sun/2v4aM8Dg397Qd1003bWUDdlAo6mpo="]
            .into_iter()
            .enumerate()
    {
        let item = &json["notificationItems"][index]["NotificationRequestItem"];
        assert_eq!(item["additionalData"]["hmacSignature"], expected);
    }
}

#[test]
fn a_signature_is_good_for_its_time_in_both_directions() {
    for case in CASES {
        let request = case.signed();
        let at = |seconds: i64| {
            let now = UnixTime(NOW.0.saturating_add(seconds));
            let verified =
                verify_at(&case.verifier(), &request, now).map_or_else(|error| error.code(), |_| "ok");
            let checked = case.verifier().precheck(request.headers(), now);
            assert_eq!(checked.map_or_else(|error| error.code(), |()| "ok"), verified, "early check");
            verified
        };
        let Some(seconds) = case.seconds else {
            assert_eq!(at(1_000_000_000), "ok", "{}", case.name());
            continue;
        };
        assert_eq!(at(seconds), "ok", "{}", case.name());
        assert_eq!(at(seconds + 1), "timestamp_too_old", "{}", case.name());
        assert_eq!(at(-30), "ok", "{}", case.name());
        assert_eq!(at(-31), "timestamp_in_future", "{}", case.name());
        assert_eq!(at(i64::MAX), "timestamp_too_old", "{}", case.name());
        let stamp = verify_at(&case.verifier(), &request, NOW).unwrap().signed_at;
        assert_eq!(stamp, Some(NOW), "{}", case.name());
        let early = Signer::new(case.scheme, &SECRET.into()).unwrap().sign(case.request(), UnixTime(-1));
        assert_eq!(early.unwrap_err(), BuildError::TimeBeforeEpoch, "{}", case.name());
    }
}

#[test]
fn a_forged_delivery_tells_nothing_of_its_time() {
    let request = CONTENTFUL.signed_with(OLD_SECRET);
    let late = UnixTime(NOW.0 + 9999);
    assert_eq!(verify_at(&CONTENTFUL.verifier(), &request, late), Err(VerifyError::SignatureMismatch));
    let request = CONNECT.signed_with(OLD_SECRET);
    assert_eq!(verify_at(&CONNECT.verifier(), &request, late), Err(VerifyError::SignatureMismatch));
}

#[test]
fn headers_that_are_missing_doubled_or_garbled_are_refused() {
    for case in CASES {
        let names: Vec<_> =
            case.signed().headers().keys().filter(|name| *name != "content-type").cloned().collect();
        for name in names {
            let mut request = case.signed();
            request.headers_mut().remove(&name);
            assert_eq!(code(&case.verifier(), &request), "missing_header", "{name}");
            if case.scheme != &schemes::ATLASSIAN_CONNECT_JWT {
                let early = case.verifier().precheck(request.headers(), NOW);
                assert_eq!(early.unwrap_err().code(), "missing_header", "{name}");
            }
            let mut request = case.signed();
            request.headers_mut().append(&name, "AAAA".parse().unwrap());
            assert_eq!(code(&case.verifier(), &request), "duplicate_header", "{name}");
            for odd in [&b""[..], b"\xff\xfe", b"!", b"JWT", b"JWT a.b.c", b"====", &b"A".repeat(100_000)] {
                let mut request = case.signed();
                request.headers_mut().insert(&name, http::HeaderValue::from_bytes(odd).unwrap());
                assert_ne!(code(&case.verifier(), &request), "ok", "{name} {}", odd.escape_ascii());
            }
        }
    }
}

#[test]
fn odd_bodies_and_urls_are_refused_without_a_panic() {
    let bodies: [&[u8]; 10] = [
        b"",
        b"\xff\xfe\0",
        b"{",
        b"[]",
        b"null",
        br#"{"value":[],"notificationItems":[]}"#,
        br#"{"value":[{}],"notificationItems":[{"NotificationRequestItem":{}}]}"#,
        br#"{"value":[1],"notificationItems":[1]}"#,
        br#"{"value":{},"notificationItems":{}}"#,
        b"%&=%zz&&=%",
    ];
    let urls =
        ["", "/", "?", "://", "https://", "https://:@:?#", "\u{e4}%", "https://hooks.example.com:99999"];
    for case in CASES {
        let signed = case.signed();
        for body in bodies.into_iter().chain([&*b"[".repeat(100_000)]) {
            if case.covers_url && body.is_empty() || case.scheme == &schemes::ATLASSIAN_CONNECT_JWT {
                continue;
            }
            let mut request = case.signed();
            *request.body_mut() = Bytes::copy_from_slice(body);
            assert_ne!(code(&case.verifier(), &request), "ok", "{} {}", case.name(), body.escape_ascii());
        }
        for url in urls.into_iter().filter(|_| case.covers_url) {
            let incoming = Incoming::post(signed.headers(), signed.body()).with_url(url);
            assert!(case.verifier().verify_request(&incoming, NOW).is_err(), "{} {url}", case.name());
        }
        if case.covers_url {
            let incoming = Incoming::post(signed.headers(), signed.body());
            let error = case.verifier().verify_request(&incoming, NOW).unwrap_err();
            assert_eq!(error, VerifyError::MissingUrl, "{}", case.name());
        }
    }
}

#[test]
fn twilio_may_have_written_the_url_in_another_way() {
    let signer = Signer::new(&schemes::TWILIO, &SECRET.into()).unwrap();
    let signed_for = |url: &str| {
        let request = Request::post(url).header("content-type", FORM).body(Bytes::from("A=1")).unwrap();
        signer.sign(request, NOW).unwrap()
    };
    let verdict = |theirs: &str, ours: &str| {
        let request = signed_for(theirs);
        let incoming = Incoming::post(request.headers(), request.body()).with_url(ours);
        TWILIO_FORM.verifier().verify_request(&incoming, NOW).is_ok()
    };
    for (theirs, ours, expected) in [
        ("https://a.example:443/x", "https://a.example/x", true),
        ("https://a.example/x", "https://a.example:443/x", true),
        ("https://a.example/x", "https://a.example:8443/x", true),
        ("http://a.example:80/x", "http://a.example/x", true),
        ("http://a.example:443/x", "http://a.example/x", false),
        ("https://u:p@a.example:443/x", "https://u:p@a.example/x", true),
        ("https://u:p@a.example/x", "https://a.example/x", false),
        ("https://a.example/x?n=o%27b", "https://a.example/x?n=o'b", true),
        ("https://a.example:443/x?n=o'b", "https://a.example/x?n=o%27b", true),
        ("https://a.example/x?n=o%22b", "https://a.example/x?n=o\"b", false),
        ("http://a.example/x", "https://a.example/x", false),
        ("https://a.example/x", "https://b.example/x", false),
    ] {
        assert_eq!(verdict(theirs, ours), expected, "{theirs} {ours}");
    }
}

#[test]
fn a_body_that_twilio_s_signature_does_not_cover_is_refused() {
    let no_body = TWILIO_NO_BODY.signed();
    for content_type in [JSON, "text/plain", "multipart/form-data", ""] {
        let mut request = TWILIO_NO_BODY.signed();
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        *request.body_mut() = Bytes::from("{\"forged\":true}");
        assert_eq!(code(&TWILIO_FORM.verifier(), &request), "missing_field", "{content_type}");
    }
    let mut get = no_body;
    *get.method_mut() = Method::GET;
    assert_eq!(code(&TWILIO_FORM.verifier(), &get), "ok");
    *get.body_mut() = Bytes::from("Body=forged");
    assert_eq!(code(&TWILIO_FORM.verifier(), &get), "missing_field");
    get.headers_mut().insert("content-type", FORM.parse().unwrap());
    assert_eq!(code(&TWILIO_FORM.verifier(), &get), "signature_mismatch");
}

#[test]
fn the_hash_of_twilio_s_body_counts_only_under_a_right_signature() {
    let mut request = TWILIO_JSON.signed();
    let upper = request.uri().to_string();
    let (start, hash) = upper.split_once("bodySHA256=").unwrap();
    for hash in ["", "zz", &hash[1..], &"0".repeat(64)] {
        set_url(&mut request, &format!("{start}bodySHA256={hash}"));
        assert_eq!(code(&TWILIO_JSON.verifier(), &request), "signature_mismatch", "{hash}");
    }
}

#[test]
fn fields_of_a_form_may_come_in_any_order_and_repeat() {
    let mut request = TWILIO_FORM.signed();
    *request.body_mut() = Bytes::from(
        "NumMedia=0&NumMedia=0&Body=Gr%c3%bc%C3%9fe%20%26%20mehr&From=%2B4930123&MessageSid=SM01",
    );
    assert_eq!(code(&TWILIO_FORM.verifier(), &request), "ok");
    *request.body_mut() = Bytes::from([request.body(), &b"&NumMedia=1"[..]].concat());
    assert_eq!(code(&TWILIO_FORM.verifier(), &request), "signature_mismatch");
}

#[test]
fn mandrill_s_url_is_taken_as_it_stands() {
    let request = MANDRILL.signed();
    for url in [
        "https://user:pass@hooks.example.com:443/mandrill?k=1",
        "https://hooks.example.com/mandrill?k=1",
        "https://user:pass@hooks.example.com/mandrill?k=1&",
    ] {
        let incoming = Incoming::post(request.headers(), request.body()).with_url(url);
        let error = MANDRILL.verifier().verify_request(&incoming, NOW).unwrap_err();
        assert_eq!(error, VerifyError::SignatureMismatch, "{url}");
    }
    let mut request = MANDRILL.signed();
    request.headers_mut().insert("content-type", JSON.parse().unwrap());
    assert_eq!(code(&MANDRILL.verifier(), &request), "malformed_body");
}

#[test]
fn every_item_of_adyen_is_signed_and_by_one_key() {
    let verifier = ADYEN.verifier_of(&[SECRET, OLD_SECRET]);
    let (one, other) = (ADYEN.signed(), ADYEN.signed_with(OLD_SECRET));
    let item = |request: &Request<Bytes>, index: usize| {
        let json: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        json["notificationItems"][index].clone()
    };
    let mut unsigned = item(&one, 1);
    unsigned["NotificationRequestItem"]["additionalData"] = serde_json::json!({ "expiryDate": "12/2030" });
    let mut garbled = item(&one, 1);
    garbled["NotificationRequestItem"]["additionalData"]["hmacSignature"] = "no base64!".into();
    for (items, expected) in [
        (vec![item(&one, 0)], "ok"),
        (vec![item(&one, 1), item(&one, 0), item(&one, 0)], "ok"),
        (vec![item(&other, 0)], "ok"),
        (vec![item(&one, 0), item(&other, 1)], "signature_mismatch"),
        (vec![item(&one, 0), unsigned], "missing_field"),
        (vec![item(&one, 0), garbled], "bad_encoding"),
        (vec![], "missing_field"),
    ] {
        let mut request = ADYEN.signed();
        *request.body_mut() = serde_json::json!({ "notificationItems": items }).to_string().into();
        assert_eq!(code(&verifier, &request), expected);
    }
    let mut request = ADYEN.signed();
    replace_in_body(
        &mut request,
        "\"eventCode\":\"REFUND\"",
        "\"eventCode\":\"REFUND\",\"eventCode\":\"CANCEL\"",
    );
    assert_eq!(code(&verifier, &request), "malformed_body");
}

#[test]
fn contentful_s_headers_are_covered_where_the_list_names_them() {
    let signer = Signer::new(&schemes::CONTENTFUL, &SECRET.into()).unwrap();
    let mut request = CONTENTFUL.request();
    request.headers_mut().insert("x-contentful-topic", " ContentManagement.Entry.publish".parse().unwrap());
    request.headers_mut().insert("x-other", "1".parse().unwrap());
    let request = signer.sign(request, NOW).unwrap();
    assert_eq!(
        request.headers()["x-contentful-signed-headers"],
        "content-type,x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic"
    );
    let with = |name: &'static str, value: &str| {
        let mut request = request.clone();
        request.headers_mut().insert(name, value.parse().unwrap());
        code(&CONTENTFUL.verifier(), &request)
    };
    assert_eq!(with("x-other", "2"), "ok");
    assert_eq!(with("x-contentful-topic", "ContentManagement.Entry.publish "), "ok");
    assert_eq!(with("x-contentful-topic", "ContentManagement.Entry.delete"), "signature_mismatch");
    assert_eq!(with("x-contentful-timestamp", "1750000000001"), "signature_mismatch");
    assert_eq!(with("x-contentful-timestamp", "1750000000000.0"), "invalid_timestamp");
    let list = "x-contentful-topic,x-contentful-timestamp,content-type,x-contentful-signed-headers";
    assert_eq!(with("x-contentful-signed-headers", list), "ok");
    let list = "content-type,x-contentful-signed-headers,x-contentful-timestamp";
    assert_eq!(with("x-contentful-signed-headers", list), "signature_mismatch");
    assert_eq!(with("x-contentful-signed-headers", "content-type"), "malformed_header");

    let mut chosen = CONTENTFUL.request();
    chosen.headers_mut().insert("x-other", "1".parse().unwrap());
    chosen.headers_mut().insert("x-contentful-signed-headers", "X-Other".parse().unwrap());
    let mut chosen = signer.sign(chosen, NOW).unwrap();
    assert_eq!(code(&CONTENTFUL.verifier(), &chosen), "ok");
    chosen.headers_mut().insert("x-other", "2".parse().unwrap());
    assert_eq!(code(&CONTENTFUL.verifier(), &chosen), "signature_mismatch");
}

/// A token of any header and claims, signed as a Connect installation signs.
fn token(header: &str, claims: &serde_json::Value) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let headers = connect_webhook::sign(&schemes::SHOPIFY, &SECRET.into(), signed.as_bytes(), NOW).unwrap();
    let tag = STANDARD.decode(headers["x-shopify-hmac-sha256"].as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

const HS256: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// `POST&/hooks/jira&a=1,x%20y&b=2&user_id=abc`
const QSH: &str = "8ee1f32d9480397e65d2a9d39256aa3439f80e8b01834bf0c0d8b6dadeaf2ff3";

fn connect_code(verifier: &Verifier, token: &str) -> &'static str {
    let mut request = CONNECT.request();
    request.headers_mut().insert("authorization", format!("JWT {token}").parse().unwrap());
    code(verifier, &request)
}

#[test]
fn a_connect_token_is_believed_only_as_a_whole() {
    let right = serde_json::json!({"iss": "client-1", "iat": NOW.0, "exp": NOW.0 + 180, "qsh": QSH});
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = right.clone();
        match value {
            serde_json::Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        claims
    };
    let verifier = Verifier::builder(&schemes::ATLASSIAN_CONNECT_JWT)
        .secret(SECRET.into())
        .public_url("https://app.example.com")
        .issuer("client-1")
        .build()
        .unwrap();
    for (header, claims, expected) in [
        (HS256, right.clone(), "ok"),
        (r#"{"alg":"none"}"#, right.clone(), "no_matching_scheme"),
        (r#"{"alg":"HS512"}"#, right.clone(), "no_matching_scheme"),
        (r#"{"alg":"RS256","kid":"k"}"#, right.clone(), "no_matching_scheme"),
        (r#"{"typ":"JWT"}"#, right.clone(), "malformed_header"),
        (HS256, with("iss", "client-2".into()), "claim_mismatch"),
        (HS256, with("iss", ().into()), "claim_mismatch"),
        (HS256, with("exp", ().into()), "claim_mismatch"),
        (HS256, with("exp", (NOW.0 - 31).into()), "timestamp_too_old"),
        (HS256, with("nbf", (NOW.0 + 31).into()), "timestamp_in_future"),
        (HS256, with("qsh", ().into()), "qsh_mismatch"),
        (HS256, with("qsh", "context-qsh".into()), "qsh_mismatch"),
        (HS256, with("qsh", 1.into()), "qsh_mismatch"),
    ] {
        assert_eq!(connect_code(&verifier, &token(header, &claims)), expected, "{header} {claims}");
    }
    let whole = token(HS256, &right);
    let (signed, _) = whole.rsplit_once('.').unwrap();
    for forged in [format!("{signed}."), format!("{signed}.AAAA"), format!("{signed}.{}", "A".repeat(400))] {
        assert_eq!(connect_code(&verifier, &forged), "signature_mismatch", "{forged}");
    }
}

#[test]
fn a_connect_token_may_stand_in_the_query_and_counts_from_the_base_url() {
    let signed = CONNECT.signed();
    let token = signed.headers()["authorization"].to_str().unwrap().strip_prefix("JWT ").unwrap().to_owned();
    let in_query = |authorization: Option<&str>| {
        let mut request = CONNECT.request();
        set_url(&mut request, &format!("{}&jwt={token}", CONNECT.url));
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        code(&CONNECT.verifier(), &request)
    };
    assert_eq!(in_query(None), "ok");
    assert_eq!(in_query(Some("Basic dTpw")), "ok");
    assert_eq!(in_query(Some(&format!("jwt {token}"))), "ok");
    assert_eq!(in_query(Some("JWT a.b.c")), "malformed_header");

    // Signed for `/hooks/jira` of an app whose base URL has the path `/app`.
    let verdict = |public_url: &str, url: &str| {
        let verifier = Verifier::builder(&schemes::ATLASSIAN_CONNECT_JWT).secret(SECRET.into());
        let verifier = verifier.public_url(public_url).build().unwrap();
        let mut request = signed.clone();
        set_url(&mut request, &format!("{url}?a=1&a=x+y&b=2&user_id=abc"));
        code(&verifier, &request)
    };
    assert_eq!(verdict("https://app.example.com/app", "https://app.example.com/app/hooks/jira"), "ok");
    assert_eq!(verdict("https://app.example.com/app/", "https://app.example.com/hooks/jira/"), "ok");
    assert_eq!(verdict("https://app.example.com", "https://app.example.com/app/hooks/jira"), "qsh_mismatch");
    assert_eq!(verdict("https://app.example.com/ho", "https://app.example.com/ho/jira"), "qsh_mismatch");
}

#[test]
fn signing_a_connect_delivery_anew_keeps_who_it_is_from() {
    let old =
        token(HS256, &serde_json::json!({"iss": "client-1", "sub": "u", "iat": 1, "exp": 2, "qsh": "x"}));
    let mut request = CONNECT.request();
    request.headers_mut().insert("authorization", format!("JWT {old}").parse().unwrap());
    let signer = Signer::new(&schemes::ATLASSIAN_CONNECT_JWT, &SECRET.into()).unwrap();
    let request = signer.sign(request, NOW).unwrap();
    let verifier = |issuer: &str| {
        let builder = Verifier::builder(&schemes::ATLASSIAN_CONNECT_JWT).secret(SECRET.into());
        builder.public_url("https://app.example.com").issuer(issuer).build().unwrap()
    };
    assert_eq!(code(&verifier("client-1"), &request), "ok");
    assert_eq!(code(&verifier("client-2"), &request), "claim_mismatch");
}

#[test]
fn every_item_of_graph_repeats_a_secret() {
    let verifier = GRAPH.verifier_of(&[SECRET, OLD_SECRET]);
    let state = |secret: &str| format!(r#"{{"clientState":"{secret}","resource":"r"}}"#);
    let encrypted = format!(r#"{{"clientState":"{SECRET}","encryptedContent":{{"data":"AAAA"}}}}"#);
    for (items, tokens, expected) in [
        (vec![state(SECRET), state(SECRET)], "", Ok(0)),
        (vec![state(SECRET), state(OLD_SECRET), state(SECRET)], "", Ok(1)),
        (vec![state(SECRET), state("guess")], "", Err("signature_mismatch")),
        (vec![state(SECRET), state("")], "", Err("signature_mismatch")),
        (vec![state(SECRET), "{}".to_owned()], "", Err("missing_field")),
        (vec![state(SECRET), r#"{"clientState":null}"#.to_owned()], "", Err("missing_field")),
        (vec![state(SECRET), r#"{"clientState":1}"#.to_owned()], "", Err("malformed_body")),
        (vec![], "", Err("missing_field")),
        (vec![state(SECRET)], r#","validationTokens":[]"#, Ok(0)),
        (vec![state(SECRET)], r#","validationTokens":null"#, Ok(0)),
        (vec![encrypted.clone()], "", Err("missing_field")),
        (vec![encrypted], r#","validationTokens":[]"#, Err("missing_field")),
    ] {
        let mut request = GRAPH.signed();
        *request.body_mut() = format!(r#"{{"value":[{}]{tokens}}}"#, items.join(",")).into();
        let verified = verify_at(&verifier, &request, NOW);
        assert_eq!(verified.map(|it| it.key_index).map_err(|error| error.code()), expected, "{items:?}");
    }
    let mut request = GRAPH.signed();
    *request.body_mut() = format!(r#"{{"value":[{}],"validationTokens":["a.b.c"]}}"#, state(SECRET)).into();
    assert!(verify_at(&verifier, &request, NOW).is_err(), "tokens that nobody checked");
}

#[test]
fn what_cannot_be_signed_says_what_to_change() {
    for (case, content_type, body) in [
        (MANDRILL, JSON, "{}"),
        (ADYEN, JSON, "{}"),
        (ADYEN, JSON, r#"{"notificationItems":[]}"#),
        (ADYEN, JSON, r#"{"notificationItems":[{"NotificationRequestItem":{"success":[]}}]}"#),
        (ADYEN, JSON, r#"{"notificationItems":[{"NotificationRequestItem":{"additionalData":1}}]}"#),
        (GRAPH, JSON, "[]"),
        (GRAPH, JSON, r#"{"value":[]}"#),
        (GRAPH, JSON, r#"{"value":[1]}"#),
    ] {
        let request = Request::post(case.url).header("content-type", content_type);
        let request = request.body(Bytes::from(body)).unwrap();
        let error = Signer::new(case.scheme, &SECRET.into()).unwrap().sign(request, NOW).unwrap_err();
        assert!(matches!(error, BuildError::Unsignable { .. }), "{body}: {error}");
    }
}

#[test]
fn neither_errors_nor_debug_show_a_secret_or_a_signature() {
    for case in CASES {
        let request = case.signed_with(OLD_SECRET);
        let verifier = case.verifier();
        let error = verify_at(&verifier, &request, NOW).unwrap_err();
        let shown = format!("{error} {error:?} {verifier:?} {:?}", request.headers());
        for (name, value) in request.headers().iter().filter(|(name, _)| *name != "content-type") {
            assert!(value.is_sensitive(), "{name}");
        }
        for secret in [SECRET, OLD_SECRET] {
            assert!(!shown.contains(secret), "{}", case.name());
        }
    }
}
