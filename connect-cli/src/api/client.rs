//! Clients with the credentials that are there: a token of the environment, or a connection that somebody logged in to.

use connect_core::{Config, Error, Vars};
use connect_github::GitHub;
use connect_slack::Slack;

use super::provider::Provider;
use crate::arguments::Arguments;
use crate::auth::{self, Stored};
use crate::{Failure, World};

/// What a client is made of.
pub(super) struct Settings {
    provider: Provider,
    base_url: Option<String>,
    stored: Option<Stored>,
}

impl Settings {
    /// `--name`, `--tenant` or `--db` ask for a connection; without them the environment's token goes first.
    pub(super) async fn take(
        provider: Provider,
        arguments: &mut Arguments,
        world: &mut World,
    ) -> Result<Self, Failure> {
        let (token, _) = provider.variables();
        let has_token = Vars::new(&*world.vars).optional(token).is_some();
        let base_url = arguments.value("base-url")?;
        if base_url.as_deref().is_some_and(|url| url.trim().is_empty()) {
            return Err(Failure::Usage(
                "--base-url is empty: leave it out for the provider's own".to_owned(),
            ));
        }
        let stored = auth::stored(provider.catalog().provider(), has_token, arguments, world).await?;
        Ok(Self { provider, base_url, stored })
    }

    pub(super) fn github(&self, world: &World) -> Result<GitHub, Failure> {
        let lookup = |name: &str| self.lookup(name, world);
        let client = match &self.stored {
            None => GitHub::from_vars(lookup),
            Some(stored) => self.configured(world).and_then(|(config, url)| {
                let builder = GitHub::builder().tokens(stored.tokens.clone()).config(config);
                url.into_iter().fold(builder, |builder, url| builder.base_url(&url)).build()
            }),
        };
        client.map_err(|error| self.usage(&error))
    }

    pub(super) fn slack(&self, world: &World) -> Result<Slack, Failure> {
        let lookup = |name: &str| self.lookup(name, world);
        let client = match &self.stored {
            None => Slack::from_vars(lookup),
            Some(stored) => self.configured(world).and_then(|(config, url)| {
                let builder = Slack::builder().tokens(stored.tokens.clone()).config(config);
                url.into_iter().fold(builder, |builder, url| builder.base_url(&url)).build()
            }),
        };
        client.map_err(|error| self.usage(&error))
    }

    /// Waits for a refresh that is under way: its tokens would be lost with the program.
    pub(super) async fn settle(self) {
        if let Some(stored) = self.stored {
            stored.connections.settle().await;
        }
    }

    fn configured(&self, world: &World) -> Result<(Config, Option<String>), Error> {
        let lookup = |name: &str| self.lookup(name, world);
        let vars = Vars::new(&lookup);
        let (_, url) = self.provider.variables();
        Ok((Config::from_vars("CONNECT", vars)?, vars.optional(url)))
    }

    /// The environment, with `--base-url` in the place of its variable.
    fn lookup(&self, name: &str, world: &World) -> Option<String> {
        let (_, url) = self.provider.variables();
        match &self.base_url {
            Some(given) if name == url => Some(given.clone()),
            _ => (world.vars)(name),
        }
    }

    /// What is wrong with the settings, by the name under which they were given.
    fn usage(&self, error: &Error) -> Failure {
        let (_, url) = self.provider.variables();
        let message = error.to_string();
        Failure::Usage(if self.base_url.is_some() { message.replace(url, "--base-url") } else { message })
    }
}
