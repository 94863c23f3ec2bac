//! Verification on its own: published values, malformed headers, time windows, rotation.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use connect_webhook::scheme::{
    Algorithm, Grammar, Locator, Part, Scheme, Source, TimestampRule, TimestampUnit,
};
use connect_webhook::{BuildError, Trust, UnixTime, Verified, Verifier, VerifyError, schemes, sign};
use http::{HeaderMap, HeaderValue};
use support::{NOW, SECRET, headers, sample, verifier};

const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
    &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
    &command=%2Fwebhook-collect&text=\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SLACK_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const SLACK_TIME: i64 = 1_531_420_618;

fn slack() -> Verifier {
    Verifier::new(&schemes::SLACK, [SLACK_SECRET.into()]).unwrap()
}

fn slack_headers() -> HeaderMap {
    headers([("x-slack-signature", SLACK_SIGNATURE), ("x-slack-request-timestamp", "1531420618")])
}

fn github(signature: &str) -> HeaderMap {
    headers([("x-hub-signature-256", signature)])
}

#[test]
fn the_values_of_the_providers_own_pages_verify() {
    let github_docs = github("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    let verified = verifier(&schemes::GITHUB).verify(&github_docs, b"Hello, World!", NOW).unwrap();
    assert_eq!((verified.key_index, verified.signed_at), (0, None));

    let jira_docs = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    let jira_docs = headers([("x-hub-signature", jira_docs)]);
    verifier(&schemes::JIRA).verify(&jira_docs, b"Hello World!", NOW).unwrap();

    let verified = slack().verify(&slack_headers(), SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap();
    assert_eq!(verified.signed_at, Some(UnixTime(SLACK_TIME)));

    let signature = "v0=baa91ef62d346e56607bbdd278a8acd570b91226854f15a382f43d33be42f666";
    let second = headers([("x-slack-signature", signature), ("x-slack-request-timestamp", "1531420618")]);
    let verifier = Verifier::new(&schemes::SLACK, ["fa2c05deeef5a4077494e89f54394de0".into()]).unwrap();
    verifier.verify(&second, b"test-body", UnixTime(SLACK_TIME)).unwrap();
}

#[test]
fn signing_reproduces_the_published_signatures() {
    let signed = sign(&schemes::GITHUB, &SECRET.into(), b"Hello, World!", NOW).unwrap();
    assert_eq!(
        signed["x-hub-signature-256"],
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
    let signed =
        sign(&schemes::SLACK, &SLACK_SECRET.into(), SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap();
    assert_eq!(signed, slack_headers());
    let before_1970 = sign(&schemes::SLACK, &SLACK_SECRET.into(), b"", UnixTime(-1));
    assert_eq!(before_1970, Err(BuildError::TimeBeforeEpoch));
}

#[test]
fn upper_case_hexadecimal_is_the_same_signature() {
    let upper = github("sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17");
    verifier(&schemes::GITHUB).verify(&upper, b"Hello, World!", NOW).unwrap();
}

#[test]
fn signatures_of_the_wrong_form_are_refused_with_the_right_code() {
    let right = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let cases = [
        (right.to_owned(), "malformed_header"),
        (format!("sha1={right}"), "no_matching_scheme"),
        (format!("SHA256={right}"), "no_matching_scheme"),
        (format!("sha256={right},"), "bad_encoding"),
        (format!("sha256= {right}"), "bad_encoding"),
        (format!("sha256={}", &right[1..]), "bad_encoding"),
        (String::new(), "malformed_header"),
        ("sha256=".to_owned(), "signature_mismatch"),
        ("sha256=012345".to_owned(), "signature_mismatch"),
        (format!("sha256={}", &right[..62]), "signature_mismatch"),
        (format!("sha256={right}00"), "signature_mismatch"),
        (format!("sha256={}", right.repeat(40)), "signature_mismatch"),
        (format!("sha256={}", right.replace('7', "8")), "signature_mismatch"),
    ];
    for (signature, code) in cases {
        let error =
            verifier(&schemes::GITHUB).verify(&github(&signature), b"Hello, World!", NOW).unwrap_err();
        assert_eq!(error.code(), code, "{signature}");
    }
}

#[test]
fn one_more_byte_in_the_body_is_a_mismatch() {
    for body in [&b"Hello, World!\n"[..], b"Hello, World", b"", b"hello, World!"] {
        let headers = sign(&schemes::GITHUB, &SECRET.into(), b"Hello, World!", NOW).unwrap();
        let error = verifier(&schemes::GITHUB).verify(&headers, body, NOW).unwrap_err();
        assert_eq!(error, VerifyError::SignatureMismatch);
    }
    let tampered = format!("{SLACK_BODY}------");
    let error = slack().verify(&slack_headers(), tampered.as_bytes(), UnixTime(SLACK_TIME)).unwrap_err();
    assert_eq!(error.code(), "signature_mismatch");
}

#[test]
fn binary_and_empty_bodies_verify() {
    let all: Vec<u8> = (0..=255).collect();
    for body in [&all[..], b"", b"\0", b"\xff\xfe"] {
        for scheme in schemes::ALL {
            // Those that read the body to verify it want it to be what they read.
            let secret = sample::secret(scheme);
            if matches!(scheme.algorithm, Algorithm::Code(_)) || sample::is_unsignable(scheme) {
                continue;
            }
            let in_body = matches!(&scheme.timestamp, Some(rule) if matches!(rule.source, Source::Json(_)));
            let Ok(headers) = sign(scheme, &secret, body, NOW) else { continue };
            if !in_body {
                sample::verifier(scheme).verify(&headers, body, NOW).unwrap();
            }
        }
    }
}

#[test]
fn a_timestamp_may_be_300_s_away_and_no_more() {
    let cases = [
        (0, "ok"),
        (299, "ok"),
        (300, "ok"),
        (301, "timestamp_too_old"),
        (86_400 * 365 * 100, "timestamp_too_old"),
        (-299, "ok"),
        (-300, "ok"),
        (-301, "timestamp_in_future"),
        (i64::MIN, "timestamp_in_future"),
        (i64::MAX - SLACK_TIME, "timestamp_too_old"),
    ];
    for (later, expected) in cases {
        let now = UnixTime(SLACK_TIME.saturating_add(later));
        let verified = slack().verify(&slack_headers(), SLACK_BODY.as_bytes(), now);
        assert_eq!(verified.as_ref().map_or_else(VerifyError::code, |_| "ok"), expected, "{later}");
        let checked = slack().precheck(&slack_headers(), now);
        assert_eq!(checked.as_ref().map_or_else(VerifyError::code, |()| "ok"), expected, "{later}");
    }
}

#[test]
fn a_stale_request_with_a_bad_signature_is_a_bad_signature() {
    let error = slack().verify(&slack_headers(), b"forged", UnixTime(SLACK_TIME + 9999)).unwrap_err();
    assert_eq!(error, VerifyError::SignatureMismatch);
}

#[test]
fn a_timestamp_is_one_to_fifteen_digits() {
    for value in ["", "-1", "+1531420618", "1531420618.0", "1531420618 ", "0x5b4", "1e9", "9999999999999999"]
    {
        let mut headers = slack_headers();
        headers.insert("x-slack-request-timestamp", value.parse().unwrap());
        let error = slack().verify(&headers, SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap_err();
        assert_eq!(error.code(), "invalid_timestamp", "{value:?}");
        assert_eq!(slack().precheck(&headers, UnixTime(SLACK_TIME)).unwrap_err().code(), "invalid_timestamp");
    }
    let mut headers = slack_headers();
    headers.insert("x-slack-request-timestamp", HeaderValue::from_bytes(b"\xff\xff").unwrap());
    assert_eq!(slack().precheck(&headers, UnixTime(SLACK_TIME)).unwrap_err().code(), "invalid_timestamp");
    // The most distant timestamp that can be written is an old clock's problem, not an overflow.
    headers.insert("x-slack-request-timestamp", "999999999999999".parse().unwrap());
    assert_eq!(slack().precheck(&headers, UnixTime(SLACK_TIME)).unwrap_err().code(), "timestamp_in_future");
}

#[test]
fn every_missing_header_is_named() {
    for name in ["x-slack-signature", "x-slack-request-timestamp"] {
        let mut headers = slack_headers();
        headers.remove(name);
        let error = slack().verify(&headers, SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap_err();
        assert_eq!(error.code(), "missing_header");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_repeated_header_must_repeat_its_value() {
    for name in ["x-slack-signature", "x-slack-request-timestamp"] {
        let mut headers = slack_headers();
        let same = headers[name].clone();
        headers.append(name, same);
        slack().verify(&headers, SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap();
        headers.append(name, HeaderValue::from_static("other"));
        let error = slack().verify(&headers, SLACK_BODY.as_bytes(), UnixTime(SLACK_TIME)).unwrap_err();
        assert_eq!(error.code(), "duplicate_header");
    }
}

#[test]
fn second_secret_matches_during_rotation() {
    let headers = sign(&schemes::GITHUB, &SECRET.into(), b"{}", NOW).unwrap();
    for (secrets, expected) in [
        (vec![SECRET, "other"], Some(0)),
        (vec!["new", SECRET], Some(1)),
        (vec!["new", "newer", SECRET], Some(2)),
        // The same secret twice: the first one counts.
        (vec![SECRET, SECRET], Some(0)),
        (vec!["new", "newer"], None),
    ] {
        let verifier = Verifier::new(&schemes::GITHUB, secrets.into_iter().map(Into::into)).unwrap();
        let verification = verifier.verify(&headers, b"{}", NOW).ok();
        assert_eq!(verification.map(|verification| verification.key_index), expected);
    }
}

#[test]
fn no_secret_no_verifier() {
    let none = Verifier::new(&schemes::GITHUB, []).unwrap_err();
    assert!(matches!(none, BuildError::NoSecret { .. }) && none.to_string().contains("github"), "{none}");
    for (index, secrets) in
        [vec![""], vec!["good", " \t\r\n"], vec!["a", "b", "\u{a0}"]].into_iter().enumerate()
    {
        let error = Verifier::new(&schemes::SLACK, secrets.into_iter().map(Into::into)).unwrap_err();
        assert_eq!(error, BuildError::EmptySecret { scheme: "slack".to_owned(), index });
    }
    assert!(sign(&schemes::GITHUB, &"".into(), b"{}", NOW).is_err());
}

#[test]
fn whitespace_in_a_secret_is_part_of_it() {
    let headers = sign(&schemes::GITHUB, &"s3cret\n".into(), b"{}", NOW).unwrap();
    Verifier::new(&schemes::GITHUB, ["s3cret\n".into()]).unwrap().verify(&headers, b"{}", NOW).unwrap();
    let trimmed = Verifier::new(&schemes::GITHUB, ["s3cret".into()]).unwrap();
    assert_eq!(trimmed.verify(&headers, b"{}", NOW), Err(VerifyError::SignatureMismatch));
}

#[test]
fn a_scheme_of_the_users_own_verifies_what_it_signs() {
    let mut scheme = Scheme::new("acme", "X-Acme-Signature");
    scheme.grammar = Grammar::Bare;
    scheme.base =
        vec![Part::Timestamp, Part::Literal(".".into()), Part::Body, Part::Literal("!".into())].into();
    let mut rule = TimestampRule::header("X-Acme-Time", 60);
    rule.unit = TimestampUnit::Milliseconds;
    rule.future_seconds = 5;
    scheme.timestamp = Some(rule);
    scheme.id = vec![Locator::Header("X-Acme-Id".into())].into();

    let headers = sign(&scheme, &SECRET.into(), b"{}", NOW).unwrap();
    assert_eq!(headers["x-acme-time"], "1750000000000");
    let verifier = Verifier::new(scheme, [SECRET.into()]).unwrap();
    for (now, expected) in [
        (NOW.0, "ok"),
        (NOW.0 + 60, "ok"),
        (NOW.0 + 61, "timestamp_too_old"),
        (NOW.0 - 5, "ok"),
        (NOW.0 - 6, "timestamp_in_future"),
    ] {
        let result = verifier.verify(&headers, b"{}", UnixTime(now));
        assert_eq!(result.as_ref().map_or_else(VerifyError::code, |_| "ok"), expected);
    }
}

#[test]
fn an_opened_body_carries_its_proof() {
    let headers = sign(&schemes::GITHUB, &SECRET.into(), b"{}", NOW).unwrap();
    let opened: Verified<&[u8]> = verifier(&schemes::GITHUB).open(&headers, &b"{}"[..], NOW).unwrap();
    assert_eq!(opened, Verified::trust(&b"{}"[..], Trust::Test));
    assert!(verifier(&schemes::GITHUB).open(&headers, b"{ }", NOW).is_err());
}
