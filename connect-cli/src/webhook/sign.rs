//! `connect webhook sign`: a delivery as the provider would send it, to try a receiver with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect_webhook::Signer;
use http::{HeaderName, Request, Uri};
use serde_json::{Map, Value, json};

use super::input::trial;
use crate::arguments::Arguments;
use crate::{Failure, World};

pub(super) fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let trial = trial(&mut arguments, world)?;
    arguments.finish()?;
    let failed = |error: connect_webhook::BuildError| Failure::Failed(error.to_string());
    let signer = Signer::with_secrets(&trial.scheme, &trial.secrets).map_err(failed)?;

    let mut request = Request::new(Bytes::from(trial.body));
    *request.method_mut() = trial.method;
    *request.headers_mut() = trial.headers;
    if !trial.url.is_empty() {
        let no_url = |_| Failure::Usage("--url is not a URL".to_owned());
        *request.uri_mut() = trial.url.parse::<Uri>().map_err(no_url)?;
    }
    let (parts, body) = signer.sign(request, trial.now).map_err(failed)?.into_parts();
    let text = |name: &HeaderName| {
        let values = parts.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect::<Vec<_>>()
    };
    let (bytes, body) = (body.clone(), std::str::from_utf8(&body).ok());
    let coded = body.is_none().then(|| STANDARD.encode(&bytes));
    if as_json {
        let headers: Map<String, Value> =
            parts.headers.keys().map(|name| (name.to_string(), json!(text(name).join(", ")))).collect();
        world.say(json!({
            "method": parts.method.as_str(), "url": parts.uri.to_string(), "headers": headers, "body": body,
            "body_b64": coded,
        }));
    } else {
        world.say(format_args!("{} {}", parts.method, parts.uri));
        for name in parts.headers.keys() {
            for value in text(name) {
                world.say(format_args!("{name}: {value}"));
            }
        }
        // Byte for byte, and nothing behind it: this is what was signed.
        let _ = world.out.write_all(b"\n").and_then(|()| world.out.write_all(&bytes));
    }
    Ok(0)
}
