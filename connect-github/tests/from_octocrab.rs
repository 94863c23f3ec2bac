//! The calls of the migration table compile: each of its rows stands in here, word by word.
#![cfg(all(
    feature = "client",
    feature = "actions",
    feature = "checks",
    feature = "issues",
    feature = "pulls",
    feature = "reactions",
    feature = "repos",
    feature = "search",
    feature = "users"
))]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::Raw;
use connect_github::{Error, GitHub, issues};
use futures_util::TryStreamExt;

#[derive(Debug, serde::Deserialize)]
struct Lean {}

#[expect(dead_code, reason = "compiled, not run")]
async fn client(token: &str, query: &str) -> Result<(), Error> {
    let github = GitHub::builder().token(token).build()?;
    drop((github, GitHub::from_env()?));
    let github = GitHub::builder().base_url("https://git.example.com/api/v3").build()?;
    let repo = github.repo("octo", "hello")?;
    github.current_user().await?;
    github.send(Raw::<_, serde_json::Value>::get("/meta")?).await?;
    let Lean {} = repo.issue(5).get().decode_as::<Lean>().await?;
    drop(repo.issues().with(|list| list.state("closed")));
    repo.issues().try_collect::<Vec<_>>().await?;
    github.pages(issues::ListForRepo::new("octo", "hello")).try_next().await?;
    drop(github.search_issues(query));
    Ok(())
}

#[expect(dead_code, reason = "compiled, not run")]
async fn issues_and_pulls(github: GitHub, labels: Vec<String>) -> Result<(), Error> {
    let repo = github.repo("octo", "hello")?;
    repo.issue(5).get().await?;
    repo.create_issue("Title").with(|issue| issue.body("Text")).await?;
    repo.issue(5).update().with(|issue| issue.title("Title")).await?;
    repo.issue(5).close("completed").await?;
    repo.issue(5).comment("Text").await?;
    drop(repo.issue(5).comments());
    repo.issue(5).add_labels(labels).await?;
    repo.issue(5).remove_label("bug").await?;
    repo.issue(5).add_assignees(["mona"]).await?;
    repo.issue(5).lock().with(|lock| lock.lock_reason("spam")).await?;
    repo.issue(5).react("heart").await?;
    repo.pull(12).get().await?;
    drop(repo.pulls());
    repo.create_pull("Title", "head", "main").with(|pull| pull.draft(true)).await?;
    repo.pull(12).merge().with(|merge| merge.merge_method("squash")).await?;
    repo.pull(12).diff().await?;
    drop(repo.pull(12).files());
    drop(repo.pull(12).reviews());
    repo.pull(12).request_reviewers(["mona"]).await?;
    repo.pull(12).update_branch().await?;
    Ok(())
}

#[expect(dead_code, reason = "compiled, not run")]
async fn repositories(github: GitHub, bytes: Vec<u8>, sha: &str) -> Result<(), Error> {
    let repo = github.repo("octo", "hello")?;
    repo.get().await?;
    drop(repo.branches());
    drop(repo.commits());
    repo.file("a.md").at("main").read().await?;
    repo.file("a.md").get().await?;
    {
        let bytes = &bytes;
        repo.file("a.md").create("Message", bytes).await?;
        repo.file("a.md").update("Message", bytes, sha).await?;
    }
    repo.file("a.md").delete("Message", sha).await?;
    drop(repo.tarball("main").await?);
    repo.create_status(sha, "success").await?;
    repo.status("main").await?;
    drop(repo.check_runs("main"));
    repo.latest_release().await?;
    repo.release_by_tag("v1").await?;
    repo.create_release("v1").with(|release| release.body("Text")).await?;
    repo.release(9).upload_asset("a.tgz", bytes).await?;
    drop(repo.download_asset(8).await?);
    drop(repo.runs());
    repo.run(3).get().await?;
    repo.workflow("ci.yml").dispatch("main").await?;
    repo.run(3).cancel().await?;
    drop(repo.run(3).logs().await?);
    drop(repo.download_artifact(6).await?);
    Ok(())
}

#[test]
fn every_call_of_the_migration_table_compiles() {
    let unspaced = |text: &str| text.split_whitespace().collect::<String>();
    let compiled = unspaced(include_str!("from_octocrab.rs"));
    let table = include_str!("../docs/from-octocrab.md").replace("\\|", "\u{0}");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let calls: Vec<_> = rows
        .map(|row| row.split('|').nth(2).unwrap().trim().trim_matches('`').replace('\u{0}', "|"))
        .collect();
    for call in &calls {
        assert!(compiled.contains(&unspaced(call)), "`{call}` is not compiled");
    }
    assert!(calls.len() >= 30, "{}", calls.len());
}
