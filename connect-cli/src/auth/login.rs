//! `connect auth login`: a person logs in, and the tokens are stored sealed.

use connect_core::Url;
use connect_oauth::{ConnectionId, Login, LoopbackListener, OAuth, Preset, Tokens};

use super::{Vault, app, known_presets, prefix};
use crate::arguments::{Arguments, unknown};
use crate::output::{harmless, when};
use crate::{Failure, World};

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let Some(wanted) = arguments.word() else {
        return Err(Failure::Usage("log in to which provider? `connect auth presets` lists them".to_owned()));
    };
    let preset = preset(&wanted, &mut arguments)?;
    let id = ConnectionId::new(
        &*preset.id,
        arguments.value("tenant")?.unwrap_or_else(|| "default".to_owned()),
        arguments.value("name")?.unwrap_or_else(|| preset.id.to_string()),
    );
    let scopes = arguments.values("scope");
    let by_device = arguments.flag("device");
    let redirect_uri =
        arguments.value("redirect-uri")?.unwrap_or_else(|| "http://127.0.0.1/callback".to_owned());
    let vault = Vault::open(&mut arguments, world)?;
    arguments.finish()?;

    let oauth = build(preset, world).await?;
    let connections = vault.connections(vec![oauth.clone()]).await?;
    let (tokens, nonce) = match by_device {
        true => (device(&oauth, &scopes, world).await?, None),
        false => {
            let finished = browser(&oauth, &id, &scopes, &redirect_uri, world).await?;
            (finished.tokens, finished.nonce)
        }
    };
    connections.connect(&id, tokens.clone()).await?;
    world.say(format_args!("connected {id}"));
    world.say(format_args!("  scopes       {}", harmless(&tokens.scopes.join(" "))));
    world.say(format_args!("  expires      {}", when(tokens.expires_at, world.now)));
    let refreshes = if tokens.refresh.is_some() { "by itself" } else { "no: log in again when it expires" };
    world.say(format_args!("  refreshes    {refreshes}"));
    // Stored already: who it is, is only said.
    match oauth.identity(&tokens, nonce.as_ref()).await {
        Ok(who) => {
            let name = who.account.or(who.email).unwrap_or(who.subject);
            world.say(format_args!("  account      {}", harmless(&name)));
        }
        Err(error) if error.kind() == connect_core::ErrorKind::Config => {} // the provider does not tell
        Err(error) => world.tell(format_args!("connect: who it is could not be asked: {error}")),
    }
    Ok(0)
}

fn preset(wanted: &str, arguments: &mut Arguments) -> Result<Preset, Failure> {
    let presets = known_presets(arguments)?;
    let found = presets.iter().find(|preset| preset.id == wanted).cloned();
    let mut preset = found.ok_or_else(|| {
        let known: Vec<&str> = presets.iter().map(|preset| &*preset.id).collect();
        Failure::Usage(unknown("preset", wanted, &known))
    })?;
    for setting in arguments.values("set") {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| Failure::Usage("write --set NAME=VALUE".to_owned()))?;
        preset = preset.with(name.to_owned(), value.to_owned());
    }
    preset.check().map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(preset)
}

async fn build(preset: Preset, world: &World) -> Result<OAuth, Failure> {
    let (prefix, must_discover) = (prefix(&preset), preset.token_url.is_none());
    let builder = app(preset, world)?.ok_or_else(|| {
        Failure::Usage(format!("set {prefix}_CLIENT_ID (and {prefix}_CLIENT_SECRET) to those of your app"))
    })?;
    if must_discover {
        return Ok(builder.discover().await?);
    }
    builder.build().map_err(|error| Failure::Usage(error.to_string()))
}

async fn browser(
    oauth: &OAuth,
    id: &ConnectionId,
    scopes: &[String],
    redirect_uri: &str,
    world: &mut World,
) -> Result<connect_oauth::FinishedLogin, Failure> {
    let redirect_uri =
        Url::parse(redirect_uri).map_err(|_| Failure::Usage("--redirect-uri is no URL".to_owned()))?;
    let listener =
        LoopbackListener::at(&redirect_uri).await.map_err(|error| Failure::Usage(error.to_string()))?;
    let login = Login::new(id.tenant(), id.connection()).scopes(scopes);
    let show = |begun: &connect_oauth::BegunLogin| {
        let minutes = begun.expires_in.as_secs() / 60;
        world.tell(format_args!(
            "Open this address in a browser; it is good for {minutes} minutes:\n\n{}\n",
            begun.url
        ));
    };
    Ok(listener.login(&oauth.logins(), login, show).await?)
}

async fn device(oauth: &OAuth, scopes: &[String], world: &mut World) -> Result<Tokens, Failure> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let device = oauth.device_login(&scopes).await?;
    let minutes = device.expires_in.as_secs() / 60;
    world.tell(format_args!(
        "Open {} on any device and type in the code {}; it is good for {minutes} minutes.",
        harmless(&device.verification_uri),
        harmless(&device.user_code)
    ));
    Ok(device.wait().await?)
}
