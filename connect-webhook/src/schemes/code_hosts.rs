//! Code hosts, builds and deployments.

use super::*;

/// GitHub and GitHub Enterprise Server: `X-Hub-Signature-256: sha256=<hex>`.
///
/// GitHub signs no timestamp and no header, so replay protection is the dedupe id `X-GitHub-Delivery`, which
/// stays the same when a delivery is sent again. Payloads go up to 25 MB; larger ones are never sent. Bodies
/// are JSON, or a form with the JSON in `payload`. GitHub waits 10 s and does not redeliver by itself.
pub static GITHUB: Scheme = github(row("github", "X-Hub-Signature-256").prefix("sha256="));

/// GitHub's old header `X-Hub-Signature: sha1=<hex>`, still sent beside the new one. Weak: use [`GITHUB`].
pub static GITHUB_SHA1: Scheme = github(row("github_sha1", "X-Hub-Signature").prefix("sha1="))
    .algorithm(Algorithm::Hmac(Hash::Sha1))
    .weak();

/// `X-Hub-Signature: sha512=<hex>`, from senders that imitate GitHub.
pub static GITHUB_SHA512: Scheme = github(row("github_sha512", "X-Hub-Signature").prefix("sha512="))
    .algorithm(Algorithm::Hmac(Hash::Sha512));

const fn github(scheme: Scheme) -> Scheme {
    scheme
        .docs("https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries")
        .id(&[Header(Borrowed("X-GitHub-Delivery"))])
        .event(&[Header(Borrowed("X-GitHub-Event"))])
        .ordering_key(&[Json(Borrowed("/pull_request/node_id")), Json(Borrowed("/issue/node_id"))])
        .keep_headers(&[
            Borrowed("X-GitHub-Event"),
            Borrowed("X-GitHub-Delivery"),
            Borrowed("X-GitHub-Hook-ID"),
            Borrowed("X-GitHub-Hook-Installation-Target-ID"),
            Borrowed("X-GitHub-Hook-Installation-Target-Type"),
            Borrowed("X-GitHub-Enterprise-Host"),
            Borrowed("X-GitHub-Enterprise-Version"),
        ])
        .form(FormRule::Field(Borrowed("payload")))
        // Their payloads bear no time: who joins, leaves and joins again is told of in the same bytes, and so is a
        // workflow that is run twice.
        .bodies_repeat_in(&[
            Borrowed("github_app_authorization"),
            Borrowed("member"),
            Borrowed("membership"),
            Borrowed("org_block"),
            Borrowed("organization"),
            Borrowed("repository_dispatch"),
            Borrowed("team"),
            Borrowed("team_add"),
            Borrowed("workflow_dispatch"),
        ])
        .body_limit_mib(25)
}

/// Bitbucket Cloud: `X-Hub-Signature: sha256=<hex>`. The older `X-Hook-UUID` names the hook and proves
/// nothing.
pub static BITBUCKET: Scheme = row("bitbucket", "X-Hub-Signature")
    .docs("https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/")
    .prefix("sha256=")
    .id(&[Header(Borrowed("X-Request-UUID"))])
    .event(&[Header(Borrowed("X-Event-Key"))])
    .keep_headers(&[Borrowed("X-Hook-UUID"), Borrowed("X-Attempt-Number")])
    // A push bears no time: a branch that is pushed to, back and there again makes two equal ones.
    .bodies_repeat();

/// Gitea and Forgejo: `X-Gitea-Signature: <hex>`.
pub static GITEA: Scheme = row("gitea", "X-Gitea-Signature")
    .docs("https://docs.gitea.com/usage/webhooks")
    .signature(Source::FirstHeader(Borrowed(&[
        Borrowed("X-Gitea-Signature"),
        Borrowed("X-Forgejo-Signature"),
    ])))
    .id(&[Header(Borrowed("X-Gitea-Delivery")), Header(Borrowed("X-Forgejo-Delivery"))])
    .event(&[Header(Borrowed("X-Gitea-Event")), Header(Borrowed("X-Forgejo-Event"))])
    .bodies_repeat()
    .form(FormRule::Field(Borrowed("payload")));

/// GitLab with a secret token: `X-Gitlab-Token` repeats it. `X-Gitlab-Event-UUID` is no id: webhooks that set off
/// each other share it, and the second would be taken for the first. The body is not signed: prefer
/// [`GITLAB_SIGNED`] where the instance has it.
pub static GITLAB_TOKEN: Scheme =
    gitlab(token("gitlab_token", "X-Gitlab-Token")).id(&[Header(Borrowed("Idempotency-Key"))]);

/// GitLab with a signing token: Standard Webhooks under GitLab's own event header.
pub static GITLAB_SIGNED: Scheme =
    gitlab(standard::v1("gitlab_signed")).id(&[Header(Borrowed("webhook-id"))]);

const fn gitlab(scheme: Scheme) -> Scheme {
    scheme
        .docs("https://docs.gitlab.com/user/project/integrations/webhooks/")
        .event(&[Header(Borrowed("X-Gitlab-Event"))])
        .keep_headers(&[Borrowed("X-Gitlab-Event-UUID"), Borrowed("X-Gitlab-Instance")])
        .body_limit_mib(25)
}

/// CircleCI: `circleci-signature: v1=<hex>`, other versions beside it are ignored.
pub static CIRCLECI: Scheme = row("circleci", "circleci-signature")
    .docs("https://circleci.com/docs/outbound-webhooks/")
    .pairs(',', "v1")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Header(Borrowed("circleci-event-type")), Json(Borrowed("/type"))]);

/// Buildkite with signatures: `X-Buildkite-Signature: timestamp=<s>,signature=<hex>`.
pub static BUILDKITE: Scheme = row("buildkite", "X-Buildkite-Signature")
    .docs("https://buildkite.com/docs/apis/webhooks")
    .pairs(',', "signature")
    .base(DOTTED)
    .timestamp(at_pair("timestamp"), Seconds, 300)
    .event(&[Header(Borrowed("X-Buildkite-Event"))]);

/// Buildkite with a token: `X-Buildkite-Token` repeats it. The body is not signed: prefer [`BUILDKITE`].
pub static BUILDKITE_TOKEN: Scheme = token("buildkite_token", "X-Buildkite-Token")
    .docs("https://buildkite.com/docs/apis/webhooks")
    .event(&[Header(Borrowed("X-Buildkite-Event"))]);

/// Vercel: `x-vercel-signature: <hex>`, HMAC-SHA1.
pub static VERCEL: Scheme = row("vercel", "x-vercel-signature")
    .docs("https://vercel.com/docs/webhooks/webhooks-api")
    .algorithm(Algorithm::Hmac(Hash::Sha1))
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/type"))]);

/// HCP Terraform: `X-TFE-Notification-Signature: <hex>`, HMAC-SHA512.
pub static TERRAFORM_CLOUD: Scheme = row("terraform_cloud", "X-TFE-Notification-Signature")
    .docs("https://developer.hashicorp.com/terraform/cloud-docs/workspaces/settings/notifications")
    .algorithm(Algorithm::Hmac(Hash::Sha512))
    .event(&[Json(Borrowed("/notifications/0/trigger"))]);

/// Sentry integrations: `Sentry-Hook-Signature: <hex>`. `Sentry-Hook-Timestamp` is not signed.
pub static SENTRY: Scheme = row("sentry", "Sentry-Hook-Signature")
    .docs("https://docs.sentry.io/organization/integrations/integration-platform/webhooks/")
    .id(&[Header(Borrowed("Request-ID"))])
    .event(&[Header(Borrowed("Sentry-Hook-Resource"))])
    .keep_headers(&[Borrowed("Sentry-Hook-Timestamp")]);

/// Azure DevOps service hooks: Basic authentication; the secret is `user:password`.
pub static AZURE_DEVOPS: Scheme = basic("azure_devops")
    .docs("https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks")
    .id(&[Json(Borrowed("/id"))])
    .event(&[Json(Borrowed("/eventType"))]);

/// Cursor's background agents: `X-Webhook-Signature: sha256=<hex>`.
pub static CURSOR: Scheme = row("cursor", "X-Webhook-Signature")
    .docs("https://docs.cursor.com/background-agent/api/webhooks")
    .prefix("sha256=")
    .id(&[Header(Borrowed("X-Webhook-ID"))])
    .event(&[Header(Borrowed("X-Webhook-Event")), Json(Borrowed("/event"))]);
