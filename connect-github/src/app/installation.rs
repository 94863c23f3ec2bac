//! One installation of an App: clients that act as it, and its tokens.

use std::time::Duration;

use connect_core::auth::CachedToken;
use connect_core::{Context, Error, Identity, TokenCache};

use super::App;
use super::find::INSTALLATION;
use super::scope::Scope;
use crate::GitHub;

/// An installation of an App on an account, for all or some of what it was granted. Cheap to clone; nothing is sent
/// before a token is needed.
///
/// Every client and token of the same installation, repositories and permissions (in whatever order) shares one token,
/// and all clients of an installation share its limits.
///
/// ```
/// # fn example(app: &connect_github::app::App) -> Result<(), connect_github::Error> {
/// let bot = app.installation(4711).repositories(["hello"]).permission("issues", "write");
/// let octo = bot.client()?; // a GitHub client; its tokens are made, renewed and replaced as needed
/// # drop(octo); Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an installation does nothing until `client` or `token` is called"]
pub struct Installation {
    app: App,
    id: u64,
    scope: Scope,
}

impl Installation {
    pub(super) fn new(app: App, id: u64) -> Self {
        Self { app, id, scope: Scope::default() }
    }

    /// The installation's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Only these repositories, by their names without the owner; may be called again to add more. At most 500.
    pub fn repositories<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.scope.repositories.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Only these repositories, by their ids, which stay when one is renamed. At most 500, names included.
    pub fn repository_ids(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.scope.repository_ids.get_or_insert_default().extend(ids);
        self
    }

    /// Only this permission and the others that are named like this: `issues`, `write`. The names are those of
    /// [GitHub's page](https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app), with
    /// underscores; the access is `read`, `write` or `admin`.
    pub fn permission(mut self, name: impl Into<String>, access: impl Into<String>) -> Self {
        self.scope.permissions.insert(name.into(), access.into());
        self
    }

    /// A client that acts as the installation.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): an empty list of repositories, more than 500, a name with its owner.
    pub fn client(&self) -> Result<GitHub, Error> {
        let tokens = self.tokens()?;
        let client = self
            .app
            .shared()
            .registry
            .client(self.id, |quota| self.app.shared().wire.client(tokens.clone(), quota))?;
        Ok(client.speaking_as_installation(self.clone()))
    }

    /// Its tokens, for a client that is built in another way: [`GitHubBuilder::tokens`](crate::GitHubBuilder::tokens).
    ///
    /// # Errors
    /// As [`Installation::client`].
    pub fn tokens(&self) -> Result<TokenCache, Error> {
        self.scope.check()?;
        let shared = self.app.shared();
        let make = || shared.exchange.tokens(self.id, self.scope.clone());
        Ok(shared.registry.tokens(self.id, &self.scope, make))
    }

    /// A token that lives at least this long (a little less than an hour at most), for something else than a client: git over HTTPS, a program
    /// that is started with it. [`CachedToken::remaining`] says how long it really has.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(app: connect_github::app::App) -> Result<(), connect_github::Error> {
    /// let token = app.installation(4711).token(Duration::from_secs(600)).await?;
    /// let remote = format!("https://x-access-token:{}@github.com/octo/hello.git", token.value().expose());
    /// # drop(remote); Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Installation::client`]; an [`AppRefusal`](super::AppRefusal) in the details if GitHub gives none.
    pub async fn token(&self, life: Duration) -> Result<CachedToken, Error> {
        self.tokens()?.get_living_for(life).await
    }

    /// Who acts: the App's bot, in this installation. Asked of GitHub with the installation's own token first, so that it is
    /// known to work.
    pub(crate) async fn identity(&self, client: &GitHub, cx: &Context) -> Result<Identity, Error> {
        crate::identity::repositories(client, cx).await?;
        let found = self.app.find(&INSTALLATION, &[("installation_id", &self.id)], cx).await?;
        let bot = found.app_slug.map(|slug| format!("{slug}[bot]"));
        Ok(Identity::new("github", format!("installation/{}", self.id)).with_account(bot))
    }
}
