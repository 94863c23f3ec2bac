//! The client against connect-testkit's fake GitHub, over real HTTP. The two share no types and no code, so each is a check
//! of the other: what the fake says must fit the models strictly, and what the client asks must be what the fake expects.
#![cfg(all(feature = "redelivery", feature = "issues", feature = "search"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::{Endpoint, Paged};
use connect_github::model::ReposGetContentResponse;
use connect_github::redelivery::{Policy, Redelivery};
use connect_github::{ErrorKind, GitHub, GitHubApi, RetryAdvice, issues, media, repos, search};
use connect_testkit::github::{SecondaryLimit, SecondaryShape};
use connect_testkit::{FakeGitHub, GitHubDelivery};
use futures_util::TryStreamExt;
use std::time::Duration;

fn client(fake: &FakeGitHub) -> GitHub {
    GitHub::builder().token(fake.token()).base_url(fake.url()).build().unwrap()
}

/// Everything that was promised is there, and everything that was asked for is understood.
async fn strictly<E: Endpoint<Api = GitHubApi>>(github: &GitHub, endpoint: E) -> E::Output {
    github.send(endpoint).strict().await.unwrap()
}

async fn all<E: Paged<Api = GitHubApi>>(github: &GitHub, endpoint: E) -> Vec<E::Item> {
    github.stream(endpoint).strict().try_collect().await.unwrap()
}

fn no_problems(fake: &FakeGitHub) {
    for request in fake.requests() {
        assert!(request.operation.is_some(), "{request:?}");
        assert!(request.problems.is_empty(), "{request:?}");
    }
}

#[tokio::test]
async fn failed_deliveries_are_asked_for_and_arrive() {
    let fake = FakeGitHub::start().await.unwrap();
    let github = client(&fake);
    // Three pages of deliveries to an address where nobody is.
    let nobody = "http://127.0.0.1:1/webhooks";
    for number in 0..205 {
        let delivery = GitHubDelivery::new("push", serde_json::json!({ "number": number }));
        assert!(fake.deliver(nobody, delivery).await.is_err());
    }
    assert_eq!(all(&github, repos::ListWebhookDeliveries::new("octo", "hello", 1)).await.len(), 205);
    let policy = Policy::default().with_schedule([0, 60].map(Duration::from_secs)).with_asks_per_pass(5);
    let report =
        Redelivery::of_repo_hook(&github, "octo", "hello", 1).policy(policy).run_once().await.unwrap();
    assert_eq!((report.seen, report.failed, report.asked, report.left), (205, 205, 5, 200));
    fake.wait_for_deliveries(210).await;
    let (first, asked) = (fake.deliveries(), fake.deliveries().split_off(205));
    // They all leave at once, so the order of arrival is nobody's promise.
    let guids = |attempts: &[connect_testkit::github::DeliveryAttempt]| {
        let mut guids: Vec<String> = attempts.iter().map(|attempt| attempt.guid.clone()).collect();
        guids.sort();
        guids
    };
    assert_eq!(guids(&asked), guids(&first[..5]));
    assert!(asked.iter().all(|attempt| attempt.redelivery));
    no_problems(&fake);
}

#[cfg(feature = "app")]
#[tokio::test]
async fn an_apps_deliveries_are_listed_read_and_asked_for() {
    use connect_github::app::App;
    use connect_github::apps;
    let known =
        connect_testkit::github::FakeApp::new("Iv1.fake", 4242, include_str!("keys/public.test-only.pem"));
    let fake = FakeGitHub::builder().app(known).start().await.unwrap();
    let key = include_str!("keys/rsa-2048.test-only.pem");
    let github = App::builder("Iv1.fake").private_key(key).base_url(fake.url()).build().unwrap().client();
    assert!(
        fake.deliver("http://127.0.0.1:1/", GitHubDelivery::issues("opened").installation(9)).await.is_err()
    );
    let listed = all(&github, apps::ListWebhookDeliveries::new().status("failure")).await;
    assert_eq!((listed.len(), listed[0].installation_id), (1, Some(9)));
    let detail = strictly(&github, apps::GetWebhookDelivery::new(listed[0].id)).await;
    assert_eq!(detail.request.headers.get("X-GitHub-Event").map(String::as_str), Some("issues"));
    let policy = Policy::default().with_schedule([Duration::ZERO]);
    let report = Redelivery::of_app(&github).policy(policy).run_once().await.unwrap();
    assert_eq!((report.asked, report.to_string().contains("1 asked for")), (1, true));
    fake.wait_for_deliveries(2).await;
    no_problems(&fake);

    let refused = Redelivery::of_app(&client(&fake)).run_once().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Auth, "a personal token speaks for no App: {refused}");
}

#[tokio::test]
async fn files_are_written_read_and_deleted() {
    let fake = FakeGitHub::start().await.unwrap();
    fake.add_repository("octo", "hello");
    let github = client(&fake);
    let path = "docs/a b.md";
    let text = "SGVsbG8="; // Hello
    let put = |text| repos::CreateOrUpdateFileContents::new("octo", "hello", path, "message", text);
    let made = strictly(&github, put(text)).await;
    let sha = made.content.unwrap().sha.unwrap();
    let blind = github.send(put("SGk=")).await.unwrap_err();
    assert_eq!(blind.kind(), ErrorKind::Invalid, "{blind}");
    let stale = github.send(put("SGk=").sha("0".repeat(40))).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict, "{stale}");
    let read = strictly(&github, repos::GetContent::new("octo", "hello", path)).await;
    assert!(matches!(&read, ReposGetContentResponse::ContentFile(file) if file.sha == sha), "{read:?}");
    let folder = strictly(&github, repos::GetContent::new("octo", "hello", "")).await;
    assert!(matches!(&folder, ReposGetContentResponse::List(items) if items.len() == 1), "{folder:?}");
    let raw = repos::GetContent::new("octo", "hello", path).accept("application/vnd.github.raw+json");
    assert_eq!(github.download(raw).await.unwrap().collect().await.unwrap(), "Hello");
    strictly(&github, repos::DeleteFile::new("octo", "hello", path, "message", sha)).await;
    assert_eq!(fake.file("octo", "hello", path), None);
    no_problems(&fake);
}

#[tokio::test]
async fn a_released_file_comes_back_without_the_token_leaving_the_api() {
    for prefix in ["", "/api/v3"] {
        let fake = FakeGitHub::builder().path_prefix(prefix).start().await.unwrap();
        fake.add_repository("octo", "hello");
        let github = client(&fake);
        let release = strictly(&github, repos::CreateRelease::new("octo", "hello", "v1").name("One")).await;
        let upload = repos::UploadReleaseAsset::new("octo", "hello", release.id, "app.zip");
        let asset = github.upload(upload, b"PK and more".to_vec()).strict().await.unwrap();
        assert_eq!(asset.size, 11);
        assert_eq!(all(&github, repos::ListReleases::new("octo", "hello")).await[0].assets.len(), 1);
        strictly(&github, repos::GetReleaseAsset::new("octo", "hello", asset.id)).await;

        let file = repos::GetReleaseAsset::new("octo", "hello", asset.id);
        let file = github.download(file).accept(media::OCTET_STREAM).await.unwrap();
        assert_eq!(file.collect().await.unwrap(), "PK and more");
        let storage = fake.storage_requests();
        assert_eq!((storage.len(), storage[0].credential()), (1, None), "{prefix}");
        no_problems(&fake);
    }
}

#[tokio::test]
async fn a_search_is_read_and_counted_apart() {
    let fake = FakeGitHub::start().await.unwrap();
    fake.add_issue("octo", "hello", "Faster start");
    let github = client(&fake);
    let found = strictly(&github, search::IssuesAndPullRequests::new("start repo:octo/hello")).await;
    assert_eq!((found.total_count, found.items[0].number), (1, 1));
    no_problems(&fake);
}

#[tokio::test]
async fn each_shape_of_a_secondary_limit_is_known_as_one() {
    for shape in [
        SecondaryShape::Hinted,
        SecondaryShape::Message,
        SecondaryShape::Abuse,
        SecondaryShape::Page,
        SecondaryShape::TooManyRequests,
    ] {
        let fake = FakeGitHub::start().await.unwrap();
        fake.add_issue("octo", "hello", "One");
        let limit = SecondaryLimit::points_per_minute(1).pause(Duration::from_secs(90)).shape(shape);
        fake.set_secondary_limit(limit);
        let github = client(&fake);
        strictly(&github, issues::Get::new("octo", "hello", 1)).await;
        let refused =
            github.send(issues::Get::new("octo", "hello", 1)).deadline(Duration::from_secs(1)).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RateLimited, "{shape:?}: {refused}");
        assert!(
            matches!(refused.retry(), RetryAdvice::After(wait) if wait > Duration::from_secs(30)),
            "{shape:?}"
        );
        assert_eq!(fake.hammered(), 0, "{shape:?}: nobody goes on");
    }
}
