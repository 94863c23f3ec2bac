//! `connect call` against fakes on loopback: the whole stack, as a person at a terminal or a script meets it.
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_testkit::{FakeGitHub, FakeSlack};
use serde_json::json;

mod terminal;
use terminal::{Said, terminal};

const HELLO: &str = r#"{"owner":"octo","repo":"hello"}"#;

async fn github(fake: &FakeGitHub, words: &[&str]) -> Said {
    github_with(fake, "", words).await
}

async fn github_with(fake: &FakeGitHub, input: &str, words: &[&str]) -> Said {
    let vars = [("GITHUB_TOKEN", fake.token()), ("GITHUB_API_URL", fake.url())];
    terminal(&vars, input, &[&["call", "github"], words].concat()).await
}

async fn slack_with(fake: &FakeSlack, input: &str, words: &[&str]) -> Said {
    let vars = [("SLACK_BOT_TOKEN", fake.token()), ("SLACK_API_URL", fake.url())];
    terminal(&vars, input, &[&["call", "slack"], words].concat()).await
}

async fn with_issues(count: u32) -> FakeGitHub {
    let fake = FakeGitHub::start().await.unwrap();
    for number in 1..=count {
        fake.add_issue("octo", "hello", &format!("Issue {number}"));
    }
    fake
}

#[tokio::test]
async fn an_operation_is_called_and_its_answer_printed() {
    let fake = with_issues(1).await;
    let args = r#"{"owner":"octo","repo":"hello","issue_number":1}"#;
    let said = github(&fake, &["issues/get", "--args", args]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert_eq!(said.json()["title"], "Issue 1");
    assert!(said.out.starts_with("{\n  \""), "indented: {}", said.out);

    let line = github(&fake, &["issues/get", "--args", args, "--json"]).await;
    assert_eq!(line.out.lines().count(), 1);
    assert_eq!(line.json(), said.json());
    assert!(fake.requests().iter().all(|request| request.authorized && request.problems.is_empty()));
}

#[tokio::test]
async fn arguments_come_from_standard_input_or_a_file_as_well() {
    let fake = with_issues(0).await;
    fake.add_repository("octo", "hello");
    let create = json!({"owner": "octo", "repo": "hello", "title": "Tür", "labels": ["bug"]}).to_string();
    let said = github_with(&fake, &create, &["issues/create", "--args", "-"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["number"], 1);

    let path = std::env::temp_dir().join(format!("connect-call-{}.json", std::process::id()));
    std::fs::write(&path, &create).unwrap();
    let said = github(&fake, &["issues/create", "--args", &format!("@{}", path.display())]).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(said.json()["number"], 2);
    assert_eq!(fake.issues("octo", "hello").len(), 2);
    assert_eq!(fake.requests()[0].json(), json!({"title": "Tür", "labels": ["bug"]}));
}

#[tokio::test]
async fn pages_are_one_list_and_what_is_left_is_said() {
    let fake = with_issues(7).await;
    let args = r#"{"owner":"octo","repo":"hello","per_page":3}"#;
    let list = |pages: &'static str| {
        let fake = &fake;
        async move { github(fake, &["issues/list-for-repo", "--args", args, "--pages", pages, "--json"]).await }
    };
    let two = list("2").await;
    assert_eq!((two.code, two.json().as_array().unwrap().len()), (0, 6), "{two:?}");
    assert!(two.err.contains("the list goes on") && two.err.contains("--pages all"), "{}", two.err);
    assert_eq!(fake.count("issues/list-for-repo"), 2);

    let all = list("all").await;
    assert_eq!((all.json().as_array().unwrap().len(), all.err.as_str()), (7, ""));
    let one_call = github(&fake, &["issues/list-for-repo", "--args", args]).await;
    assert_eq!(one_call.json().as_array().unwrap().len(), 3, "without --pages: the answer as it is");
}

#[tokio::test]
async fn a_list_that_breaks_off_is_not_taken_for_a_whole_one() {
    let fake = with_issues(7).await;
    fake.faults().on("issues/list-for-repo").pass().times(1).then().status(403).times(1);
    let args = r#"{"owner":"octo","repo":"hello","per_page":3}"#;
    let said = github(&fake, &["issues/list-for-repo", "--args", args, "--pages", "all"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("after 1 page"), "{}", said.err);
}

#[tokio::test]
async fn slips_of_the_pen_send_nothing_and_name_what_is_right() {
    let fake = with_issues(1).await;
    let cases: &[(&[&str], &str)] = &[
        (&["issue/create"], "did you mean `issues/create`?"),
        (&["dance"], "`connect ops github`"),
        (&[], "`connect ops github`"),
        (&["issues/get", "--args", r#"{"owner":"octo","repo":"hello"}"#], "`issue_number` is missing"),
        (
            &["issues/create", "--args", r#"{"owner":"o","repo":"r","titel":"t"}"#],
            "there is no argument `titel`; did you mean `title`?",
        ),
        (
            &["issues/get", "--args", r#"{"owner":"o","repo":"r","issue_number":"7"}"#],
            "`issue_number` is a whole number, not text",
        ),
        (
            &["issues/list-for-repo", "--args", r#"{"owner":"octo","repo":"hello world"}"#],
            "`repo` has a space",
        ),
        (
            &["issues/list-for-repo", "--args", r#"{"owner":"octo","repo":"octo/hello"}"#],
            "`repo` has a slash: give the parts of `owner/name` one by one",
        ),
        (&["issues/get", "--args", "{\"owner\": canary}"], "are no JSON"),
        (&["issues/get", "--args", "[1]"], "no JSON object"),
        (&["issues/get", "--args", "@/nowhere/at/all.json"], "/nowhere/at/all.json"),
        (&["issues/get", "--pages", "2"], "answers without pages"),
        (&["issues/list-for-repo", "--args", HELLO, "--pages", "0"], "--pages is a number"),
        (&["issues/list-for-repo", "--args", HELLO, "--pages", "2", "--explain"], "leave out --pages"),
        (&["issues/list-for-repo", "--args", HELLO, "extra"], "one word too many"),
        (&["issues/list-for-repo", "--args", HELLO, "--base-url", "http://example.com"], "--base-url"),
        (&["issues/list-for-repo", "--args", HELLO, "--base-url", ""], "--base-url is empty"),
        (&["issues/list-for-repo", "--arg", HELLO], "did you mean --args?"),
    ];
    for (words, expected) in cases {
        let said = github(&fake, words).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
        assert!(!said.err.contains("canary"), "{}", said.err);
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn providers_without_a_catalogue_are_named() {
    for (provider, expected) in
        [("jira", "generated client"), ("gihtub", "did you mean `github`?"), ("zulip", "github, slack")]
    {
        let said = terminal(&[], "", &["call", provider, "x"]).await;
        assert_eq!(said.code, 2);
        assert!(said.err.contains(expected), "{}", said.err);
    }
}

#[tokio::test]
async fn a_refusal_is_exit_code_1_with_the_providers_words() {
    let fake = with_issues(1).await;
    let args = r#"{"owner":"octo","repo":"hello","issue_number":99}"#;
    let said = github(&fake, &["issues/get", "--args", args]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("github issues/get") && said.err.contains("404"), "{}", said.err);

    let slack = FakeSlack::start().await.unwrap();
    let said =
        slack_with(&slack, r#"{"channel":"C404","text":"hi"}"#, &["chat.postMessage", "--args", "-"]).await;
    assert_eq!(said.code, 1);
    assert!(said.err.contains("channel_not_found"), "{}", said.err);
}

#[tokio::test]
async fn explain_tells_of_the_way_on_standard_error() {
    let fake = with_issues(1).await;
    fake.faults().on("issues/get").status(502).times(1);
    let args = r#"{"owner":"octo","repo":"hello","issue_number":1}"#;
    let vars =
        [("GITHUB_TOKEN", fake.token()), ("GITHUB_API_URL", fake.url()), ("CONNECT_RETRY_BASE", "1ms")];
    let said = terminal(&vars, "", &["call", "github", "issues/get", "--args", args, "--explain"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["number"], 1, "standard output stays JSON");
    assert!(said.err.starts_with("github issues/get: ok after 2 attempts"), "{}", said.err);
    assert!(said.err.contains("attempt 1: HTTP 502"), "{}", said.err);
}

#[tokio::test]
async fn slack_is_called_in_the_same_way() {
    let fake = FakeSlack::start().await.unwrap();
    fake.add_channel("C1", "general");
    let said =
        slack_with(&fake, "", &["chat.postMessage", "--args", r#"{"channel":"C1","text":"hi"}"#]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["message"]["text"], "hi");
    assert_eq!(fake.messages("C1").len(), 1);
    let list = slack_with(&fake, "", &["conversations.list", "--pages", "all"]).await;
    assert_eq!(list.json()[0]["name"], "general");
}

#[tokio::test]
async fn secrets_show_in_no_diagnostics() {
    let fake = FakeSlack::start().await.unwrap();
    let args =
        json!({"client_id": "1.2", "client_secret": "canary-secret", "code": "canary-code"}).to_string();
    for words in [
        &["oauth.v2.access", "--args", "-", "--explain"][..],
        &["oauth.v2.access", "--args", "-", "--pages", "2"],
        &["oauth.v2.acces", "--args", "-"],
        &["chat.postMessage", "--args", "-"],
    ] {
        let said = slack_with(&fake, &args, words).await;
        assert_ne!(said.code, 0);
        assert!(!said.err.contains("canary") && !said.out.contains("canary"), "{said:?}");
        assert!(!said.err.contains(fake.token()), "{said:?}");
    }
    // A command line is for every process of the machine to read.
    let inline = slack_with(&fake, "", &["oauth.v2.access", "--args", &args]).await;
    assert_eq!(inline.code, 2);
    assert!(
        inline.err.contains("`client_secret` is a secret") && !inline.err.contains("canary"),
        "{inline:?}"
    );

    let sent = fake.requests();
    assert_eq!(sent.len(), 1, "only the first of them is right");
    assert_eq!(sent[0].form_value("client_secret").as_deref(), Some("canary-secret"));
}

#[tokio::test]
async fn a_missing_token_is_named_before_anything_is_sent() {
    let args = r#"{"channel":"C1","text":"hi"}"#;
    let said = terminal(&[], "", &["call", "slack", "chat.postMessage", "--args", args]).await;
    assert_eq!(said.code, 2);
    assert!(said.err.contains("SLACK_BOT_TOKEN"), "{}", said.err);
}

#[tokio::test]
async fn an_upload_takes_its_file_beside_the_arguments() {
    let fake = with_issues(0).await;
    let args = r#"{"owner":"octo","repo":"hello","release_id":1,"name":"a.zip"}"#;
    let upload = ["repos/upload-release-asset", "--args", args];
    let without = github(&fake, &upload).await;
    assert_eq!(without.code, 2, "{without:?}");
    assert!(without.err.contains("--body FILE"), "{}", without.err);
    let nowhere = github(&fake, &[&upload[..], &["--body", "/nowhere/a.zip"]].concat()).await;
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    let no_file = github(&fake, &["issues/list-for-repo", "--args", HELLO, "--body", "-"]).await;
    assert!(no_file.err.contains("sends no file"), "{}", no_file.err);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_form_is_sent_with_its_file() {
    let fake = FakeSlack::start().await.unwrap();
    let path = std::env::temp_dir().join(format!("connect-photo-{}.png", std::process::id()));
    std::fs::write(&path, "picture").unwrap();
    let words = ["users.setPhoto", "--args", r#"{"crop_x":"15"}"#, "--body", path.to_str().unwrap()];
    let said = slack_with(&fake, "", &words).await;
    std::fs::remove_file(&path).unwrap();
    // The fake knows no such method; what was sent is what counts.
    assert_eq!(said.code, 1, "{said:?}");
    let request = &fake.requests()[0];
    let form = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(request.header("content-type").unwrap().starts_with("multipart/form-data"));
    assert!(form.contains("name=\"crop_x\"") && form.contains("picture"), "{form}");
    assert!(form.contains("name=\"image\"") && form.contains("connect-photo"), "{form}");
}
