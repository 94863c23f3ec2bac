//! `connect webhook schemes`: which providers are known.

use connect_webhook::scheme::{Algorithm, Grammar, Hash, Scheme, Source};
use connect_webhook::schemes;
use serde_json::json;

use super::input::named;
use crate::arguments::Arguments;
use crate::output::table;
use crate::{Failure, World};

pub(super) fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let name = arguments.word();
    arguments.finish()?;
    if let Some(name) = name {
        let scheme = named(&name)?;
        if as_json {
            world.say(json!(scheme));
        } else {
            let text = toml::to_string(scheme)
                .map_err(|error| Failure::Failed(format!("the scheme cannot be written as TOML: {error}")))?;
            world.say(text.trim_end());
        }
        return Ok(0);
    }
    if as_json {
        world.say(json!(schemes::ALL));
        return Ok(0);
    }
    let rows: Vec<_> = schemes::ALL
        .iter()
        .map(|scheme| {
            vec![
                scheme.name.to_string(),
                signature(scheme),
                algorithm(scheme).to_owned(),
                scheme.timestamp.as_ref().map(|rule| format!("{} s", rule.past_seconds)).unwrap_or_default(),
                needs(scheme),
            ]
        })
        .collect();
    world.say(table(&["scheme", "signature", "by", "window", "beside the secret"], &rows));
    Ok(0)
}

fn signature(scheme: &Scheme) -> String {
    match &scheme.signature {
        Source::Header(name) => match &scheme.grammar {
            Grammar::Prefixed(prefix) => format!("{name}: {prefix}.."),
            Grammar::Pairs { signature, .. } => format!("{name}: {signature}=.."),
            Grammar::Versions(version) => format!("{name}: {version},.."),
            _ => name.to_string(),
        },
        Source::FirstHeader(names) | Source::EveryHeader(names) => {
            let first = names.first().map(|name| &**name).unwrap_or_default();
            format!("{first} (or {} more)", names.len().saturating_sub(1))
        }
        Source::Json(pointer) => format!("body, {pointer}"),
        Source::Form(name) => format!("form field {name}"),
        _ => String::new(),
    }
}

fn algorithm(scheme: &Scheme) -> &'static str {
    match scheme.algorithm {
        Algorithm::Hmac(Hash::Sha1) => "HMAC-SHA1",
        Algorithm::Hmac(Hash::Sha256) => "HMAC-SHA256",
        Algorithm::Hmac(Hash::Sha512) => "HMAC-SHA512",
        Algorithm::Digest(_) => "plain hash",
        Algorithm::Token => "token",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::EcdsaP256Sha256 => "ECDSA P-256",
        Algorithm::Code(_) => "code",
        _ => "",
    }
}

fn needs(scheme: &Scheme) -> String {
    let needs = [
        (scheme.needs_url(), "its URL"),
        (!scheme.needs_secret(), "public keys, no secret"),
        (scheme.weak, "leave to be weak"),
        (!scheme.covers_body, "(does not sign the body)"),
    ];
    let needs: Vec<_> = needs.into_iter().filter(|(there, _)| *there).map(|(_, what)| what).collect();
    needs.join(", ")
}
