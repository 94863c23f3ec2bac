//! Official payload examples verify and decode, and what is in them lands in typed fields: one JSON object
//! `{event, action, payload}` per line, from a file that `.ci/run` names when it is there.
#![cfg(all(feature = "webhook", feature = "serialize"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use connect_github::webhook::{Event, verifier};
use connect_webhook::{UnixTime, schemes, sign};
use serde_json::Value;

mod coverage;

/// Of the values in all payloads, so many in a hundred land in a typed field.
const WANTED_PERCENT: f64 = 97.0;

#[test]
#[ignore = "needs the file named by CONNECT_GITHUB_PAYLOADS"]
fn every_official_payload_verifies_decodes_and_lands_in_typed_fields() {
    #[expect(clippy::disallowed_methods, reason = "the file is named by the script")]
    let path = std::env::var("CONNECT_GITHUB_PAYLOADS").unwrap();
    let secret = connect_webhook::SecretString::from("s3cret");
    let verifier = verifier("s3cret").unwrap();
    let mut coverage = coverage::Coverage::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut drift: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let example: Value = serde_json::from_str(line).unwrap();
        let name = example["event"].as_str().unwrap();
        let payload = &example["payload"];
        let body = payload.to_string();
        let headers = sign(&schemes::GITHUB, &secret, body.as_bytes(), UnixTime(0)).unwrap();
        verifier.verify(&headers, body.as_bytes(), UnixTime(0)).unwrap();

        let (event, lacks) =
            Event::parse_with_drift(name, body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!matches!(event, Event::Other { .. }), "{name} has no type");
        assert_eq!(event.name(), name);
        assert_eq!(event.action(), payload["action"].as_str(), "{name}");
        if let Some(repository) = event.repository() {
            assert_eq!(payload["repository"]["full_name"], repository.full_name.as_str());
        }
        if let Some(sender) = event.sender() {
            assert_eq!(payload["sender"]["login"], sender.login.as_str());
        }
        assert_eq!(event.installation_id(), payload["installation"]["id"].as_i64(), "{name}");

        for field in lacks {
            drift.entry(field).or_default().push(name.to_owned());
        }
        let typed = serde_json::to_value(&event).unwrap();
        let again =
            |value: &Value| serde_json::to_value(Event::parse(name, value.to_string().as_bytes()).ok()?).ok();
        coverage.add(name, payload, &typed, &again);
        seen.insert(name.to_owned());
        all += 1;
    }
    println!("{all} payloads of {} events verified and decoded", seen.len());
    let (values, landed) = coverage.counts();
    println!(
        "{landed} of {values} values land in typed fields: {:.2} % {:?}",
        coverage.percent(),
        coverage.fates()
    );
    for (place, fate, count) in coverage.lost(25) {
        println!("  {count:4} {fate:?} {place}");
    }
    let mut drift: Vec<_> = drift.into_iter().collect();
    drift.sort_by_key(|(_, events)| std::cmp::Reverse(events.len()));
    println!("{} promised fields are missing somewhere", drift.len());
    for (field, events) in drift.iter().take(25) {
        println!("  {:4} {field} ({})", events.len(), events[0]);
    }
    assert!(all > 0);
    assert!(coverage.percent() >= WANTED_PERCENT);
}
