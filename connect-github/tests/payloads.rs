//! Official payload examples decode: one JSON object `{event, action, payload}` per line, from a file that `.ci/run`
//! names when it is there.
#![cfg(feature = "webhook")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use connect_github::webhook::{Event, verifier};
use connect_webhook::{UnixTime, schemes, sign};

#[test]
#[ignore = "needs the file named by CONNECT_GITHUB_PAYLOADS"]
fn every_official_payload_verifies_and_decodes() {
    #[expect(clippy::disallowed_methods, reason = "the file is named by the script")]
    let path = std::env::var("CONNECT_GITHUB_PAYLOADS").unwrap();
    let secret = connect_webhook::SecretString::from("s3cret");
    let verifier = verifier("s3cret").unwrap();
    let (mut all, mut typed) = (0, 0);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let example: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = example["event"].as_str().unwrap();
        let body = example["payload"].to_string();
        let headers = sign(&schemes::GITHUB, &secret, body.as_bytes(), UnixTime(0)).unwrap();
        verifier.verify(&headers, body.as_bytes(), UnixTime(0)).unwrap();
        let event = Event::parse(name, body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(event.name(), name);
        let payload = &example["payload"];
        match event {
            Event::Issues(event) => {
                assert_eq!(payload["issue"]["title"], event.issue.title.as_str());
                assert_eq!(payload["repository"]["full_name"], event.repository.full_name.as_str());
                assert_eq!(payload["sender"]["login"], event.sender.login.as_str());
                typed += 1;
            }
            Event::PullRequest(event) => {
                assert_eq!(payload["pull_request"]["html_url"], event.pull_request.html_url.as_str());
                assert_eq!(payload["pull_request"]["base"]["ref"], event.pull_request.base.name.as_str());
                typed += 1;
            }
            _ => {}
        }
        all += 1;
    }
    assert!(typed > 0);
    println!("{all} payloads verified and decoded, {typed} of them typed");
}
