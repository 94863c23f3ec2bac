//! `connect webhook vectors FILE`: every request of a file against the verdict that the file expects.
//!
//! The file is JSON: `{"vectors": [{"id", "provider", "secrets", "headers", "body" or "body_b64", "now",
//! "expect"}]}`. `provider` is a scheme's name. `expect` is `valid`, `challenge` (with the answer in `response`)
//! or an error code, for which `error_any` lists equals. A vector may say more about what is known
//! (`method`, `url`, `certificates`, `jwks`, `audience`, ..) and about what is found (`key_index`, `event_id`,
//! `event_type`).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_webhook::{SecretString, UnixTime, schemes};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::input::read_text;
use super::trial::{Outcome, Settings, Trial};
use crate::arguments::Arguments;
use crate::output::{alarming, harmless};
use crate::{Failure, World};

/// Where the key set of a Pub/Sub vector comes from.
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// Where that of a Graph vector comes from.
const MICROSOFT_KEYS: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

#[derive(Deserialize)]
struct File {
    vectors: Vec<Value>,
}

/// Null is the same as nothing, since files are written by programs.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(field: D) -> Result<T, D::Error> {
    Option::deserialize(field).map(Option::unwrap_or_default)
}

/// One text, or several.
fn one_or_more<'de, D: Deserializer<'de>>(field: D) -> Result<Vec<String>, D::Error> {
    Ok(match Option::<Values>::deserialize(field)? {
        None => Vec::new(),
        Some(Values::One(text)) => vec![text],
        Some(Values::Several(texts)) => texts,
    })
}

/// An id that somebody wrote as a number, a body that somebody wrote as an object: their text is meant.
fn text_or_number<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(field)? {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// Whole seconds of a number that may have a fraction.
fn seconds<'de, D: Deserializer<'de>>(field: D) -> Result<i64, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(field)?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let whole = |number: serde_json::Number| {
        number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default().floor() as i64)
    };
    Ok(number.map_or(0, whole))
}

#[derive(Deserialize)]
struct Vector {
    provider: String,
    #[serde(default, deserialize_with = "one_or_more")]
    secrets: Vec<String>,
    method: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    url: String,
    #[serde(default, deserialize_with = "lenient")]
    headers: Headers,
    #[serde(default, deserialize_with = "text_or_number")]
    body: Option<String>,
    body_b64: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    now: i64,
    expect: String,
    #[serde(default, deserialize_with = "one_or_more")]
    error_any: Vec<String>,
    key_index: Option<usize>,
    #[serde(default, deserialize_with = "text_or_number")]
    event_id: Option<String>,
    #[serde(default, deserialize_with = "text_or_number")]
    event_type: Option<String>,
    response: Option<Answer>,
    #[serde(default, deserialize_with = "lenient")]
    certificates: BTreeMap<String, String>,
    jwks: Option<Value>,
    verify_token: Option<String>,
    audience: Option<String>,
    service_account: Option<String>,
    webhook_id: Option<String>,
    client_key: Option<String>,
    topic_arn: Option<String>,
}

/// A header may stand there several times: as a list under its name, or in a list of pairs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    ByName(BTreeMap<String, Values>),
    Pairs(Vec<(String, String)>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

impl Default for Headers {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

impl Headers {
    fn pairs(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Pairs(pairs) => pairs.iter().map(|(name, value)| (&**name, &**value)).collect(),
            Self::ByName(names) => {
                let mut pairs = Vec::new();
                for (name, values) in names {
                    let values = match values {
                        Values::One(value) => std::slice::from_ref(value),
                        Values::Several(values) => values,
                    };
                    pairs.extend(values.iter().map(|value| (&**name, &**value)));
                }
                pairs
            }
        }
    }
}

/// A handshake's expected answer.
#[derive(Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let Some(path) = arguments.word() else {
        return Err(Failure::Usage("which file of vectors?".to_owned()));
    };
    arguments.finish()?;
    let file: File = serde_json::from_str(&read_text(&path)?)
        .map_err(|error| Failure::Usage(format!("{path} is not a file of vectors: {error}")))?;
    let mut failures = Vec::new();
    for (number, vector) in file.vectors.iter().enumerate() {
        if let Err(why) = run_one(vector).await {
            let text = |field: &str| vector.get(field).and_then(Value::as_str).map(str::to_owned);
            let id = text("id").unwrap_or_else(|| format!("vector {number}"));
            failures.push((id, text("provider").unwrap_or_else(|| "unknown".to_owned()), why));
        }
    }
    if file.vectors.is_empty() {
        return Err(Failure::Failed(format!("{path} has no vectors; nothing was tried")));
    }
    let (passed, failed) = (file.vectors.len() - failures.len(), failures.len());
    if as_json {
        let failures: Vec<_> = failures
            .iter()
            .map(|(id, provider, why)| json!({ "id": id, "provider": provider, "why": why }))
            .collect();
        world.say(json!({ "passed": passed, "failed": failed, "failures": failures }));
    } else {
        let verdict = alarming("FAILED", world.has_colours);
        for (id, provider, why) in &failures {
            let line = format!("{id} ({provider}): {why}");
            world.say(format_args!("{verdict} {}", harmless(&line)));
        }
        world.say(format_args!("{passed} passed, {failed} failed"));
    }
    Ok(u8::from(failed > 0))
}

/// One that cannot be read fails alone.
async fn run_one(vector: &Value) -> Result<(), String> {
    let vector: Vector =
        serde_json::from_value(vector.clone()).map_err(|error| format!("it cannot be read: {error}"))?;
    vector.run().await
}

impl Vector {
    async fn run(&self) -> Result<(), String> {
        let mut outcome = self.trial()?.run().await;
        // A signed handshake is a valid delivery too; the file says which of the two it is about.
        if self.expect == "valid"
            && let Outcome::Challenge { verified: Some(verified), .. } = outcome
        {
            outcome = *verified;
        }
        match &outcome {
            Outcome::Verified { verification, id, event } if self.expect == "valid" => {
                if self.key_index.is_some_and(|index| index != verification.key_index) {
                    return Err(format!("secret {} matched", verification.key_index));
                }
                if self.event_id.as_ref().is_some_and(|expected| expected != id) {
                    return Err(format!("the id is {id}"));
                }
                if self.event_type.is_some() && self.event_type != *event {
                    return Err(format!("the event type is {event:?}"));
                }
                Ok(())
            }
            Outcome::Challenge { answer, .. } if self.expect == "challenge" => {
                let expected = self.response.as_ref().ok_or("it expects a challenge and says no response")?;
                expected.compare(answer)
            }
            Outcome::Refused { code, .. }
                if self.expect == *code || self.error_any.iter().any(|other| other == code) =>
            {
                Ok(())
            }
            Outcome::Verified { .. } => Err(format!("valid instead of {}", self.expect)),
            Outcome::Challenge { .. } => Err(format!("a challenge instead of {}", self.expect)),
            Outcome::Refused { code, message } => {
                Err(format!("{code} instead of {} ({message})", self.expect))
            }
        }
    }

    fn trial(&self) -> Result<Trial, String> {
        let scheme = schemes::named(&self.provider).ok_or("no such scheme")?.clone();
        let body = match (&self.body_b64, &self.body) {
            (Some(coded), _) => STANDARD.decode(coded).map_err(|_| "body_b64 is not base64")?,
            (None, text) => text.clone().unwrap_or_default().into_bytes(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.pairs() {
            let name: HeaderName = name.parse().map_err(|_| format!("{name} is no header"))?;
            let value = HeaderValue::from_bytes(value.as_bytes());
            headers.append(name.clone(), value.map_err(|_| format!("{name} has no header's value"))?);
        }
        let mut keys = self.certificates.clone();
        if let Some(set) = &self.jwks {
            keys.extend([GOOGLE_KEYS, MICROSOFT_KEYS].map(|url| (url.to_owned(), set.to_string())));
        }
        // A vector of a publisher's message is about its own topic.
        let of_body =
            || serde_json::from_slice::<Value>(&body).ok()?.get("TopicArn")?.as_str().map(str::to_owned);
        let topics = self.topic_arn.clone().or_else(of_body).into_iter().collect();
        let method = self.method.as_deref().unwrap_or("POST");
        Ok(Trial {
            scheme,
            secrets: self.secrets.iter().map(|text| SecretString::from(text.as_str())).collect(),
            settings: Settings {
                verify_token: self.verify_token.as_deref().map(SecretString::from),
                audience: self.audience.clone(),
                service_account: self.service_account.clone(),
                webhook_id: self.webhook_id.clone(),
                issuer: self.client_key.clone(),
                topics,
                keys,
            },
            method: Method::from_bytes(method.as_bytes()).map_err(|_| "no HTTP method")?,
            url: self.url.clone(),
            headers,
            body,
            now: UnixTime(self.now),
        })
    }
}

impl Answer {
    fn compare(&self, answer: &Response<bytes::Bytes>) -> Result<(), String> {
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        if answer.status() != self.status {
            return Err(format!("answered {}", answer.status()));
        }
        if let Some(expected) = &self.content_type
            && !header("content-type").is_some_and(|found| found.starts_with(expected.as_str()))
        {
            return Err(format!("answered as {:?}", header("content-type")));
        }
        if let Some((name, _)) = self.headers.iter().find(|(name, value)| header(name) != Some(value)) {
            return Err(format!("answered another {name}"));
        }
        let is_equal = match &self.body {
            None => true,
            Some(Value::String(text)) => {
                answer.body() == text.as_bytes() || is_same_json(text.as_bytes(), answer.body())
            }
            Some(json) => serde_json::from_slice::<Value>(answer.body()).is_ok_and(|found| found == *json),
        };
        if is_equal { Ok(()) } else { Err("answered another body".to_owned()) }
    }
}

/// The same object with its fields in another order is the same answer; plain text is compared as it is.
fn is_same_json(expected: &[u8], found: &[u8]) -> bool {
    let object = |bytes| serde_json::from_slice::<serde_json::Map<String, Value>>(bytes).ok();
    object(expected).is_some() && object(expected) == object(found)
}
