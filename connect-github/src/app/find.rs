//! Where an App is installed, and who it is: questions it asks with its own token.

use std::fmt::Display;

use connect_core::{Context, Error, Identity, Method, Operation, Raw, Request};
use serde::Deserialize;

use super::refusal::of_question;
use super::{App, Installation};

/// Name and path of a question.
type Question = (&'static str, &'static str);

const OF_REPOSITORY: Question = ("apps/get-repo-installation", "/repos/{owner}/{repo}/installation");
const OF_ORG: Question = ("apps/get-org-installation", "/orgs/{org}/installation");
const OF_USER: Question = ("apps/get-user-installation", "/users/{username}/installation");
const OF_ENTERPRISE: Question =
    ("apps/get-enterprise-installation", "/enterprises/{enterprise}/installation");
pub(super) const INSTALLATION: Question = ("apps/get-installation", "/app/installations/{installation_id}");

/// What is read of an installation.
#[derive(Deserialize)]
pub(super) struct Found {
    id: u64,
    pub(super) app_slug: Option<String>,
}

/// What is read of the App.
#[derive(Deserialize)]
struct Authenticated {
    id: u64,
    slug: Option<String>,
}

impl App {
    /// The installation that has this repository.
    /// [GitHub's page](https://docs.github.com/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the App is not installed there, or not for this repository; an
    /// [`AppRefusal`](super::AppRefusal) in the details if the App itself is refused.
    pub async fn installation_of_repo(&self, owner: &str, repo: &str) -> Result<Installation, Error> {
        self.look_up(&OF_REPOSITORY, &[("owner", &owner), ("repo", &repo)]).await
    }

    /// The installation on this organization.
    /// [GitHub's page](https://docs.github.com/rest/apps/apps#get-an-organization-installation-for-the-authenticated-app).
    ///
    /// # Errors
    /// As [`App::installation_of_repo`].
    pub async fn installation_of_org(&self, org: &str) -> Result<Installation, Error> {
        self.look_up(&OF_ORG, &[("org", &org)]).await
    }

    /// The installation on this user's account.
    /// [GitHub's page](https://docs.github.com/rest/apps/apps#get-a-user-installation-for-the-authenticated-app).
    ///
    /// # Errors
    /// As [`App::installation_of_repo`].
    pub async fn installation_of_user(&self, username: &str) -> Result<Installation, Error> {
        self.look_up(&OF_USER, &[("username", &username)]).await
    }

    /// The installation on this enterprise.
    /// [GitHub's page](https://docs.github.com/enterprise-cloud@latest/rest/apps/apps#get-an-enterprise-installation-for-the-authenticated-app).
    ///
    /// # Errors
    /// As [`App::installation_of_repo`].
    pub async fn installation_of_enterprise(&self, enterprise: &str) -> Result<Installation, Error> {
        self.look_up(&OF_ENTERPRISE, &[("enterprise", &enterprise)]).await
    }

    async fn look_up(
        &self,
        question: &Question,
        path: &[(&'static str, &(dyn Display + Sync))],
    ) -> Result<Installation, Error> {
        let found = self.find(question, path, &Context::default()).await?;
        Ok(self.installation(found.id))
    }

    pub(super) async fn find(
        &self,
        (name, template): &Question,
        path: &[(&'static str, &(dyn Display + Sync))],
        cx: &Context,
    ) -> Result<Found, Error> {
        let operation = Operation::raw(*name, Method::GET, *template);
        let filled = path
            .iter()
            .fold(Request::builder(&operation), |request, (name, value)| request.path(name, value));
        let call = self.shared().exchange.client.send(Raw::<_, Found>::new(filled.build()?));
        call.context(cx).await.map_err(|error| {
            let values: Vec<String> = path.iter().map(|(_, value)| value.to_string()).collect();
            of_question(error, self.id(), &format!("installation on {}", values.join("/")))
        })
    }

    /// Who acts: the App's bot.
    pub(crate) async fn identity(&self, cx: &Context) -> Result<Identity, Error> {
        let operation = Operation::raw("apps/get-authenticated", Method::GET, "/app");
        let request = Request::builder(&operation).build()?;
        let call = self.shared().exchange.client.send(Raw::<_, Authenticated>::new(request));
        let app = call.context(cx).await.map_err(|error| of_question(error, self.id(), "page of its own"))?;
        let bot = app.slug.map(|slug| format!("{slug}[bot]"));
        Ok(Identity::new("github", format!("app/{}", app.id)).with_account(bot))
    }
}
