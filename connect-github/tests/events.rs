//! Every event and every action decodes: payloads made from the tables that the types are generated from, complete, bare,
//! with `null` wherever that may be, with what nobody knows, and with what should not be.
#![cfg(all(feature = "webhook", feature = "serialize"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use connect_github::webhook::Event;
use serde_json::{Map, Value, json};

const EVENTS: &str = include_str!("../api/events.jsonl");
const TYPES: &str = include_str!("../api/event-types.jsonl");

/// Types contain themselves, as a repository its template: what need not be there ends here.
const DEEPEST: usize = 3;

/// What is put into a payload.
#[derive(Clone, Copy, PartialEq)]
enum Fill {
    /// Every field.
    All,
    /// Only what is promised.
    Promised,
    /// Every field, and `null` where that may be.
    Null,
}

struct Tables {
    events: BTreeMap<String, Value>,
    types: BTreeMap<String, Value>,
}

impl Tables {
    fn read() -> Self {
        let lines = |text: &str, key: &str| {
            let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            rows.map(|row| (row[key].as_str().unwrap().to_owned(), row["type"].clone())).collect()
        };
        Self { events: lines(EVENTS, "event"), types: lines(TYPES, "name") }
    }

    /// Calls `check` with each event, action and payload; after the first action the payloads are bare, because all actions
    /// of an event have one type.
    fn each(&self, fill: Fill, mut check: impl FnMut(&str, Option<&str>, Value)) {
        for (event, shape) in &self.events {
            let fields = shape["object"].as_array().unwrap();
            let action = fields.iter().find(|field| field["n"] == "action");
            let mut payload = self.object(fields, fill, 0);
            match action.and_then(|field| field["t"]["words"].as_array()) {
                None => check(event, payload["action"].clone().as_str(), payload),
                Some(words) => {
                    for word in words {
                        payload["action"] = word.clone();
                        check(event, word.as_str(), payload);
                        payload = self.object(fields, Fill::Promised, 0);
                    }
                }
            }
        }
    }

    fn object(&self, fields: &[Value], fill: Fill, depth: usize) -> Value {
        let mut object = Map::new();
        for field in fields {
            let is_promised = field["req"] == true;
            if is_promised || (fill != Fill::Promised && depth < DEEPEST) {
                object.insert(
                    field["n"].as_str().unwrap().to_owned(),
                    self.value(&field["t"], fill, depth + 1),
                );
            }
        }
        Value::Object(object)
    }

    /// A plausible value.
    fn value(&self, shape: &Value, fill: Fill, depth: usize) -> Value {
        if let Some(word) = shape.as_str() {
            return match word {
                "text" => json!("rain"),
                "time" => json!("2030-01-02T03:04:05Z"),
                "link" => json!("https://api.github.com/rain{/drop}"),
                "secret" => json!("[redacted]"),
                "integer" => json!(7),
                "number" => json!(7.5),
                "flag" => json!(true),
                "any" => json!({"any": ["thing"]}),
                other => panic!("no value for {other}"),
            };
        }
        let (kind, inner) = shape.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "words" => inner[0].clone(),
            // The description has `null` in lists where nobody sends it.
            "list" => json!([self.value(inner.get("null").unwrap_or(inner), fill, depth)]),
            "map" => json!({"some": self.value(inner, fill, depth)}),
            "null" if fill == Fill::Null => Value::Null,
            "null" => self.value(inner, fill, depth),
            "one_of" => self.value(&inner[0], fill, depth),
            "object" => self.object(inner.as_array().unwrap(), fill, depth),
            "ref" => self.value(&self.types[inner.as_str().unwrap()], fill, depth),
            other => panic!("no value for {other}"),
        }
    }
}

fn parse(event: &str, payload: &Value) -> (Event, Vec<String>) {
    let (parsed, drift) = Event::parse_with_drift(event, payload.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{event}: {error} {error:?}"));
    assert!(!matches!(parsed, Event::Other { .. }), "{event} has no type");
    assert_eq!(parsed.name(), event);
    (parsed, drift)
}

/// Where a value of a payload is not in what became of it. `null` and absent are the same.
fn lost(payload: &Value, typed: &Value, path: &str) -> Option<String> {
    match (payload, typed) {
        (Value::Null, _) => None,
        (Value::Object(fields), Value::Object(known)) => fields.iter().find_map(|(name, value)| {
            lost(value, known.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}"))
        }),
        (Value::Array(items), Value::Array(known)) if items.len() == known.len() => {
            items.iter().zip(known).find_map(|(item, known)| lost(item, known, &format!("{path}[]")))
        }
        (one, other) if one == other || other == "[redacted]" => None,
        (one, other) => Some(format!("{path}: {one} became {other}")),
    }
}

#[test]
fn all_75_events_and_all_their_actions_are_typed() {
    let tables = Tables::read();
    assert_eq!(tables.events.keys().collect::<Vec<_>>(), Event::NAMES.iter().collect::<Vec<_>>());
    let mut actions = 0;
    tables.each(Fill::All, |event, action, payload| {
        let (typed, drift) = parse(event, &payload);
        assert_eq!(typed.action(), action, "{event}");
        // The bare payloads are of the description, which does not promise every sender.
        if payload.get("sender").is_some() {
            assert_eq!(drift, [""; 0], "{event}");
        }
        // Nothing that is described is lost.
        assert_eq!(lost(&payload, &serde_json::to_value(&typed).unwrap(), event), None);
        actions += usize::from(action.is_some());
    });
    assert_eq!((tables.events.len(), actions), (75, 257));
}

#[test]
fn what_is_not_promised_may_be_missing_or_null() {
    for fill in [Fill::Promised, Fill::Null] {
        Tables::read().each(fill, |event, action, payload| {
            let (typed, _) = parse(event, &payload);
            assert_eq!(typed.action(), action, "{event}");
            assert_eq!(lost(&payload, &serde_json::to_value(&typed).unwrap(), event), None);
        });
    }
}

#[test]
fn what_is_promised_may_be_missing_or_null_too() {
    let tables = Tables::read();
    for event in tables.events.keys() {
        let (_, drift) = parse(event, &json!({}));
        let promises = tables.events[event]["object"].as_array().unwrap().iter().any(|field| {
            // A list that is missing is empty, which is as good.
            field["req"] == true && field["t"].get("list").is_none()
        });
        assert!(!promises || !drift.is_empty(), "{event}");
    }
    tables.each(Fill::All, |event, _, mut payload| {
        for value in payload.as_object_mut().unwrap().values_mut() {
            *value = nulled(value);
        }
        parse(event, &payload);
    });
}

/// The same with `null` in place of everything in it.
fn nulled(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.keys().map(|name| (name.clone(), Value::Null)).collect(),
        Value::Array(items) => items.iter().map(nulled).collect(),
        _ => Value::Null,
    }
}

#[test]
fn fields_and_words_that_nobody_knows_are_tolerated() {
    Tables::read().each(Fill::All, |event, action, payload| {
        let strange = strange(&payload);
        let (typed, drift) = parse(event, &strange);
        if payload.get("sender").is_some() {
            assert_eq!(drift, [""; 0], "{event}");
        }
        assert_eq!(typed.action().is_some(), action.is_some());
        assert_eq!(lost(&payload, &serde_json::to_value(&typed).unwrap(), event).is_some(), action.is_some());
    });
}

/// A field more in each object, and an action of tomorrow.
fn strange(value: &Value) -> Value {
    fn strangers(value: &Value) -> Value {
        match value {
            Value::Object(fields) if fields.contains_key("some") || fields.contains_key("any") => {
                value.clone()
            }
            Value::Object(fields) => {
                let more = [("brand_new".to_owned(), json!({"deep": [{}]}))];
                fields.iter().map(|(name, value)| (name.clone(), strangers(value))).chain(more).collect()
            }
            Value::Array(items) => items.iter().map(strangers).collect(),
            value => value.clone(),
        }
    }
    let mut strange = strangers(value);
    if strange["action"].is_string() {
        strange["action"] = json!("of_tomorrow");
    }
    strange
}

#[test]
fn a_value_of_another_type_costs_its_field_and_not_the_event() {
    let tables = Tables::read();
    // Once is enough of what many events have in them.
    let mut tried = BTreeSet::new();
    for odd in [json!([]), json!({}), json!("seven"), json!(-7.5), json!(false), json!([[7]])] {
        for (event, shape) in &tables.events {
            let fields = shape["object"].as_array().unwrap();
            // One field after the other, and one level down.
            let whole = tables.object(fields, Fill::Promised, 0);
            for field in fields {
                let name = field["n"].as_str().unwrap();
                let mut payload = whole.clone();
                payload[name] = odd.clone();
                parse(event, &payload);
                let Some(Value::Object(part)) = whole.get(name) else { continue };
                if !tried.insert((odd.to_string(), field["t"].to_string())) {
                    continue;
                }
                for inner in part.keys() {
                    let mut payload = whole.clone();
                    payload[name][inner] = odd.clone();
                    let (typed, _) = parse(event, &payload);
                    let typed = serde_json::to_value(&typed).unwrap();
                    let mut others = whole.clone();
                    others[name].as_object_mut().unwrap().remove(inner);
                    // A union may take the whole for another of its shapes.
                    if typed[name].is_object() {
                        assert_eq!(lost(&others, &typed, event), None, "{odd} in {name}.{inner}");
                    }
                }
            }
        }
    }
}
