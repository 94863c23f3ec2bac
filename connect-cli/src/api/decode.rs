//! `connect decode`: a recorded answer through the typed model of its operation; with `--event`, a webhook's payload.

use connect_core::{Decoding, Response, StatusCode};
use http::HeaderMap;
use serde_json::Value;

use super::layout::{Layout, lay_out};
use super::provider::Provider;
use super::unmodelled::unmodelled;
use super::{event, given};
use crate::arguments::Arguments;
use crate::output::harmless;
use crate::{Failure, World};

pub(super) fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let provider = Provider::named(&mut arguments)?;
    let name = arguments.value("operation")?;
    let event = arguments.value("event")?;
    if let Some(event) = event {
        let event = event::named(provider, &event)?;
        if name.is_some() {
            let message = "--operation is for an answer, --event for a webhook's payload: say one of them";
            return Err(Failure::Usage(message.to_owned()));
        }
        let body = arguments.value("body")?;
        let layout = if arguments.flag("json") { Layout::OneLine } else { Layout::Indented };
        arguments.finish()?;
        return event::run(event, &given(body.as_deref(), world)?, layout, world);
    }
    let name = name.ok_or_else(|| {
        let message =
            "which operation answered so? say --operation NAME, or --event NAME for a webhook's payload";
        Failure::Usage(message.to_owned())
    })?;
    let entry = provider.find(&name)?;
    let status = match arguments.value("status")? {
        None => StatusCode::OK,
        Some(text) => text
            .parse()
            .map_err(|_| Failure::Usage("--status is no HTTP status: a number such as 201".to_owned()))?,
    };
    let body = arguments.value("body")?;
    let layout = if arguments.flag("json") { Layout::OneLine } else { Layout::Indented };
    arguments.finish()?;
    let decode = entry.decode.ok_or_else(|| {
        Failure::Usage(format!("the answer of {name} has no typed model that could be printed"))
    })?;

    let body = given(body.as_deref(), world)?;
    // Text, where the operation answers with text: the model is no JSON of its own then.
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let response = Response::new(status, HeaderMap::new(), body);
    if let Some(why) = provider.refusal(&response) {
        let message = format!("{name}: this is a refusal, which has no model: {}", harmless(&why));
        return Err(Failure::Failed(message));
    }
    let mut decoding = Decoding::default();
    let typed = decode(response, &mut decoding);
    for path in &decoding.drift {
        world.tell(format_args!("connect: the answer lacks {path}, which the description promises"));
    }
    let typed = typed.map_err(|error| Failure::Failed(format!("{name}: {error:#}")))?;
    for path in unmodelled(&answer, &typed) {
        let path = harmless(&path);
        world.tell(format_args!("connect: the answer has {path}, which the model does not know"));
    }
    world.say(lay_out(&typed.to_string(), layout));
    Ok(0)
}

fn given(body: Option<&str>, world: &mut World) -> Result<Vec<u8>, Failure> {
    match body {
        None | Some("-") => given::input(world),
        Some(path) => given::file(path),
    }
}
