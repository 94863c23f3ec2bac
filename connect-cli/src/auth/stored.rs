//! The tokens of a connection that somebody has logged in to, for a client.

use connect_core::{TokenCache, Vars};
use connect_oauth::{ConnectionId, Connections};

use super::login::part;
use super::{Vault, app, known_presets, prefix};
use crate::arguments::Arguments;
use crate::{Failure, World};

/// The tokens of one connection.
pub(crate) struct Stored {
    /// To be settled before the program ends.
    pub(crate) connections: Connections,
    pub(crate) tokens: TokenCache,
}

/// The connection that `--name` and its like ask for; without them the default one, if there is no token of the environment
/// and the environment has a store. `None` for no connection.
pub(crate) async fn stored(
    provider: &str,
    has_token: bool,
    arguments: &mut Arguments,
    world: &mut World,
) -> Result<Option<Stored>, Failure> {
    let vars = Vars::new(&*world.vars);
    let is_asked_for = ["db", "name", "tenant"].iter().any(|option| arguments.has(option));
    let is_there =
        ["CONNECT_SEAL_KEYS", "CONNECT_DATABASE_URL"].iter().all(|name| vars.optional(name).is_some());
    let presets = known_presets(arguments)?;
    if !is_asked_for && (has_token || !is_there) {
        return Ok(None);
    }
    let id = ConnectionId::new(
        provider,
        part(arguments, "tenant", "default")?,
        part(arguments, "name", provider)?,
    );
    let Some(preset) = presets.into_iter().find(|preset| preset.id == provider) else {
        return Err(Failure::Usage(format!("there is no preset `{provider}`; see `connect auth presets`")));
    };
    let client_id = format!("{}_CLIENT_ID", prefix(&preset));
    let Some(app) = app(preset, &[], world).await? else {
        if is_asked_for {
            let message =
                format!("set {client_id} to that of the app that {id} belongs to: it refreshes the tokens");
            return Err(Failure::Usage(message));
        }
        world.tell(format_args!("connect: {client_id} is not set, so no stored connection is used"));
        return Ok(None);
    };
    let connections = Vault::open(arguments, world)?.connections(vec![app]).await?;
    if connections.status(&id).await?.is_none() {
        if is_asked_for {
            let message = format!("there is no connection {id}; `connect auth status` lists them");
            return Err(Failure::Usage(message));
        }
        world.tell(format_args!(
            "connect: there is no connection {id}; `connect auth login {provider}` makes one"
        ));
        return Ok(None);
    }
    let tokens = connections.tokens(&id)?;
    Ok(Some(Stored { connections, tokens }))
}
