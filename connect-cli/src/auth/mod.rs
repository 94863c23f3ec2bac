//! `connect auth ..`: accounts at services, and the tokens of them that lie sealed in a file.

use std::sync::Arc;

use connect_oauth::seal::KeyRing;
use connect_oauth::{Connections, OAuth, Preset};
use connect_store_sqlite::SqliteStore;

use crate::arguments::{Arguments, unknown};
use crate::{Failure, World};

mod keys;
mod login;
mod presets;
mod status;
mod stored;

pub(crate) use stored::{Stored, stored};

const COMMANDS: &[&str] = &["login", "new-key", "presets", "refresh", "rewrap", "status"];

const HELP: &str = "\
usage: connect auth login PRESET [--name NAME] [--tenant TENANT] [--scope S].. [--device] [--redirect-uri URI]
       connect auth status [--json]
       connect auth refresh
       connect auth presets [--json]
       connect auth new-key [ID]
       connect auth rewrap

options:
  --db FILE            the file with the tokens; or CONNECT_DATABASE_URL
  --presets FILE       providers of your own, in TOML
  --set NAME=VALUE     fills a variable of a preset's addresses, for this login; see PRESET_VARIABLES
  --name NAME          what to call the connection; the preset's name unless said
  --tenant TENANT      whose it is; `default` unless said
  --scope SCOPE        what to ask for, once for each; the preset's own unless said
  --device             log in on another device, by a code
  --redirect-uri URI   where the browser comes back to; http://127.0.0.1/callback on a free port unless said

environment:
  CONNECT_SEAL_KEYS    the keys that seal the tokens, ID:BASE64[,OLDER..]; `connect auth new-key` makes one
  PRESET_CLIENT_ID, PRESET_CLIENT_SECRET
                       the app's id and secret: GITHUB_CLIENT_ID, SLACK_USER_CLIENT_ID
  PRESET_REDIRECT_URI  instead of --redirect-uri
  PRESET_VARIABLES     the variables of a preset's addresses: AUTH0_VARIABLES=domain=acme.eu.auth0.com

`status` exits with 1 if a connection needs a person. `refresh` is for a cron job: it refreshes what nobody has used for
so long that it would die, and exits with 1 if something could not be refreshed. It needs the same `--presets` as the
login did, and says what it leaves alone.
";

pub(crate) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let command = arguments.word();
    if arguments.flag("help") {
        return help(world);
    }
    match command.as_deref() {
        Some("help") => {
            arguments.finish()?;
            help(world)
        }
        Some("login") => login::run(arguments, world).await,
        Some("status") => status::run(arguments, world).await,
        Some("refresh") => keys::refresh(arguments, world).await,
        Some("rewrap") => keys::rewrap(arguments, world).await,
        Some("new-key") => keys::new_key(arguments, world),
        Some("presets") => presets::run(arguments, world),
        Some(other) => Err(Failure::Usage(unknown("`connect auth` command", other, COMMANDS))),
        None => Err(Failure::Usage(HELP.trim_end().to_owned())),
    }
}

pub(crate) fn help(world: &mut World) -> Result<u8, Failure> {
    world.say(HELP.trim_end());
    Ok(0)
}

/// The store with its keys, before the apps are known.
struct Vault {
    store: SqliteStore,
    keys: Arc<KeyRing>,
}

impl Vault {
    fn open(arguments: &mut Arguments, world: &World) -> Result<Self, Failure> {
        let vars = connect_core::Vars::new(&*world.vars);
        let file =
            arguments.value("db")?.or_else(|| vars.optional("CONNECT_DATABASE_URL")).ok_or_else(|| {
                let message = "which file has the tokens? say --db FILE, or set CONNECT_DATABASE_URL";
                Failure::Usage(message.to_owned())
            })?;
        // Before the file is made: without keys there is nothing to do with it.
        let keys = KeyRing::from_vars(&*world.vars).map_err(|error| Failure::Usage(error.to_string()))?;
        let store = SqliteStore::open(&file).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self { store, keys: Arc::new(keys) })
    }

    async fn connections(self, apps: Vec<OAuth>) -> Result<Connections, Failure> {
        let builder = Connections::builder(Arc::new(self.store), self.keys);
        let builder = apps.into_iter().fold(builder, |builder, app| builder.app(app));
        Ok(builder.open().await?)
    }
}

/// The built-in rows, and those of a file; a row of the file stands in for a built-in one of the same id.
fn known_presets(arguments: &mut Arguments) -> Result<Vec<Preset>, Failure> {
    let mut presets = Vec::new();
    if let Some(file) = arguments.value("presets")? {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Failure::Usage(format!("{file} cannot be read: {error}")))?;
        presets = Preset::from_toml(&text).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    }
    let built_in = connect_oauth::preset::PRESETS.iter();
    let others: Vec<Preset> =
        built_in.filter(|row| presets.iter().all(|own| own.id != row.id)).cloned().collect();
    presets.extend(others);
    Ok(presets)
}

/// The app at a provider, out of the environment and what was set by hand; `None` where its id is not set.
async fn app(preset: Preset, settings: &[String], world: &World) -> Result<Option<OAuth>, Failure> {
    let prefix = prefix(&preset);
    let vars = connect_core::Vars::new(&*world.vars);
    if vars.optional(&format!("{prefix}_CLIENT_ID")).is_none() {
        return Ok(None);
    }
    let usage = |error: connect_core::Error| Failure::Usage(error.to_string());
    let of_environment = vars.optional(&format!("{prefix}_VARIABLES")).unwrap_or_default();
    let mut preset = preset;
    // By hand last: it wins.
    for setting in
        of_environment.split(',').filter(|text| !text.is_empty()).chain(settings.iter().map(String::as_str))
    {
        let (name, value) = setting.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("a variable of {prefix} is no NAME=VALUE: write host=ghe.example.com"))
        })?;
        preset = preset.with(name.trim().to_owned(), value.trim().to_owned());
    }
    preset.check().map_err(usage)?;
    let must_discover = preset.token_url.is_none();
    let builder = OAuth::builder(preset).vars(&prefix, &*world.vars).map_err(usage)?;
    match must_discover {
        true => Ok(Some(builder.discover().await?)),
        false => builder.build().map(Some).map_err(usage),
    }
}

/// How the variables of a preset begin.
fn prefix(preset: &Preset) -> String {
    preset.id.to_uppercase().replace('-', "_")
}
