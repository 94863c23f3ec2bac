//! `connect webhook ..`, as a person at a terminal meets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use connect_cli::{World, run};
use serde_json::{Value, json};

const SECRET: &str = "canary-secret-4711";
const BODY: &str = r#"{"action":"opened"}"#;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command said, and its exit code.
struct Said {
    code: u8,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

fn connect(vars: &[(&str, &str)], input: &str, arguments: &[&str]) -> Said {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (out, err) = (Paper::default(), Paper::default());
    let mut world = World {
        vars: Box::new(move |name| vars.get(name).cloned()),
        input: Box::new(io::Cursor::new(input.to_owned())),
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        has_colours: false,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000),
    };
    let arguments = ["webhook"].iter().chain(arguments).map(Into::into).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let code = runtime.block_on(run(arguments, &mut world));
    let (out, err) = (out.0.lock().unwrap().clone(), err.0.lock().unwrap().clone());
    Said { code, out, err }
}

/// A file that is gone with the test.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("connect-webhook-{}-{number}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The headers of a signed request as arguments.
fn as_arguments(signed: &Value) -> Vec<String> {
    let headers = signed["headers"].as_object().unwrap().iter();
    headers
        .flat_map(|(name, value)| ["--header".to_owned(), format!("{name}: {}", value.as_str().unwrap())])
        .collect()
}

fn verify(scheme: &str, secret: &str, headers: &[String], body: &str) -> Said {
    let mut arguments = vec!["verify", scheme];
    arguments.extend(headers.iter().map(String::as_str));
    connect(&[("WEBHOOK_SECRET", secret)], body, &arguments)
}

#[test]
fn schemes_are_a_table_a_list_and_each_a_page_of_toml() {
    let table = connect(&[], "", &["schemes"]);
    assert_eq!(table.code, 0);
    for expected in ["scheme", "github", "X-Hub-Signature-256: sha256=..", "HMAC-SHA256", "300 s", "its URL"]
    {
        assert!(table.out.contains(expected), "{expected}\n{}", table.out);
    }
    let list = connect(&[], "", &["schemes", "--json"]).json();
    assert!(list.as_array().unwrap().len() >= 65);
    let page = connect(&[], "", &["schemes", "stripe"]);
    assert!(page.out.contains("name = \"stripe\"") && page.out.contains("Stripe-Signature"), "{}", page.out);
    let typo = connect(&[], "", &["schemes", "strpie"]);
    assert!(typo.code == 2 && typo.err.contains("did you mean `stripe`"), "{}", typo.err);
}

#[test]
fn what_is_signed_verifies_and_what_is_changed_does_not() {
    for scheme in ["github", "slack", "stripe", "zendesk", "gitlab_token"] {
        let signed = connect(&[("WEBHOOK_SECRET", SECRET)], BODY, &["sign", scheme, "--json"]);
        assert_eq!(signed.code, 0, "{}", signed.err);
        let headers = as_arguments(&signed.json());

        let good = verify(scheme, SECRET, &headers, BODY);
        assert!(good.code == 0 && good.out.starts_with("genuine: secret 0"), "{}{}", good.out, good.err);
        let bad = verify(scheme, "another-secret", &headers, BODY);
        assert!(
            bad.code == 1 && bad.out.starts_with("refused: signature_mismatch"),
            "{}{}",
            bad.out,
            bad.err
        );
        for said in [&good, &bad] {
            assert!(!said.out.contains(SECRET) && !said.err.contains(SECRET));
        }
    }
}

#[test]
fn a_refusal_says_why_and_what_may_have_happened() {
    let signed = connect(&[("WEBHOOK_SECRET", SECRET)], "{\"a\":1}\n", &["sign", "github", "--json"]).json();
    let headers = as_arguments(&signed);
    let trimmed = verify("github", SECRET, &headers, "{\"a\":1}");
    assert_eq!(trimmed.code, 1);
    assert!(trimmed.out.contains("line break") || trimmed.out.contains("newline"), "{}", trimmed.out);
    let bare = verify("github", SECRET, &[], "{}");
    assert!(bare.code == 1 && bare.out.contains("missing_header"), "{}", bare.out);
    let old = connect(
        &[("WEBHOOK_SECRET", SECRET)],
        "",
        &[
            "verify",
            "slack",
            "--header",
            "X-Slack-Signature: v0=00",
            "--header",
            "X-Slack-Request-Timestamp: 1",
        ],
    );
    assert!(old.code == 1 && old.out.contains("signature_mismatch"), "{}", old.out);
}

#[test]
fn a_handshake_is_answered() {
    let body = r#"{"type":"url_verification","challenge":"3eZbr"}"#;
    let signed = connect(&[("WEBHOOK_SECRET", SECRET)], body, &["sign", "slack", "--json"]).json();
    let said = verify("slack", SECRET, &as_arguments(&signed), body);
    assert!(said.code == 0 && said.out.contains("a signed handshake: answer 200 OK 3eZbr"), "{}", said.out);
}

#[test]
fn a_handshake_that_nobody_signed_is_not_called_genuine() {
    let cases = [
        ("asana", "", "X-Hook-Secret: chosen-by-anyone"),
        ("notion", r#"{"verification_token":"secret_x"}"#, "Content-Type: application/json"),
    ];
    for (scheme, body, header) in cases {
        let vars = [("WEBHOOK_SECRET", SECRET)];
        let said = connect(&vars, body, &["verify", scheme, "--header", header, "--json"]);
        assert!(said.code == 1 && said.json()["verified"] == false, "{scheme} {}{}", said.out, said.err);
    }
}

#[test]
fn a_weak_scheme_is_named_weak() {
    let vars = [("WEBHOOK_SECRET", SECRET)];
    let signed = connect(&vars, BODY, &["sign", "hubspot_v1", "--json"]).json();
    let said = verify("hubspot_v1", SECRET, &as_arguments(&signed), BODY);
    assert!(said.code == 0 && said.out.contains("weak"), "{}{}", said.out, said.err);
}

#[test]
fn what_is_printed_is_what_was_signed() {
    let vars = [("WEBHOOK_SECRET", SECRET)];
    let said = connect(&vars, "{\"a\":1}\n", &["sign", "github"]);
    assert!(said.out.ends_with("\n\n{\"a\":1}\n"), "{}", said.out);
    assert!(!connect(&vars, "{}", &["sign", "github"]).out.ends_with('\n'));
}

#[test]
fn a_scheme_of_ones_own_is_read_from_toml() {
    let file = File::new("name = \"acme\"\nsignature = { header = \"Acme-Signature\" }\n");
    let vars = [("WEBHOOK_SECRET", SECRET)];
    let signed = connect(&vars, BODY, &["sign", "--scheme", file.path(), "--json"]).json();
    let value = format!("Acme-Signature: {}", signed["headers"]["acme-signature"].as_str().unwrap());
    let said = connect(&vars, BODY, &["verify", "--scheme", file.path(), "--header", &value]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let typo = File::new("name = \"acme\"\nsignature = { header = \"x\" }\ntimestmp = 1\n");
    let said = connect(&vars, BODY, &["verify", "--scheme", typo.path()]);
    assert!(said.code == 2 && said.err.contains("timestmp"), "{}", said.err);
}

#[test]
fn wrong_usage_is_2_and_repeats_no_secret() {
    let set: &[(&str, &str)] = &[("WEBHOOK_SECRET", "x")];
    let cases: [(_, &[&str], &str); 6] = [
        (&[][..], &["verify", "github"], "WEBHOOK_SECRET is not set"),
        (set, &["verify"], "which scheme?"),
        (set, &["vectors"], "which file of vectors?"),
        (set, &["dance"], "there is no `connect webhook` command `dance`"),
        (set, &["verify", "github", "--header", SECRET], "'NAME: VALUE'"),
        (set, &["verify", "github", "--now", SECRET], "Unix time"),
    ];
    for (vars, arguments, expected) in cases {
        let said = connect(vars, "", arguments);
        assert!(said.code == 2 && said.err.contains(expected), "{} {}", said.code, said.err);
        assert!(!said.err.contains(SECRET), "{}", said.err);
    }
}

#[test]
fn a_file_of_vectors_ends_with_a_count_and_an_exit_code() {
    let signed = connect(&[("WEBHOOK_SECRET", SECRET)], BODY, &["sign", "github", "--json"]).json();
    let vector = |id: &str, body: &str, expect: &str| {
        json!({
            "id": id, "provider": "github", "secrets": ["other", SECRET], "headers": signed["headers"],
            "body": body, "now": 1_750_000_000, "expect": expect, "key_index": 1,
        })
    };
    let good = [
        vector("good", BODY, "valid"),
        vector("changed", "{}", "signature_mismatch"),
        json!({
            "id": "equal", "provider": "github", "secrets": ["x"], "headers": {"X-Hub-Signature-256": "sha256=zz"},
            "body": "", "expect": "signature_mismatch", "error_any": ["bad_encoding", "signature_mismatch"],
        }),
        json!({
            "id": "twice", "provider": "github", "secrets": ["x"], "body": "", "expect": "duplicate_header",
            "headers": [["X-Hub-Signature-256", "sha256=00"], ["X-Hub-Signature-256", "sha256=01"]],
        }),
        json!({ "id": "empty", "provider": "svix", "secrets": ["whsec_"], "expect": "invalid_secret" }),
    ];
    let file = File::new(&json!({ "vectors": good }).to_string());
    let said = connect(&[], "", &["vectors", file.path()]);
    assert_eq!((said.code, &*said.out), (0, "5 passed, 0 failed\n"), "{}", said.err);

    let wrong = [
        vector("wrong-verdict", "{}", "valid"),
        vector("wrong-expectation", BODY, "signature_mismatch"),
        json!({ "id": "unheard-of", "provider": "nobody", "secrets": ["x"], "expect": "valid" }),
        vector("good", BODY, "valid"),
    ];
    let file = File::new(&json!({ "vectors": wrong }).to_string());
    let said = connect(&[], "", &["vectors", file.path()]);
    assert_eq!(said.code, 1);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.out);
    assert!(lines[0].contains("wrong-verdict (github): signature_mismatch instead of valid"), "{}", said.out);
    assert!(lines[1].contains("valid instead of signature_mismatch") && lines[2].contains("no such scheme"));
    assert_eq!(lines[3], "1 passed, 3 failed");
    let odd = json!({ "vectors": [
        { "id": "odd", "provider": "github", "secrets": null, "url": null, "headers": null, "now": null,
          "expect": "invalid_secret", "error_any": "invalid_secret" },
        { "id": "fraction", "provider": "github", "secrets": "x", "now": 1.5, "expect": "missing_header" },
        { "id": "unreadable", "provider": "github", "expect": 7 },
        { "id": "silent", "provider": "slack", "secrets": ["x"], "expect": "challenge" },
    ] });
    let odd = connect(&[], "", &["vectors", File::new(&odd.to_string()).path()]);
    assert!(odd.out.contains("unreadable (github): it cannot be read"), "{}{}", odd.out, odd.err);
    assert!(odd.out.ends_with("2 passed, 2 failed\n"), "{}", odd.out);
    let nothing = connect(&[], "", &["vectors", File::new("{\"vectors\":[]}").path()]);
    assert!(nothing.code == 1 && nothing.err.contains("nothing was tried"), "{}", nothing.err);
    let machine = connect(&[], "", &["vectors", file.path(), "--json"]);
    assert_eq!((machine.code, machine.json()["failed"].as_u64()), (1, Some(3)));
    assert!(!said.out.contains(SECRET) && !machine.out.contains(SECRET));
}
