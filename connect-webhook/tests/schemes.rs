//! What holds for every built-in scheme that can be signed here.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use bytes::Bytes;
use connect_webhook::scheme::{Algorithm, Scheme};
use connect_webhook::{BuildError, Incoming, Signer, UnixTime, Verifier, VerifyError, schemes};
use http::{HeaderName, Request};
use support::NOW;
use support::sample::{
    builder, check, covers_body, is_unsignable, other_secret, secret, sign, signed, unsigned, verifier,
    verifying_secret,
};

fn signable() -> impl Iterator<Item = &'static Scheme> {
    schemes::ALL.iter().copied().filter(|scheme| !is_unsignable(scheme))
}

/// The headers that a signature needs.
fn signature_headers(scheme: &Scheme, request: &Request<Bytes>) -> Vec<HeaderName> {
    let before = unsigned(scheme);
    request.headers().keys().filter(|name| !before.headers().contains_key(*name)).cloned().collect()
}

#[test]
fn there_are_as_many_schemes_as_the_catalogue_has_and_most_can_be_signed() {
    assert!(schemes::ALL.len() >= 65);
    assert!(signable().count() >= 60);
}

#[test]
fn what_is_signed_verifies_and_tells_which_secret_it_was() {
    for scheme in signable() {
        let request = signed(scheme, NOW);
        let verification = check(&verifier(scheme), &request, NOW)
            .unwrap_or_else(|error| panic!("{}: {error}", scheme.name));
        assert_eq!(verification.key_index, 0);
        let rotated = builder(scheme)
            .secret(verifying_secret(scheme, &other_secret(scheme)))
            .secret(verifying_secret(scheme, &secret(scheme)))
            .build()
            .unwrap();
        assert_eq!(check(&rotated, &request, NOW).unwrap().key_index, 1, "{}", scheme.name);
    }
}

#[test]
fn another_secret_verifies_nothing() {
    for scheme in signable() {
        let request = sign(scheme, &other_secret(scheme), unsigned(scheme), NOW).unwrap();
        let error = check(&verifier(scheme), &request, NOW).unwrap_err();
        assert_eq!(error, VerifyError::SignatureMismatch, "{}", scheme.name);
    }
}

#[test]
fn a_changed_body_verifies_only_where_the_row_says_that_bodies_are_not_signed() {
    for scheme in signable() {
        let request = signed(scheme, NOW);
        for position in [0, request.body().len() / 2, request.body().len() - 1] {
            let mut bytes = request.body().to_vec();
            bytes[position] ^= 1;
            let changed = request.clone().map(|_| Bytes::from(bytes));
            let result = check(&verifier(scheme), &changed, NOW);
            if covers_body(scheme) {
                assert!(result.is_err(), "{} at {position}", scheme.name);
            }
        }
        let longer = request.clone().map(|body| Bytes::from([&body[..], b"\n"].concat()));
        if covers_body(scheme) {
            assert!(check(&verifier(scheme), &longer, NOW).is_err(), "{}", scheme.name);
        }
    }
}

#[test]
fn every_header_of_a_signature_is_needed() {
    for scheme in signable() {
        let request = signed(scheme, NOW);
        for name in signature_headers(scheme, &request) {
            let mut without = request.clone();
            without.headers_mut().remove(&name);
            let error = check(&verifier(scheme), &without, NOW).unwrap_err();
            assert_eq!(error.code(), "missing_header", "{} without {name}: {error}", scheme.name);
            let precheck = verifier(scheme).precheck(without.headers(), NOW);
            if !scheme.name.starts_with("atlassian") {
                assert_eq!(precheck.unwrap_err().code(), "missing_header", "{}", scheme.name);
            }
        }
    }
}

#[test]
fn a_header_that_comes_twice_must_be_the_same_twice() {
    for scheme in signable() {
        let request = signed(scheme, NOW);
        for name in signature_headers(scheme, &request) {
            let mut same = request.clone();
            let value = same.headers()[&name].clone();
            same.headers_mut().append(&name, value);
            assert!(check(&verifier(scheme), &same, NOW).is_ok(), "{} {name}", scheme.name);
            let mut other = request.clone();
            other.headers_mut().append(&name, "other".parse().unwrap());
            let error = check(&verifier(scheme), &other, NOW).unwrap_err();
            assert_eq!(error.code(), "duplicate_header", "{} {name}", scheme.name);
        }
    }
}

#[test]
fn a_window_ends_to_the_second_in_both_directions() {
    let mut windows = 0;
    for scheme in signable() {
        let Some(rule) = &scheme.timestamp else { continue };
        windows += 1;
        let request = signed(scheme, NOW);
        let (past, future) = (i64::from(rule.past_seconds), i64::from(rule.future_seconds));
        for (later, expected) in [
            (past, None),
            (past + 1, Some("timestamp_too_old")),
            (-future, None),
            (-future - 1, Some("timestamp_in_future")),
            (i64::MAX - NOW.0, Some("timestamp_too_old")),
            (i64::MIN, Some("timestamp_in_future")),
        ] {
            let result = check(&verifier(scheme), &request, UnixTime(NOW.0.saturating_add(later)));
            assert_eq!(result.err().map(|error| error.code()), expected, "{} {later}", scheme.name);
        }
        assert_eq!(check(&verifier(scheme), &request, NOW).unwrap().signed_at, Some(NOW));
    }
    assert!(windows > 15, "{windows}");
}

#[test]
fn a_signature_over_an_old_time_does_not_tell_that_only_the_time_is_wrong() {
    for scheme in signable().filter(|scheme| scheme.timestamp.is_some()) {
        let forged = sign(scheme, &other_secret(scheme), unsigned(scheme), UnixTime(7)).unwrap();
        let error = check(&verifier(scheme), &forged, NOW).unwrap_err();
        assert_eq!(error, VerifyError::SignatureMismatch, "{}", scheme.name);
    }
}

#[test]
fn a_secret_is_good_until_its_date() {
    for scheme in signable() {
        let secret = verifying_secret(scheme, &secret(scheme));
        let request = signed(scheme, NOW);
        for (end, expected) in [(NOW.0, true), (NOW.0 - 1, false)] {
            let verifier = builder(scheme).secret_until(secret.clone(), UnixTime(end)).build().unwrap();
            assert_eq!(check(&verifier, &request, NOW).is_ok(), expected, "{}", scheme.name);
        }
    }
}

#[test]
fn no_secret_and_no_usable_secret_build_nothing() {
    for scheme in schemes::ALL.iter().filter(|scheme| scheme.needs_secret()) {
        let missing_feature = |error: &BuildError| matches!(error, BuildError::MissingFeature { .. });
        let error = builder(scheme).build().unwrap_err();
        assert!(matches!(error, BuildError::NoSecret { .. }), "{}: {error}", scheme.name);
        for text in ["", " ", "\n\t", &scheme.secret.prefix, &format!("{}  ", scheme.secret.prefix)] {
            let error = builder(scheme).secret(text.into()).build().unwrap_err();
            let is_refused = matches!(error, BuildError::EmptySecret { index: 0, .. });
            assert!(is_refused || missing_feature(&error), "{}: {error}", scheme.name);
        }
        let unnamed = builder(scheme).await_secret().build();
        let is_handed_out = ["asana", "notion"].contains(&&*scheme.name);
        assert_eq!(unnamed.is_ok(), is_handed_out, "{}", scheme.name);
    }
}

#[test]
fn weak_schemes_need_leave() {
    let weak: Vec<_> = schemes::ALL.iter().filter(|scheme| scheme.weak).collect();
    assert_eq!(weak.len(), 3);
    for scheme in weak {
        let error = Verifier::new(*scheme, [secret(scheme)]).unwrap_err();
        assert!(matches!(error, BuildError::WeakScheme { .. }));
    }
}

#[test]
fn a_body_in_pieces_verifies_as_a_whole_does_wherever_the_scheme_allows() {
    let mut streamed = 0;
    for scheme in signable() {
        let request = signed(scheme, NOW);
        let url = request.uri().to_string();
        let head = Incoming::post(request.headers(), b"").with_url(&url);
        let Some(_) = verifier(scheme).stream(&head, NOW).unwrap() else { continue };
        streamed += 1;
        for size in [1, 7, 1000] {
            let verifier = verifier(scheme);
            let mut stream = verifier.stream(&head, NOW).unwrap().unwrap();
            request.body().chunks(size).for_each(|piece| stream.update(piece));
            assert_eq!(stream.finish(), check(&verifier, &request, NOW), "{}", scheme.name);
            let mut stream = verifier.stream(&head, NOW).unwrap().unwrap();
            stream.update(b"another body");
            assert_eq!(stream.finish(), Err(VerifyError::SignatureMismatch), "{}", scheme.name);
        }
    }
    assert!(streamed >= 45, "{streamed}");
}

#[test]
fn several_secrets_sign_at_once_where_a_signature_has_room() {
    for scheme in [&schemes::STANDARD_WEBHOOKS, &schemes::STRIPE, &schemes::PADDLE, &schemes::PAGERDUTY] {
        let (new, old) = (secret(scheme), other_secret(scheme));
        let signer = Signer::with_secrets(scheme, [&new, &old]).unwrap();
        let request = signer.sign(unsigned(scheme), NOW).unwrap();
        for secret in [new, old] {
            let verifier = builder(scheme).secret(secret).build().unwrap();
            assert!(check(&verifier, &request, NOW).is_ok(), "{}", scheme.name);
        }
    }
}

#[cfg(feature = "ed25519")]
#[test]
fn both_versions_of_standard_webhooks_stand_in_one_header() {
    let (v1, v1a) = (&schemes::STANDARD_WEBHOOKS, &schemes::STANDARD_WEBHOOKS_V1A);
    let request = sign(v1, &secret(v1), unsigned(v1), NOW).unwrap();
    let request = sign(v1a, &secret(v1a), request, NOW).unwrap();
    for scheme in [v1, v1a] {
        check(&verifier(scheme), &request, NOW).unwrap();
    }
}

#[test]
fn a_scheme_read_from_toml_is_the_row_it_was_written_from() {
    for scheme in schemes::ALL {
        let text = toml::to_string(scheme).unwrap();
        let back: Scheme = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(&back, *scheme, "{text}");
    }
}

#[test]
fn whatever_is_not_signed_is_said_in_the_row() {
    for scheme in schemes::ALL {
        let is_token = scheme.algorithm == Algorithm::Token;
        assert!(!(is_token && scheme.covers_body), "{}", scheme.name);
    }
    let unsigned_ids: Vec<_> =
        schemes::ALL.iter().filter(|scheme| !scheme.signs_id()).map(|scheme| &*scheme.name).collect();
    for expected in ["github", "jira", "shopify", "gitlab_token", "telegram"] {
        assert!(unsigned_ids.contains(&expected), "{expected}");
    }
    for signed in ["standard_webhooks", "stripe", "slack", "square", "twitch"] {
        assert!(!unsigned_ids.contains(&signed), "{signed}");
    }
}

#[test]
fn a_captured_request_is_not_a_new_one_because_somebody_added_a_signature() {
    for (scheme, more) in [
        (&schemes::CALENDLY, ",v1=00"),
        (&schemes::BUILDKITE, ",signature=00"),
        (&schemes::WORKOS, ", v1=00"),
        (&schemes::CIRCLECI, ",v1=00"),
    ] {
        let mut scheme = scheme.clone();
        scheme.id = Vec::new().into();
        let request = signed(&scheme, NOW);
        let id = |request: &Request<Bytes>| {
            let incoming = Incoming::post(request.headers(), request.body());
            assert!(check(&verifier(&scheme), request, NOW).is_ok());
            verifier(&scheme).describe(&incoming, NOW).id
        };
        let name = signature_headers(&scheme, &request).remove(0);
        let mut padded = request.clone();
        let value = format!("{}{more}", request.headers()[&name].to_str().unwrap());
        padded.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(id(&padded), id(&request), "{}", scheme.name);
        if scheme.timestamp.is_some() {
            let later = signed(&scheme, UnixTime(NOW.0 - 1));
            assert_ne!(id(&later), id(&request), "the same body at another time is another event");
        }
    }
}

#[test]
fn the_short_way_to_sign_either_verifies_or_says_that_it_cannot() {
    let mut signed = 0;
    for scheme in signable() {
        let body = unsigned(scheme).into_body();
        let Ok(headers) = connect_webhook::sign(scheme, &secret(scheme), &body, NOW) else { continue };
        signed += 1;
        verifier(scheme)
            .verify(&headers, &body, NOW)
            .unwrap_or_else(|error| panic!("{}: {error}", scheme.name));
    }
    assert!(signed > 50, "{signed}");
}

#[test]
fn the_name_of_basic_authentication_has_no_case() {
    let request = signed(&schemes::POSTMARK, NOW);
    let value = request.headers()["authorization"].to_str().unwrap().replace("Basic", "bASIC");
    let mut other = request.clone();
    other.headers_mut().insert("authorization", value.parse().unwrap());
    assert!(check(&verifier(&schemes::POSTMARK), &other, NOW).is_ok());
}

#[test]
fn a_prefix_that_everybody_knows_is_no_secret() {
    for (scheme, text) in
        [(&schemes::STRIPE, "whsec_"), (&schemes::PADDLE, "pdl_ntfset_"), (&schemes::TWITCH, "short")]
    {
        assert!(Verifier::new(scheme, [text.into()]).is_err(), "{text}");
    }
    let long = format!("whsec_{}", "A".repeat(88));
    assert!(Verifier::new(&schemes::STANDARD_WEBHOOKS, [long.as_str().into()]).is_err());
}

#[test]
fn bodies_that_may_repeat_are_no_replays_and_not_lost() {
    for (scheme, event) in [("github", "membership"), ("github", "workflow_dispatch")] {
        assert!(schemes::named(scheme).unwrap().bodies_repeat_in.iter().any(|known| known == event));
    }
    for name in ["shopify", "woocommerce", "bitbucket", "gitea", "attio", "dropbox", "microsoft_graph"] {
        assert!(schemes::named(name).unwrap().bodies_repeat, "{name}");
    }
}
