//! `connect auth new-key`, `rewrap` and `refresh`: what keeps tokens safe and alive.

use std::collections::BTreeSet;

use connect_oauth::OAuth;
use connect_oauth::seal::KeyRing;

use super::{Vault, app, known_presets, status};
use crate::arguments::Arguments;
use crate::output::harmless;
use crate::{Failure, World};

/// How many connections are refreshed before the result is said.
const BATCH: usize = 100;

pub(super) fn new_key(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let id = arguments.word();
    arguments.finish()?;
    // By month: rotation is a matter of months, and an id that says when is one less thing to look up.
    let id = id.unwrap_or_else(|| {
        humantime::format_rfc3339_seconds(world.now).to_string().chars().take("2026-11".len()).collect()
    });
    let (_, text) = KeyRing::generate(&id).map_err(|error| Failure::Usage(error.to_string()))?;
    world.say(text.expose());
    world.tell(
        "Keep it in CONNECT_SEAL_KEYS and in a safe place: without it every account must be connected again. To change \
         a key: put the new one behind the old one (and a comma) wherever the tokens are used, then in front, then \
         `connect auth rewrap`, then take the old one away.",
    );
    Ok(0)
}

pub(super) async fn rewrap(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let vault = Vault::open(&mut arguments, world)?;
    arguments.finish()?;
    let connections = vault.connections(Vec::new()).await?;
    let done = connections.rewrap(|seen| world.tell(format_args!("{seen} seen"))).await?;
    world.say(format_args!("{} of {} sealed anew", done.rewrapped, done.seen));
    for (id, error) in &done.failed {
        world.tell(format_args!("connect: {id}: {error}"));
    }
    if done.is_complete() {
        world.tell("Older keys are needed no more: take them out of CONNECT_SEAL_KEYS.");
        return Ok(0);
    }
    world.tell("Keep the older keys: some connections could not be sealed anew.");
    Ok(1)
}

pub(super) async fn refresh(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    arguments.flag("idle"); // what it does anyway
    let presets = known_presets(&mut arguments)?;
    let vault = Vault::open(&mut arguments, world)?;
    arguments.finish()?;
    // The apps of the connections that are there; the environment knows which are ours.
    let there = vault.store.clone();
    let looking = Vault { store: there, keys: vault.keys.clone() }.connections(Vec::new()).await?;
    let mut wanted: BTreeSet<String> =
        status::all(&looking).await?.into_iter().map(|status| status.id.app().to_owned()).collect();
    let mut apps: Vec<OAuth> = Vec::new();
    let mut has_failed = false;
    for preset in presets {
        let id = preset.id.to_string();
        if !wanted.remove(&id) {
            continue;
        }
        // One app that cannot be made holds up no other.
        match app(preset, &[], world).await {
            Ok(Some(app)) => apps.push(app),
            Ok(None) => {
                world.tell(format_args!("connect: {id}: no client id in the environment, so left alone"))
            }
            Err(Failure::Usage(why) | Failure::Failed(why)) => {
                has_failed = true;
                world.tell(format_args!("connect: {id}: {why}"));
            }
        }
    }
    // A cron job without the file of a login would let its connections die in silence.
    for id in wanted {
        let id = harmless(&id);
        world.tell(format_args!("connect: {id}: no such preset, so left alone; name its file by --presets"));
    }
    let connections = vault.connections(apps).await?;
    loop {
        let done = connections.refresh_idle(BATCH).await?;
        for id in &done.refreshed {
            world.say(format_args!("refreshed {id}"));
        }
        for (id, error) in &done.failed {
            has_failed = true;
            world.tell(format_args!("connect: {id}: {error}"));
        }
        if !done.has_more {
            return Ok(u8::from(has_failed));
        }
    }
}
