//! Other representations and versions of what GitHub answers.
#![cfg(all(feature = "pulls", feature = "repos"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::simulation::{Answer, Scripted};
use connect_github::{API_VERSION, GitHub, media, pulls, repos};

fn github(transport: &Scripted) -> GitHub {
    GitHub::builder().token("ghp_canary").transport(transport.clone()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_is_a_diff_where_that_is_asked() {
    let transport = Scripted::new([Answer::json(200, "diff --git a/x b/x\n")]);
    let diff =
        github(&transport).send(pulls::Get::new("o", "r", 7)).accept(media::DIFF).text().await.unwrap();
    assert!(diff.starts_with("diff --git"));
    let seen = &transport.requests()[0];
    assert_eq!(seen.headers["accept"], "application/vnd.github.diff");
    assert_eq!(seen.headers.get_all("accept").iter().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_its_bytes_where_that_is_asked() {
    let transport = Scripted::new([Answer::json(200, &b"\x89PNG"[..])]);
    let file = repos::GetContent::new("o", "r", "logo.png");
    let bytes = github(&transport).send(file).accept(media::RAW).bytes().await.unwrap();
    assert_eq!(bytes, &b"\x89PNG"[..]);
}

#[tokio::test(start_paused = true)]
async fn one_call_may_ask_for_another_version_than_the_clients() {
    let transport = Scripted::new([Answer::json(200, "{}"), Answer::json(200, "{}")]);
    let github = github(&transport);
    github.send(repos::Get::new("o", "r")).header(API_VERSION, "2026-03-10").text().await.unwrap();
    github.send(repos::Get::new("o", "r")).text().await.unwrap();
    let versions: Vec<_> =
        transport.requests().iter().map(|seen| seen.headers["x-github-api-version"].clone()).collect();
    assert_eq!(versions, ["2026-03-10", "2022-11-28"]);
}
