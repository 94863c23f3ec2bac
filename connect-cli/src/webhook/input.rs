//! A request and its scheme, from the command line.

use std::collections::BTreeMap;
use std::io::Read;

use connect_webhook::{Scheme, SecretString, UnixTime, schemes};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::trial::{Settings, Trial};
use crate::arguments::{Arguments, unknown};
use crate::{Failure, World};

/// More than any provider sends.
const LONGEST_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// The scheme that a word or `--scheme` names.
pub(super) fn scheme(arguments: &mut Arguments) -> Result<Scheme, Failure> {
    if let Some(path) = arguments.value("scheme")? {
        let text = read_text(&path)?;
        return toml::from_str(&text)
            .map_err(|error| Failure::Usage(format!("{path} is not a scheme in TOML: {error}")));
    }
    let Some(name) = arguments.word() else {
        return Err(Failure::Usage("which scheme? see `connect webhook schemes`".to_owned()));
    };
    named(&name).cloned()
}

pub(super) fn named(name: &str) -> Result<&'static Scheme, Failure> {
    let names: Vec<&str> = schemes::ALL.iter().map(|scheme| &*scheme.name).collect();
    schemes::named(name).ok_or_else(|| Failure::Usage(unknown("scheme", name, &names)))
}

/// The request on the command line, and what to try it with.
pub(super) fn trial(arguments: &mut Arguments, world: &mut World) -> Result<Trial, Failure> {
    let scheme = scheme(arguments)?;
    let variables = ["WEBHOOK_SECRET", "WEBHOOK_SECRET_OLD"];
    let secrets = variables.iter().filter_map(|name| (world.vars)(name));
    let secrets: Vec<SecretString> =
        secrets.filter(|text| !text.is_empty()).map(SecretString::from).collect();
    if secrets.is_empty() && scheme.needs_secret() {
        let name = &scheme.name;
        return Err(Failure::Usage(format!("WEBHOOK_SECRET is not set: the signing secret of `{name}`")));
    }
    let keys = match arguments.value("keys")? {
        Some(path) => keys(&path)?,
        None => BTreeMap::new(),
    };
    let settings = Settings {
        verify_token: (world.vars)("WEBHOOK_VERIFY_TOKEN").map(SecretString::from),
        audience: arguments.value("audience")?,
        service_account: arguments.value("service-account")?,
        webhook_id: arguments.value("webhook-id")?,
        issuer: arguments.value("issuer")?,
        topics: arguments.values("topic"),
        keys,
    };
    let method = match arguments.value("method")? {
        Some(text) => {
            text.parse().map_err(|_| Failure::Usage("--method is not an HTTP method".to_owned()))?
        }
        None => Method::POST,
    };
    let headers = headers(&arguments.values("header"))?;
    let url = arguments.value("url")?.unwrap_or_default();
    let now = match arguments.value("now")? {
        Some(text) => text.parse().map_err(|_| Failure::Usage("--now is not a Unix time".to_owned()))?,
        None => {
            let seconds = crate::output::unix_seconds(Some(world.now));
            seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or_default()
        }
    };
    let body = arguments.value("body")?;
    let body = match body {
        Some(path) => std::fs::read(&path).map_err(|error| Failure::Usage(format!("{path}: {error}")))?,
        None if method == Method::POST => from_input(world)?,
        None => Vec::new(),
    };
    Ok(Trial { scheme, secrets, settings, method, url, headers, body, now: UnixTime(now) })
}

fn from_input(world: &mut World) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let mut input = (&mut world.input).take(LONGEST_BODY_BYTES + 1);
    input
        .read_to_end(&mut body)
        .map_err(|error| Failure::Usage(format!("standard input could not be read: {error}")))?;
    if body.len() as u64 > LONGEST_BODY_BYTES {
        return Err(Failure::Usage("the body is longer than 64 MiB".to_owned()));
    }
    Ok(body)
}

fn keys(path: &str) -> Result<BTreeMap<String, String>, Failure> {
    let not_keys = |error: serde_json::Error| {
        Failure::Usage(format!(
            "{path} is not a JSON object of certificates and key sets by URL (line {})",
            error.line()
        ))
    };
    let text = read_text(path)?;
    let entries: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).map_err(not_keys)?;
    // A key set may stand there as it is.
    let text_of = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(entries.into_iter().map(|(url, value)| (url, text_of(value))).collect())
}

fn headers(lines: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for line in lines {
        // Says nothing of the line: it may be a token.
        let not_a_header = || Failure::Usage("a --header is not of the form 'NAME: VALUE'".to_owned());
        let (name, value) = line.split_once(':').ok_or_else(not_a_header)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| not_a_header())?;
        let value = HeaderValue::try_from(value.trim()).map_err(|_| not_a_header())?;
        headers.append(name, value);
    }
    Ok(headers)
}

pub(super) fn read_text(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{path}: {error}")))
}
