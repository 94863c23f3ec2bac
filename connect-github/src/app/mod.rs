//! GitHub Apps: acting as the App itself, and as its installations. Behind the feature `app`.
//!
//! ```no_run
//! use connect_github::app::App;
//!
//! # async fn example() -> Result<(), connect_github::Error> {
//! let app = App::from_env()?; // GITHUB_APP_CLIENT_ID, GITHUB_APP_PRIVATE_KEY
//! let octo = app.installation_of_repo("octo", "hello").await?.client()?;
//! let issue = octo.send(connect_github::issues::Get::new("octo", "hello", 7)).await?;
//! # drop(issue); Ok(()) }
//! ```
//!
//! | who acts | how | token |
//! |---|---|---|
//! | the App itself | [`App::client`] | a JWT, signed here or by a [`Signer`] of the host's; nine minutes |
//! | an installation | [`Installation::client`], [`Installation::token`] | made by GitHub for the App; an hour |
//! | a person, through the App | the feature `login` | eight hours, with a refresh token |
//!
//! What you get without asking: one token for all clients that need the same one, however many calls begin at once;
//! renewal before the end, behind the calls' backs; a new token where GitHub refuses the old one, and none where it only
//! does not know a fresh one everywhere yet (it is sent again for up to five seconds); times by GitHub's clock, as its
//! answers tell it, so that a wrong clock here costs one request. The private key is used to sign and shows nowhere.

mod builder;
mod find;
mod id;
mod installation;
mod jwt;
mod refusal;
mod registry;
mod scope;
mod tokens;

use std::fmt;
use std::sync::Arc;

use connect_core::vars::environment;
use connect_core::{Config, Error, ErrorKind, Secret, Vars};

use crate::GitHub;

pub use connect_oauth::jwt::{Algorithm, RsaKey, Signer};

pub use self::builder::AppBuilder;
pub use self::id::AppId;
pub use self::installation::Installation;
pub use self::refusal::AppRefusal;

use self::builder::Wire;
use self::registry::Registry;
use self::tokens::Exchange;

/// A GitHub App. Cheap to clone; clones share tokens, connections and what is known of GitHub's clock.
///
/// ```
/// use connect_github::app::App;
/// let error = App::new("Iv1.example", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----").unwrap_err();
/// assert!(error.to_string().contains("a public key: the private key that belongs to it is needed"));
/// ```
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    exchange: Exchange,
    wire: Wire,
    registry: Registry,
}

impl From<Shared> for App {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl App {
    /// The App with this client ID (or app id) and private key on github.com; [`App::builder`] has more settings.
    ///
    /// # Errors
    /// As [`AppBuilder::build`].
    pub fn new(id: impl Into<AppId>, private_key: impl Into<Secret>) -> Result<Self, Error> {
        Self::builder(id).private_key(private_key).build()
    }

    /// Starts building the App with this client ID or app id.
    pub fn builder(id: impl Into<AppId>) -> AppBuilder {
        AppBuilder::new(id.into())
    }

    /// An App from the process environment; see [`App::from_vars`].
    ///
    /// # Errors
    /// As [`App::from_vars`].
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(environment)
    }

    /// An App from variables: `GITHUB_APP_CLIENT_ID` (or `GITHUB_APP_ID`), `GITHUB_APP_PRIVATE_KEY` (the key itself, in any
    /// form that [`AppBuilder::private_key`] takes) or `GITHUB_APP_PRIVATE_KEY_PATH` (the file with it), and
    /// `GITHUB_API_URL` for another GitHub than github.com. Limits and habits come from `CONNECT_DEADLINE` and its like:
    /// [the table](connect_core::config).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming what is missing or malformed.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&lookup);
        let id = match vars.optional("GITHUB_APP_CLIENT_ID") {
            Some(id) => id,
            None => vars.required(
                "GITHUB_APP_ID",
                "the id of the App; or set GITHUB_APP_CLIENT_ID to its client ID, from its settings page",
            )?,
        };
        let (variable, key) = private_key(&vars)?;
        let mut builder = Self::builder(id).private_key_from(variable, &key);
        if vars.origins("GITHUB_API_URL")?.is_some()
            && let Some(url) = vars.optional("GITHUB_API_URL")
        {
            builder = builder.base_url(&url);
        }
        builder.config(Config::from_vars("CONNECT", vars)?).build()
    }

    /// Its client ID or app id.
    pub fn id(&self) -> &AppId {
        &self.0.exchange.app
    }

    /// A client that acts as the App itself, for the few operations that want that: its own settings, its installations, its
    /// webhook's deliveries.
    pub fn client(&self) -> GitHub {
        self.0.exchange.client.clone().speaking_as_app(self.clone())
    }

    /// One of its installations, by the id that webhooks and [`App::installation_of_repo`] tell. Asks nobody.
    pub fn installation(&self, id: u64) -> Installation {
        Installation::new(self.clone(), id)
    }

    fn shared(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", self.id()).finish_non_exhaustive()
    }
}

/// The private key, and the variable it came from.
fn private_key(vars: &Vars<'_>) -> Result<(&'static str, Secret), Error> {
    const KEY: &str = "GITHUB_APP_PRIVATE_KEY";
    const PATH: &str = "GITHUB_APP_PRIVATE_KEY_PATH";
    if let Some(key) = vars.optional(KEY) {
        return Ok((KEY, Secret::new(key)));
    }
    let meaning = "the private key of the App; or set GITHUB_APP_PRIVATE_KEY_PATH to the file with it";
    let Some(path) = vars.optional(PATH) else {
        return Err(Error::new(ErrorKind::Config, format!("{KEY} is not set: {meaning}")));
    };
    // The path may be the key itself, put into the wrong variable: it is not repeated.
    let key = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{PATH} names no file that can be read ({})", error.kind());
        Error::new(ErrorKind::Config, message)
    })?;
    Ok((PATH, Secret::new(key)))
}
