//! Handshakes: what is answered, in which order, and what is never answered.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connect_webhook::{
    BuildError, ConfirmSubscription, Endpoint, Receiver, Registration, Scheme, SecretSink, SecretString,
    SinkError, UnixTime, Verifier, async_trait, schemes,
};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use secrecy::ExposeSecret;
use support::{Log, Memory, NOW, SECRET, receiver, receiver_at, signed, text, verifier, with};

const CHALLENGE: &str = r#"{"token":"x","challenge":"3eZbrw1aB<b>","type":"url_verification"}"#;

fn ask(method: &str, path: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::default()).unwrap()
}

fn is_plain_text(response: &Response<Bytes>) -> bool {
    response.headers()["content-type"] == "text/plain; charset=utf-8"
        && response.headers()["x-content-type-options"] == "nosniff"
}

#[tokio::test]
async fn url_verification_answers_the_challenge_only_when_signed() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::SLACK, Arc::clone(&sink));
    let response = receiver.receive("default", "slack", signed(&schemes::SLACK, CHALLENGE)).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, "3eZbrw1aB<b>"));
    assert!(is_plain_text(&response));

    let forged = with(signed(&schemes::SLACK, CHALLENGE), "x-slack-signature", "v0=00");
    let response = receiver.receive("default", "slack", forged).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(!text(&response).contains("3eZbrw1aB"));

    assert_eq!(sink.count(), 0, "a handshake is no event");
    assert_eq!((receiver.counters().handshakes, receiver.counters().accepted), (1, 0));
}

#[tokio::test]
async fn url_verification_without_a_challenge_or_with_a_huge_one_is_400() {
    let huge = format!(r#"{{"type":"url_verification","challenge":"{}"}}"#, "x".repeat(4097));
    for body in [
        r#"{"type":"url_verification"}"#,
        r#"{"type":"url_verification","challenge":{}}"#,
        r#"{"type":"url_verification","challenge":""}"#,
        &huge,
    ] {
        let response = receiver(&schemes::SLACK, Arc::default())
            .receive("default", "slack", signed(&schemes::SLACK, body))
            .await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn other_providers_do_not_echo_challenges() {
    let sink = Arc::new(Memory::default());
    let request = signed(&schemes::GITHUB, CHALLENGE);
    let response = receiver(&schemes::GITHUB, Arc::clone(&sink)).receive("default", "github", request).await;
    assert_eq!((response.status(), sink.count()), (StatusCode::ACCEPTED, 1));
}

#[tokio::test]
async fn zooms_validation_is_answered_with_the_secret_that_matched() {
    let verifier = Verifier::new(&schemes::ZOOM, ["the next one".into(), SECRET.into()]).unwrap();
    let receiver = receiver_at(Endpoint::new("default", "zoom", verifier), Arc::default());
    let body = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event":"endpoint.url_validation"}"#;
    let response = receiver.receive("default", "zoom", signed(&schemes::ZOOM, body)).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    // GitHub's scheme is the plain HMAC that Zoom wants back.
    let expected =
        connect_webhook::sign(&schemes::GITHUB, &SECRET.into(), b"qgg8vlvZRS6UYooatFL8Aw", NOW).unwrap();
    let expected = expected["x-hub-signature-256"].to_str().unwrap().trim_start_matches("sha256=");
    let expected = format!(r#"{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{expected}"}}"#);
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, &*expected));

    let forged = with(signed(&schemes::ZOOM, body), "x-zm-signature", "v0=00");
    assert_eq!(receiver.receive("default", "zoom", forged).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn twitchs_challenge_is_echoed_and_a_revocation_is_an_event() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::TWITCH, Arc::clone(&sink));
    let typed = |body: &str, kind: &str| {
        let request = with(signed(&schemes::TWITCH, body), "twitch-eventsub-message-type", kind);
        with(request, "twitch-eventsub-subscription-type", "channel.follow")
    };
    let verification = r#"{"challenge":"pogchamp-kappa","subscription":{"type":"channel.follow"}}"#;
    let response =
        receiver.receive("default", "twitch", typed(verification, "webhook_callback_verification")).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, "pogchamp-kappa"));
    assert!(is_plain_text(&response));
    assert_eq!(sink.count(), 0);

    let revoked = r#"{"subscription":{"status":"authorization_revoked","type":"channel.follow"}}"#;
    receiver.receive("default", "twitch", typed(revoked, "revocation")).await;
    assert_eq!(sink.last().event.as_deref(), Some("revocation"));
    receiver.receive("default", "twitch", typed(r#"{"event":{}}"#, "notification")).await;
    assert_eq!(sink.last().event.as_deref(), Some("channel.follow"));
}

#[cfg(feature = "ed25519")]
#[tokio::test]
async fn discords_pings_are_told_from_its_events() {
    // The public key of the seed of 32 sevens.
    let seed = "07".repeat(32);
    let public = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
    let sink = Arc::new(Memory::default());
    let verifier = Verifier::new(&schemes::DISCORD, [public.into()]).unwrap();
    let receiver = receiver_at(Endpoint::new("default", "discord", verifier), Arc::clone(&sink));
    for (body, status, answer, events) in [
        (r#"{"id":"1","type":1,"version":1}"#, 200, r#"{"type":1}"#, 0),
        (r#"{"version":1,"application_id":"1","type":0}"#, 204, "", 0),
        (r#"{"version":1,"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}"#, 204, "", 1),
        (r#"{"id":"2","type":2,"data":{}}"#, 204, "", 2),
    ] {
        let headers =
            connect_webhook::sign(&schemes::DISCORD, &seed.as_str().into(), body.as_bytes(), NOW).unwrap();
        let mut request = Request::post("/").body(Full::<Bytes>::from(body.to_owned())).unwrap();
        *request.headers_mut() = headers;
        let response = receiver.receive("default", "discord", request).await;
        assert_eq!(
            (response.status().as_u16(), text(&response), sink.count()),
            (status, answer, events),
            "{body}"
        );
    }
    let forged = with(ask("POST", "/"), "x-signature-ed25519", &"00".repeat(64));
    let forged =
        with(forged, "x-signature-timestamp", "1750000000").map(|_| Full::<Bytes>::from(r#"{"type":1}"#));
    assert_eq!(receiver.receive("default", "discord", forged).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn xeros_intent_to_receive_gets_200_or_401_without_a_body() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::XERO, Arc::clone(&sink));
    let intent = r#"{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
    let good = receiver.receive("default", "xero", signed(&schemes::XERO, intent)).await;
    assert_eq!((good.status(), text(&good), sink.count()), (StatusCode::OK, "", 0));
    let forged = with(signed(&schemes::XERO, intent), "x-xero-signature", "AAAA");
    let bad = receiver.receive("default", "xero", forged).await;
    assert_eq!((bad.status(), text(&bad), bad.headers().len()), (StatusCode::UNAUTHORIZED, "", 0));

    let event = r#"{"events":[{"resourceId":"1","eventType":"Update"}],"firstEventSequence":1,"lastEventSequence":1}"#;
    receiver.receive("default", "xero", signed(&schemes::XERO, event)).await;
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn metas_challenge_is_echoed_for_our_verify_token_alone() {
    let verifier = Verifier::builder(&schemes::META)
        .secret(SECRET.into())
        .verify_token("tok en".into())
        .build()
        .unwrap();
    let receiver = receiver_at(Endpoint::new("default", "meta", verifier), Arc::default());
    for (query, status, answer) in [
        ("?hub.mode=subscribe&hub.challenge=115820%3C4444&hub.verify_token=tok+en", 200, "115820<4444"),
        ("?hub.mode=subscribe&hub.challenge=1158204444&hub.verify_token=token", 403, ""),
        ("?hub.mode=subscribe&hub.challenge=1158204444&hub.verify_token=", 403, ""),
        ("?hub.mode=subscribe&hub.challenge=1158204444", 403, ""),
        ("?hub.mode=subscribe&hub.verify_token=tok+en", 400, ""),
        ("?hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=tok+en", 400, ""),
        ("", 400, ""),
    ] {
        let response = receiver.receive("default", "meta", ask("GET", &format!("/meta{query}"))).await;
        assert_eq!(response.status(), status, "{query}");
        assert!(!text(&response).contains("1158204444"));
        if status == 200 {
            assert_eq!(text(&response), answer);
            assert!(is_plain_text(&response));
        }
    }
    let tokenless = support::receiver(&schemes::META, Arc::default());
    let request = ask("GET", "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=");
    assert_eq!(tokenless.receive("default", "meta", request).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn oktas_verification_is_answered_after_its_token() {
    let receiver = receiver(&schemes::OKTA, Arc::default());
    let get = |token: &str| {
        let request = with(ask("GET", "/okta"), "authorization", token);
        with(request, "x-okta-verification-challenge", "my \"challenge\"")
    };
    let response = receiver.receive("default", "okta", get(SECRET)).await;
    assert_eq!(
        (response.status(), text(&response)),
        (StatusCode::OK, r#"{"verification":"my \"challenge\""}"#)
    );
    assert_eq!(response.headers()["content-type"], "application/json");
    let refused = receiver.receive("default", "okta", get("another")).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(!text(&refused).contains("challenge"));
    let without = with(ask("GET", "/okta"), "authorization", SECRET);
    assert_eq!(receiver.receive("default", "okta", without).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_echoed_unsigned_is_short_plain_text() {
    let long = format!("/?challenge={}", "x".repeat(4097));
    for (scheme, name, method, path, expected) in [
        (&schemes::DROPBOX, "dropbox", "GET", "/?challenge=%3Cscript%3E", Some("<script>")),
        (&schemes::DROPBOX, "dropbox", "GET", "/?challenge=", None),
        (&schemes::DROPBOX, "dropbox", "GET", "/", None),
        (&schemes::DROPBOX, "dropbox", "GET", &*long, None),
        (
            &schemes::MICROSOFT_GRAPH,
            "microsoft_graph",
            "POST",
            "/?validationToken=Validation%3a+Testing+%26%3e",
            Some("Validation: Testing &>"),
        ),
    ] {
        let response = receiver(scheme, Arc::default()).receive("default", name, ask(method, path)).await;
        match expected {
            Some(expected) => {
                assert_eq!((response.status(), text(&response)), (StatusCode::OK, expected));
                assert!(is_plain_text(&response));
            }
            None => assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}"),
        }
    }
}

#[tokio::test]
async fn probes_and_handshakes_open_their_own_method_and_no_other() {
    let cases: [(&'static Scheme, &str, &str, u16, &str); 8] = [
        (&schemes::INTERCOM, "intercom", "HEAD", 200, ""),
        (&schemes::INTERCOM, "intercom", "GET", 405, "POST, HEAD"),
        (&schemes::GITHUB, "github", "HEAD", 405, "POST"),
        (&schemes::GITHUB, "github", "OPTIONS", 405, "POST"),
        (&schemes::META, "meta", "HEAD", 405, "POST, GET"),
        (&schemes::DROPBOX, "dropbox", "PUT", 405, "POST, GET"),
        (&schemes::AZURE_EVENT_GRID, "azure_event_grid", "GET", 405, "POST, OPTIONS"),
        (&schemes::ZENDESK, "zendesk", "OPTIONS", 405, "POST, PUT, PATCH, GET, DELETE"),
    ];
    for (scheme, name, method, status, allow) in cases {
        let response = receiver(scheme, Arc::default()).receive("default", name, ask(method, "/")).await;
        assert_eq!(response.status(), status, "{name} {method}");
        let found = response.headers().get("allow").map_or("", |value| value.to_str().unwrap());
        assert_eq!(found, allow, "{name} {method}");
    }
}

/// Remembers the secrets it is given, or fails.
#[derive(Default)]
struct Vault {
    secrets: Mutex<Vec<String>>,
    fails: bool,
}

#[async_trait]
impl SecretSink for Vault {
    async fn store(&self, tenant: &str, source: &str, secret: SecretString) -> Result<(), SinkError> {
        if self.fails {
            return Err(SinkError::new("the vault is sealed"));
        }
        let entry = format!("{tenant}/{source}/{}", secret.expose_secret());
        self.secrets.lock().unwrap().push(entry);
        Ok(())
    }
}

struct Gated {
    receiver: Receiver,
    gate: Registration,
    vault: Arc<Vault>,
    sink: Arc<Memory>,
}

fn gated(scheme: &'static Scheme, vault: Vault) -> Gated {
    let (gate, vault, sink) = (Registration::closed(), Arc::new(vault), Arc::new(Memory::default()));
    let verifier = Verifier::builder(scheme).await_secret().build().unwrap();
    let endpoint = Endpoint::new("default", &*scheme.name, verifier)
        .with_registration(gate.clone())
        .with_secret_sink(Arc::clone(&vault));
    Gated { receiver: receiver_at(endpoint, Arc::clone(&sink)), gate, vault, sink }
}

impl Gated {
    async fn receive(&self, source: &str, request: Request<Full<Bytes>>) -> Response<Bytes> {
        self.receiver.receive("default", source, request).await
    }
}

#[tokio::test]
async fn asana_plants_a_secret_only_while_the_gate_is_open_and_only_once() {
    let Gated { receiver, gate, vault, sink } = &gated(&schemes::ASANA, Vault::default());
    let plant = |secret: &str| with(ask("POST", "/asana"), "x-hook-secret", secret);
    let receive = async |request| receiver.receive("default", "asana", request).await;

    let closed = receive(plant("an attacker's")).await;
    let unverified = receive(ask("POST", "/asana")).await;
    assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
    assert_eq!((closed.headers(), closed.body()), (unverified.headers(), unverified.body()));

    gate.open_until(UnixTime(NOW.0 - 1));
    assert_eq!(receive(plant("too late")).await.status(), StatusCode::UNAUTHORIZED);

    gate.open_until(NOW);
    let response = receive(plant(SECRET)).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, ""));
    assert_eq!(response.headers()["x-hook-secret"], SECRET);
    assert!(response.headers()["x-hook-secret"].is_sensitive());
    assert_eq!(*vault.secrets.lock().unwrap(), [format!("default/asana/{SECRET}")]);

    assert!(!gate.is_open(NOW));
    assert_eq!(receive(plant("a second one")).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(vault.secrets.lock().unwrap().len(), 1);

    let body = r#"{"events":[{"action":"changed","resource":{"gid":"1"}}]}"#;
    assert_eq!(receive(signed(&schemes::ASANA, body)).await.status(), StatusCode::OK);
    assert_eq!((sink.count(), receiver.counters().handshakes), (1, 1));
}

#[tokio::test]
async fn a_secret_that_is_not_stored_is_not_used_and_not_confirmed() {
    let asana = gated(&schemes::ASANA, Vault { fails: true, ..Vault::default() });
    asana.gate.open_until(NOW);
    let response = asana.receive("asana", with(ask("POST", "/"), "x-hook-secret", SECRET)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        response.headers().contains_key("retry-after") && !response.headers().contains_key("x-hook-secret")
    );
    assert!(!text(&response).contains("sealed"));
    assert!(asana.gate.is_open(NOW), "Asana may try again");
    let signed = asana.receive("asana", signed(&schemes::ASANA, "{}")).await;
    assert_eq!(signed.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(asana.receiver.counters().refused("handshake_failed"), 1);
}

#[tokio::test]
async fn a_secret_that_is_none_is_refused_and_not_stored() {
    let asana = gated(&schemes::ASANA, Vault::default());
    asana.gate.open_until(NOW);
    for secret in ["", "  ", &"x".repeat(4097)] {
        let response = asana.receive("asana", with(ask("POST", "/"), "x-hook-secret", secret)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
    let mut twice = with(ask("POST", "/"), "x-hook-secret", "one");
    twice.headers_mut().append("x-hook-secret", "two".parse().unwrap());
    assert_eq!(asana.receive("asana", twice).await.status(), StatusCode::BAD_REQUEST);
    assert!(asana.vault.secrets.lock().unwrap().is_empty());
    assert!(asana.gate.is_open(NOW));
}

#[tokio::test]
async fn notions_token_becomes_the_secret_while_the_gate_is_open() {
    let notion = gated(&schemes::NOTION, Vault::default());
    let token = || ask("POST", "/").map(|_| Full::from(format!(r#"{{"verification_token":"{SECRET}"}}"#)));
    assert_eq!(notion.receive("notion", token()).await.status(), StatusCode::UNAUTHORIZED);
    notion.gate.open_until(NOW);
    // Junk does not use the gate up, and large junk is not even read.
    let junk = ask("POST", "/").map(|_| Full::from("{}"));
    assert_eq!(notion.receive("notion", junk).await.status(), StatusCode::UNAUTHORIZED);
    let large = ask("POST", "/").map(|_| Full::from("x".repeat(20_000)));
    assert_eq!(notion.receive("notion", large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let response = notion.receive("notion", token()).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, ""));
    assert_eq!(*notion.vault.secrets.lock().unwrap(), [format!("default/notion/{SECRET}")]);
    let event = signed(&schemes::NOTION, r#"{"id":"1","type":"page.created"}"#);
    assert_eq!(notion.receive("notion", event).await.status(), StatusCode::ACCEPTED);
    assert_eq!(notion.sink.last().id, "1");
    assert_eq!(notion.receive("notion", token()).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn azures_validation_is_answered_while_the_gate_is_open_or_with_the_token() {
    let gate = Registration::closed();
    let endpoint = Endpoint::new("default", "azure", verifier(&schemes::AZURE_EVENT_GRID))
        .with_registration(gate.clone())
        .with_rate_limit(10, 100);
    let sink = Arc::new(Memory::default());
    let receiver = receiver_at(endpoint, Arc::clone(&sink));
    let body = r#"[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]"#;
    let validation =
        || with(ask("POST", "/"), "aeg-event-type", "SubscriptionValidation").map(|_| Full::from(body));
    let receive = async |request| receiver.receive("default", "azure", request).await;

    assert_eq!(receive(validation()).await.status(), StatusCode::UNAUTHORIZED);
    gate.open_until(NOW);
    let response = receive(validation()).await;
    assert_eq!(
        (response.status(), text(&response)),
        (StatusCode::OK, r#"{"validationResponse":"512d38b6"}"#)
    );
    assert_eq!(receive(validation()).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(receive(with(validation(), "aeg-webhook-token", SECRET)).await.status(), StatusCode::OK);
    assert_eq!(sink.count(), 0);

    let options = || with(ask("OPTIONS", "/"), "webhook-request-origin", "eventgrid.azure.net");
    assert_eq!(receive(options()).await.status(), StatusCode::UNAUTHORIZED);
    gate.open_until(NOW);
    assert_eq!(receive(ask("OPTIONS", "/")).await.status(), StatusCode::BAD_REQUEST);
    let response = receive(options()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["webhook-allowed-origin"], "eventgrid.azure.net");
    assert_eq!(response.headers()["webhook-allowed-rate"], "600");
    assert_eq!(receive(options()).await.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_gate_without_a_place_for_the_secret_is_not_built() {
    let verifier = Verifier::builder(&schemes::ASANA).await_secret().build().unwrap();
    let endpoint = Endpoint::new("default", "asana", verifier).with_registration(Registration::closed());
    let built = Receiver::builder().endpoint(endpoint).sink(Memory::default()).build();
    assert!(matches!(built, Err(BuildError::Missing { call: ".with_secret_sink(..)", .. })));
}

#[tokio::test]
async fn what_is_handed_over_is_never_printed() {
    let (log, _guard) = Log::capture();
    let asana = gated(&schemes::ASANA, Vault::default());
    asana.gate.open_until(NOW);
    let response = asana.receive("asana", with(ask("POST", "/"), "x-hook-secret", SECRET)).await;
    let notion = gated(&schemes::NOTION, Vault::default());
    notion.gate.open_until(NOW);
    let token = format!(r#"{{"verification_token":"{SECRET}"}}"#);
    notion.receive("notion", ask("POST", "/").map(|_| Full::from(token))).await;
    assert_eq!(log.text().matches("the endpoint has a new secret").count(), 2);
    let shown = format!("{response:?} {:?} {:?} {}", asana.receiver, asana.gate, log.text());
    assert!(shown.contains("x-hook-secret") && !shown.contains(SECRET), "{shown}");
}

/// Remembers what it was asked to fetch.
#[derive(Default)]
struct Fetched(Mutex<Vec<String>>);

#[async_trait]
impl ConfirmSubscription for Fetched {
    async fn confirm(&self, url: &str) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(url.to_owned());
        Ok(())
    }
}

// There is no SNS without its public keys.
#[cfg(feature = "asymmetric")]
#[tokio::test]
async fn a_signed_subscription_is_confirmed_by_the_host() {
    // The handshake of SNS under a secret of ours: what signs it is tested elsewhere.
    let mut scheme = schemes::JIRA.clone();
    scheme.challenge = schemes::AWS_SNS.challenge;
    let (log, _guard) = Log::capture();
    let fetched = Arc::new(Fetched::default());
    let endpoint = Endpoint::new("default", "sns", Verifier::new(scheme, [SECRET.into()]).unwrap());
    let sink = Arc::new(Memory::default());
    let confirming = receiver_at(endpoint.clone().with_confirmation(Arc::clone(&fetched)), Arc::clone(&sink));
    let by_hand = receiver_at(endpoint, Arc::clone(&sink));
    let url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37";
    for (url, status) in [(url, 200), ("https://evil.example/?Token=1", 400), ("", 400)] {
        let body = format!(
            r#"{{"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:x","SubscribeURL":"{url}"}}"#
        );
        for receiver in [&confirming, &by_hand] {
            let response = receiver.receive("default", "sns", signed(&schemes::JIRA, &body)).await;
            assert_eq!(response.status(), status, "{url}");
            let forged = with(signed(&schemes::JIRA, &body), "x-hub-signature", "sha256=00");
            assert_eq!(receiver.receive("default", "sns", forged).await.status(), 401);
        }
    }
    assert_eq!((&**fetched.0.lock().unwrap(), sink.count()), (&[url.to_owned()][..], 0));
    assert!(log.text().contains("Request confirmation") && !log.text().contains("2336412f37"));
}
