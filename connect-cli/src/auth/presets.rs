//! `connect auth presets`: which providers are known.

use connect_oauth::preset::{Pkce, Preset, Rotation};
use serde_json::json;

use super::known_presets;
use crate::arguments::Arguments;
use crate::output::table;
use crate::{Failure, World};

pub(super) fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let presets = known_presets(&mut arguments)?;
    arguments.finish()?;
    if as_json {
        let rows: Vec<_> = presets
            .iter()
            .map(|preset| {
                json!({
                    "id": preset.id, "name": preset.name, "logins": logins(preset), "pkce": pkce(preset),
                    "rotation": rotation(preset), "quirks": preset.quirks, "sources": preset.sources,
                })
            })
            .collect();
        world.say(json!(rows));
    } else {
        let rows: Vec<_> = presets
            .iter()
            .map(|preset| {
                let cells = [&preset.id, &preset.name, &*logins(preset), pkce(preset), rotation(preset)];
                cells.map(str::to_owned).to_vec()
            })
            .collect();
        world.say(table(&["id", "name", "logins", "pkce", "a used refresh token"], &rows));
    }
    Ok(0)
}

fn logins(preset: &Preset) -> String {
    let kinds = [
        ("web", preset.authorize_url.is_some()),
        ("device", preset.device_url.is_some()),
        ("by discovery", preset.token_url.is_none()),
    ];
    let names: Vec<_> = kinds.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    names.join(", ")
}

fn pkce(preset: &Preset) -> &'static str {
    match preset.pkce {
        Pkce::Required => "required",
        Pkce::Supported => "checked",
        Pkce::OptIn => "not sent",
        _ => "sent",
    }
}

fn rotation(preset: &Preset) -> &'static str {
    match preset.rotation {
        Rotation::None => "stays good",
        Rotation::SingleUse => "is over",
        Rotation::Leeway { .. } => "is over after a while",
        Rotation::NoRefreshTokens => "does not exist",
        _ => "not documented",
    }
}
