//! `connect auth login`: a person logs in, and the tokens are stored sealed.

use connect_core::Url;
use connect_oauth::{ConnectionId, Login, LoopbackListener, OAuth, Preset, Tokens};

use super::{Vault, app, known_presets, prefix};
use crate::arguments::{Arguments, unknown};
use crate::output::{harmless, when};
use crate::{Failure, World};

/// Where the browser comes back to unless somebody says otherwise: RFC 8252 lets the port be any.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let Some(wanted) = arguments.word() else {
        return Err(Failure::Usage("log in to which provider? `connect auth presets` lists them".to_owned()));
    };
    let preset = preset(&wanted, &mut arguments)?;
    let tenant = part(&mut arguments, "tenant", "default")?;
    let name = part(&mut arguments, "name", &preset.id)?;
    let id = ConnectionId::new(&*preset.id, tenant, name);
    let scopes = arguments.values("scope");
    let by_device = arguments.flag("device");
    let redirect_uri = arguments.value("redirect-uri")?;
    if by_device && redirect_uri.is_some() {
        let message =
            "--device needs no --redirect-uri: the browser does not come back; leave one of them out";
        return Err(Failure::Usage(message.to_owned()));
    }
    let settings = arguments.values("set");
    let vault = Vault::open(&mut arguments, world)?;
    arguments.finish()?;

    let prefix = prefix(&preset);
    let oauth = app(preset, &settings, world).await?.ok_or_else(|| {
        Failure::Usage(format!("set {prefix}_CLIENT_ID (and {prefix}_CLIENT_SECRET) to those of your app"))
    })?;
    let connections = vault.connections(vec![oauth.clone()]).await?;
    // Asked before the login: once there are tokens, nothing may come between them and the store.
    let was_there = connections.status(&id).await?.is_some();
    let (tokens, nonce) = match by_device {
        true => (device(&oauth, &scopes, world).await?, None),
        false => {
            let finished = browser(&oauth, &id, &scopes, redirect_uri, world).await?;
            (finished.tokens, finished.nonce)
        }
    };
    connections.connect(&id, tokens.clone()).await?;
    world.say(format_args!("connected {id}{}", if was_there { ", in place of what was there" } else { "" }));
    world.say(format_args!("  scopes       {}", harmless(&tokens.scopes.join(" "))));
    world.say(format_args!("  expires      {}", when(tokens.expires_at, tokens.obtained_at)));
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

/// A part of the connection's name; an empty one cannot be told from none.
pub(super) fn part(arguments: &mut Arguments, option: &str, default: &str) -> Result<String, Failure> {
    let given = arguments.value(option)?;
    match given.as_deref().map(str::trim) {
        Some("") => Err(Failure::Usage(format!("--{option} is empty: leave it out for `{default}`"))),
        _ => Ok(given.unwrap_or_else(|| default.to_owned())),
    }
}

fn preset(wanted: &str, arguments: &mut Arguments) -> Result<Preset, Failure> {
    let presets = known_presets(arguments)?;
    let found = presets.iter().find(|preset| preset.id == wanted).cloned();
    found.ok_or_else(|| {
        let known: Vec<&str> = presets.iter().map(|preset| &*preset.id).collect();
        Failure::Usage(unknown("preset", wanted, &known))
    })
}

async fn browser(
    oauth: &OAuth,
    id: &ConnectionId,
    scopes: &[String],
    redirect_uri: Option<String>,
    world: &mut World,
) -> Result<connect_oauth::FinishedLogin, Failure> {
    let redirect_uri = match (redirect_uri, oauth.redirect_uri()) {
        (Some(text), _) => {
            Url::parse(&text).map_err(|_| Failure::Usage("--redirect-uri is no URL".to_owned()))?
        }
        (None, Some(of_environment)) => of_environment.clone(),
        (None, None) => Url::parse(REDIRECT_URI).map_err(|error| Failure::Failed(error.to_string()))?,
    };
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
