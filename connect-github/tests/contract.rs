//! Every operation against a server that judges requests by GitHub's own description. `.ci/contract` runs it.
#![cfg(all(feature = "issues", feature = "users"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use connect_github::{GitHub, issues, users};
use futures_util::TryStreamExt;

#[expect(clippy::disallowed_methods, reason = "the server's address is given by the script")]
fn client() -> (GitHub, Option<String>) {
    let builder =
        GitHub::builder().token("contract").base_url(&std::env::var("CONNECT_CONTRACT_URL").unwrap());
    match std::env::var("CONNECT_CONTRACT_VERSION") {
        Ok(version) => (builder.api_version(&version).build().unwrap(), Some(version)),
        Err(_) => (builder.build().unwrap(), None),
    }
}

#[tokio::test]
#[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
async fn typed_requests_are_what_the_description_asks_for() {
    let (github, version) = client();
    github.send(users::GetAuthenticated::new()).await.unwrap();
    // Requests are judged here, not answers: this operation's official example is a dangling reference.
    github.send(issues::Get::new("octo", "hello", 7)).decode_as::<serde_json::Value>().await.unwrap();
    let mut create = issues::Create::new("octo", "hello", "Title").body("Text").labels(["bug"]).milestone(1);
    if version.is_none() {
        create = create.assignee("mona");
    }
    github.send(create).await.unwrap();
    github.send(issues::CreateComment::new("octo", "hello", 7, "Text")).await.unwrap();
    let list = issues::ListForRepo::new("octo", "hello")
        .milestone("1")
        .state("all")
        .assignee("mona")
        .creator("mona")
        .mentioned("mona")
        .labels(["bug", "ui"])
        .sort("updated")
        .direction("asc")
        .since("2026-01-01T00:00:00Z");
    let all: Vec<_> = github.stream(list).try_collect().await.unwrap();
    assert!(all.len() > 1, "the list has several pages");
}

#[cfg(feature = "by-name")]
mod arguments;

#[cfg(feature = "by-name")]
mod every_operation {
    use connect_core::argument::Payload;
    use connect_core::by_name::{Entry, Named};
    use connect_core::{Body, Error, ErrorKind, Paging};
    use connect_github::{CATALOG, GitHub, GitHubApi};
    use futures_util::TryStreamExt;
    use serde_json::Value;

    use super::arguments::{Amount, Samples};

    /// What patterns, lengths and enumerations within texts ask for.
    const SAMPLES: Samples = Samples {
        by_name: &[
            ("client_payload", r#"{"a": 1}"#),
            ("commit_sha", r#""0123456789abcdef0123456789abcdef01234567""#),
            ("custom_properties", r#"{"team": "a"}"#),
            ("digest", r#""sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef""#),
            ("dsseEnvelope", r#"{"a": 1}"#),
            ("encrypted_value", r#""YWJj""#),
            ("inputs", r#"{"a": "b"}"#),
            ("key", r#""ssh-ed25519 AAAA""#),
            ("metadata", r#"{"name": "a"}"#),
            ("package_url", r#""pkg:npm/a@1.0.0""#),
            ("ref", r#""refs/heads/main""#),
            ("sha", r#""0123456789abcdef0123456789abcdef01234567""#),
            ("sort_by", r#"[[1, "asc"]]"#),
            (
                "subject_digest",
                r#""sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef""#,
            ),
            ("verificationMaterial", r#"{"a": 1}"#),
            ("version", r#""1.0.0""#),
        ],
        by_operation: &[
            ("actions/review-custom-gates-for-run", r#"{"comment": "fine", "state": null}"#),
            ("actions/review-custom-gates-for-run", r#"{"state": "approved"}"#),
            (
                "campaigns/create-campaign",
                r#"{"code_scanning_alerts": [{"repository_id": 1, "alert_numbers": [1]}]}"#,
            ),
            ("code-quality/update-setup", r#"{"state": "configured"}"#),
            (
                "code-scanning/create-variant-analysis",
                r#"{"repositories": ["o/r"], "repository_lists": null, "repository_owners": null}"#,
            ),
            (
                "code-scanning/create-variant-analysis",
                r#"{"repositories": null, "repository_lists": ["a"], "repository_owners": null}"#,
            ),
            (
                "code-scanning/create-variant-analysis",
                r#"{"repositories": null, "repository_lists": null, "repository_owners": ["o"]}"#,
            ),
            ("code-scanning/update-alert", r#"{"assignees": ["mona"]}"#),
            ("codespaces/create-for-authenticated-user", r#"{"repository_id": 1, "pull_request": null}"#),
            (
                "codespaces/create-for-authenticated-user",
                r#"{"repository_id": null, "pull_request": {"pull_request_number": 1, "repository_id": 1}}"#,
            ),
            ("dependabot/update-alert", r#"{"assignees": ["mona"]}"#),
            ("issues/set-labels", r#"{"labels": ["bug"]}"#),
            ("issues/set-labels", r#"{"labels": [{"name": "bug"}]}"#),
            ("orgs/delete-attestations-bulk", r#"{"subject_digests": ["a"], "attestation_ids": null}"#),
            ("orgs/delete-attestations-bulk", r#"{"subject_digests": null, "attestation_ids": [1]}"#),
            ("users/delete-attestations-bulk", r#"{"subject_digests": ["a"], "attestation_ids": null}"#),
            ("users/delete-attestations-bulk", r#"{"subject_digests": null, "attestation_ids": [1]}"#),
            (
                "projects/add-field-for-org",
                r#"{"issue_field_id": 1, "name": null, "data_type": null, "single_select_options": null, "iteration_configuration": null}"#,
            ),
            (
                "projects/add-field-for-org",
                r#"{"issue_field_id": null, "name": "a", "data_type": "text", "single_select_options": null, "iteration_configuration": null}"#,
            ),
            (
                "projects/add-field-for-org",
                r#"{"issue_field_id": null, "name": "a", "data_type": "single_select", "single_select_options": [{"name": "a", "color": "BLUE"}], "iteration_configuration": null}"#,
            ),
            (
                "projects/add-field-for-org",
                r#"{"issue_field_id": null, "name": "a", "data_type": "iteration", "single_select_options": null, "iteration_configuration": {"duration": 7, "start_date": "2026-01-01", "iterations": []}}"#,
            ),
            (
                "projects/add-field-for-user",
                r#"{"name": "a", "data_type": "text", "single_select_options": null, "iteration_configuration": null}"#,
            ),
            (
                "projects/add-field-for-user",
                r#"{"name": "a", "data_type": "single_select", "single_select_options": [{"name": "a", "color": "BLUE"}], "iteration_configuration": null}"#,
            ),
            (
                "projects/add-field-for-user",
                r#"{"name": "a", "data_type": "iteration", "single_select_options": null, "iteration_configuration": {"duration": 7, "start_date": "2026-01-01", "iterations": []}}"#,
            ),
            ("projects/add-item-for-org", r#"{"id": 1, "owner": null, "repo": null, "number": null}"#),
            ("projects/add-item-for-org", r#"{"id": null, "owner": "o", "repo": "r", "number": 1}"#),
            ("projects/add-item-for-user", r#"{"id": 1, "owner": null, "repo": null, "number": null}"#),
            ("projects/add-item-for-user", r#"{"id": null, "owner": "o", "repo": "r", "number": 1}"#),
            ("pull-request-stacks/create", r#"{"pull_requests": [1, 2]}"#),
            ("repos/create-pages-site", r#"{"build_type": "workflow"}"#),
            ("repos/update-information-about-pages-site", r#"{"build_type": "workflow"}"#),
            ("secret-scanning/update-alert", r#"{"state": "open"}"#),
            ("secret-scanning/update-org-custom-pattern", r#"{"end_delimiter": "a"}"#),
            ("secret-scanning/update-repo-custom-pattern", r#"{"end_delimiter": "a"}"#),
        ],
    };

    /// These go on by the last id that was seen, which the server does not play.
    const ONE_PAGE: &[&str] = &["orgs/list", "repos/list-public", "users/list"];

    #[tokio::test]
    #[ignore = "needs the server named by CONNECT_CONTRACT_URL"]
    async fn is_called_with_all_arguments_and_pages_to_the_end() {
        let (github, version) = super::client();
        let mut wrong = Vec::new();
        for entry in CATALOG.entries() {
            for amount in [Amount::Required, Amount::Everything] {
                for arguments in SAMPLES.of(entry, amount, version.is_some()) {
                    match call(&github, entry, amount, arguments).await {
                        // Requests are judged here; models have tests of their own.
                        Ok(Some(1)) if !ONE_PAGE.contains(&&*entry.operation.name) => {
                            wrong.push(format!("{}: only one page", entry.operation.name));
                        }
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::Decode => {}
                        Err(error) => wrong.push(error.to_string()),
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// How many pages there were, if it is a list.
    async fn call(
        github: &GitHub,
        entry: &Entry,
        amount: Amount,
        arguments: Value,
    ) -> Result<Option<usize>, Error> {
        let named = Named::<GitHubApi>::of(entry, arguments)?;
        let is_file = matches!(entry.operation.payload, Payload::File(_) | Payload::Multipart(_));
        if is_file {
            github.upload(named, Body::from("content")).await?;
        } else if entry.operation.paging != Paging::None && amount == Amount::Required {
            return Ok(Some(github.pages(named).try_fold(0, async |pages, _| Ok(pages + 1)).await?));
        } else {
            github.send(named).await?;
        }
        Ok(None)
    }
}
