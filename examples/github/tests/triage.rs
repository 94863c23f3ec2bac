//! The triage bot: dry runs against the fake GitHub, writes against scripted answers.
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::simulation::{Answer, Scripted};
use connect_examples_github::command::Failure;
use connect_examples_github::triage::{Rules, Tally, run};
use connect_github::{Config, GitHub};
use connect_testkit::FakeGitHub;
use serde_json::{Value, json};

fn rules() -> Rules {
    Rules::from_vars(|_| None).unwrap()
}

/// A run over octo/hello, and what it printed.
async fn run_with(github: &GitHub, dry_run: bool) -> (Result<Tally, Failure>, String) {
    let mut out = Vec::new();
    let repo = github.repo("octo", "hello").unwrap();
    let tally = run(&repo, &rules(), dry_run, &mut out).await;
    (tally, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    let fake = FakeGitHub::start().await.unwrap();
    fake.add_repository("octo", "hello");
    fake.add_issue("octo", "hello", "The roof panics");
    fake.add_issue("octo", "hello", "Hm");
    fake.add_pull_request("octo", "hello", "Fix a crash");
    let github = GitHub::builder().token(fake.token()).base_url(fake.url()).build().unwrap();
    let (tally, out) = run_with(&github, true).await;
    assert_eq!(tally.unwrap(), Tally { labelled: 2, greeted: 1 }, "one person reported both");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("#1 ") && lines[0].ends_with(" would be greeted"), "{out}");
    assert_eq!(lines[1], "#1 would be labelled bug: The roof panics");
    assert_eq!(lines[2], "#2 would be labelled needs-triage: Hm");
    assert!(fake.requests().iter().all(|request| request.method == "GET" && request.problems.is_empty()));
}

fn issue(number: u64, comments: u64, labels: &[&str]) -> Value {
    let labels: Vec<Value> = labels.iter().map(|name| json!({"id": 1, "name": name})).collect();
    json!({"id": number, "number": number, "title": "A crash", "user": {"id": 3, "login": "mona"},
           "comments": comments, "labels": labels, "state": "open"})
}

fn list(issues: &[Value]) -> Answer {
    Answer::json(200, Value::from(issues).to_string())
}

fn scripted(answers: impl IntoIterator<Item = Answer>) -> (GitHub, Scripted) {
    let transport = Scripted::new(answers);
    let config = Config::default().with_seed(1);
    let github =
        GitHub::builder().token("ghp_canary").polite().config(config).transport(transport.clone()).build();
    (github.unwrap(), transport)
}

fn calls(transport: &Scripted) -> Vec<String> {
    transport.requests().into_iter().map(|seen| seen.operation).collect()
}

#[tokio::test(start_paused = true)]
async fn a_first_reporter_is_greeted_before_the_label_and_the_next_run_has_nothing_to_do() {
    let bare = issue(7, 0, &[]);
    let (github, transport) = scripted([
        list(std::slice::from_ref(&bare)),
        list(&[bare]),
        Answer::json(201, r#"{"id": 1}"#),
        Answer::json(200, r#"[{"id": 1, "name": "bug"}]"#),
        list(&[issue(7, 1, &["bug"])]),
    ]);
    let (tally, _) = run_with(&github, false).await;
    assert_eq!(tally.unwrap(), Tally { labelled: 1, greeted: 1 });
    let (again, out) = run_with(&github, false).await;
    assert_eq!((again.unwrap(), out.as_str()), (Tally::default(), ""));
    let expected =
        ["issues/list-for-repo", "issues/list-for-repo", "issues/create-comment", "issues/add-labels"];
    assert_eq!(calls(&transport)[..4], expected);
    let seen = transport.requests();
    assert!(seen[1].url.contains("creator=mona") && seen[1].url.contains("state=all"), "{}", seen[1].url);
    assert!(String::from_utf8_lossy(&seen[2].body).contains("<!-- triage-bot: greeting -->"));
    assert_eq!(serde_json::from_slice::<Value>(&seen[3].body).unwrap(), json!({"labels": ["bug"]}));
}

#[tokio::test(start_paused = true)]
async fn what_a_run_left_half_done_is_finished_without_a_second_greeting() {
    let (github, transport) = scripted([
        list(&[issue(7, 0, &[])]),
        list(&[issue(7, 0, &[])]),
        Answer::dropped_connection(), // GitHub may have the comment
        list(&[issue(7, 1, &[])]),
        list(&[issue(7, 1, &[])]),
        Answer::json(200, r#"[{"id": 1, "body": "Thank you!\n\n<!-- triage-bot: greeting -->"}]"#),
        Answer::json(200, "[]"),
    ]);
    let (tally, _) = run_with(&github, false).await;
    let message = tally.unwrap_err().to_string();
    assert!(message.contains("run it again") && !message.contains("canary"), "{message}");
    let (again, _) = run_with(&github, false).await;
    assert_eq!(again.unwrap(), Tally { labelled: 1, greeted: 0 });
    let written = calls(&transport).iter().filter(|name| *name == "issues/create-comment").count();
    assert_eq!((written, transport.unused()), (1, 0));
}

#[test]
fn rules_that_are_none_are_refused_with_an_example() {
    for text in ["bug", "=crash", "bug=", "bug=crash; docs"] {
        let failure =
            Rules::from_vars(|name| (name == "TRIAGE_LABELS").then(|| text.to_owned())).unwrap_err();
        assert!(matches!(&failure, Failure::Usage(message) if message.contains("bug=crash panic")), "{text}");
    }
    let own =
        Rules::from_vars(|name| (name == "TRIAGE_LABELS").then(|| "Roof=Rain hail;".to_owned())).unwrap();
    assert_eq!(own.labels("rainy days"), ["Roof"]);
}
