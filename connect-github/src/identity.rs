//! Who a client's credential is.

use connect_core::{Context, Error, ErrorKind, Identity, Raw};
use serde::Deserialize;

use crate::GitHub;

/// Whom a client speaks for, as far as it was told when it was built.
#[derive(Clone, Default)]
pub(crate) enum Speaker {
    /// Whoever the token is.
    #[default]
    Bearer,
    #[cfg(feature = "app")]
    App(crate::app::App),
    #[cfg(feature = "app")]
    Installation(std::sync::Arc<crate::app::Installation>),
}

/// What says who a user is; lean, so that identity needs no category of endpoints.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    email: Option<String>,
}

/// What an installation may see.
#[derive(Deserialize)]
pub(crate) struct Repositories {
    #[serde(default)]
    repositories: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    owner: Owner,
}

#[derive(Deserialize)]
struct Owner {
    id: u64,
    login: String,
}

/// What is left of all limits.
pub(crate) const RATE_LIMIT: &str = "/rate_limit";

/// The path of a question that costs least.
pub(crate) fn cheap_question(client: &GitHub) -> &'static str {
    match client.speaker() {
        #[cfg(feature = "app")]
        Speaker::App(_) => "/app",
        _ => RATE_LIMIT,
    }
}

pub(crate) async fn identity(client: &GitHub, cx: &Context) -> Result<Identity, Error> {
    match client.speaker() {
        Speaker::Bearer => of_bearer(client, cx).await,
        #[cfg(feature = "app")]
        Speaker::App(app) => app.identity(cx).await,
        #[cfg(feature = "app")]
        Speaker::Installation(installation) => installation.identity(client, cx).await,
    }
}

async fn of_bearer(client: &GitHub, cx: &Context) -> Result<Identity, Error> {
    let user = client.send(Raw::<_, User>::get("/user")?).context(cx).await;
    match user {
        Ok(user) => {
            let identity = Identity::new("github", user.id.to_string());
            Ok(identity.with_account(Some(user.login)).with_email(user.email))
        }
        // An installation's token, Actions' for example, is no user. It does not say whose it is either, only where it may
        // work: its own actions carry the name of a bot that is not told here.
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            let seen = repositories(client, cx).await.map_err(|_| error)?;
            Ok(match seen.repositories.into_iter().next() {
                Some(Repository { owner }) => {
                    let account = format!("an installation on {}", owner.login);
                    Identity::new("github", format!("installation-on/{}", owner.id))
                        .with_account(Some(account))
                }
                None => Identity::new("github", "installation").with_account(Some("an installation")),
            })
        }
        Err(error) => Err(error),
    }
}

/// Costs one request, and works with the tokens of installations only.
/// Source: <https://docs.github.com/rest/apps/installations#list-repositories-accessible-to-the-app-installation>.
pub(crate) async fn repositories(client: &GitHub, cx: &Context) -> Result<Repositories, Error> {
    client.send(Raw::<_, Repositories>::get("/installation/repositories?per_page=1")?).context(cx).await
}
