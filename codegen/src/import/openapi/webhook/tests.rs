#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::{Events, concepts, events};

const CONCEPTS: &str = r#"
    [[concept]]
    name = "account"
    has = ["login"]
    promised = ["id"]
    reason = "accounts"

    [[concept]]
    map = true
    field = ["_links"]
    reason = "names are data"
"#;

/// A description with these payloads, by action.
fn read(payloads: &[(&str, Value)], table: &str) -> Result<Events, String> {
    let hooks: serde_json::Map<String, Value> = payloads
        .iter()
        .map(|(id, schema)| {
            let body = json!({"content": {"application/json": {"schema": schema}}});
            (id.replace('/', "-"), json!({"post": {"operationId": id, "requestBody": body}}))
        })
        .collect();
    let document = json!({"openapi": "3.0.3", "paths": {}, "x-webhooks": hooks, "components": {"schemas": {
        "owner": {"type": "object", "properties": {"login": {"type": "string"}, "name": {"type": "string"}}},
    }}});
    let concepts = concepts(table).map_err(|error| error.to_string())?;
    events(&document, &concepts).map_err(|error| error.to_string())
}

fn payload(action: &str, required: &[&str], more: Value) -> Value {
    let mut properties = json!({"action": {"enum": [action], "type": "string"}});
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"type": "object", "required": required, "properties": properties})
}

fn account(required: &[&str]) -> Value {
    json!({"type": "object", "required": required, "properties": {"login": {"type": "string"}, "id": {"type": "integer"}}})
}

#[test]
fn the_actions_of_an_event_are_one_payload_and_equal_things_one_type() {
    let links =
        json!({"type": "object", "properties": {"self": {"type": "string"}, "html": {"type": "string"}}});
    let events = read(
        &[
            (
                "rain-drop/fell",
                payload("fell", &["action", "user"], json!({"user": account(&["login"]), "_links": links})),
            ),
            (
                "rain-drop/rose",
                payload("rose", &["action"], json!({"user": {"$ref": "#/components/schemas/owner"}})),
            ),
        ],
        CONCEPTS,
    )
    .unwrap();
    assert_eq!(events.events.len(), 1);
    assert_eq!(
        serde_json::to_value(&events.events[0]).unwrap(),
        json!({"event": "rain_drop", "type": {"object": [
            {"n": "_links", "t": {"map": "text"}},
            {"n": "action", "t": {"words": ["fell", "rose"]}, "req": true},
            {"n": "user", "t": {"ref": "account"}},
        ]}})
    );
    assert_eq!(
        serde_json::to_value(&events.types["account"]).unwrap(),
        json!({"object": [
            {"n": "id", "t": "integer", "req": true},
            {"n": "login", "t": "text"},
            {"n": "name", "t": "text"},
        ]})
    );
}

#[test]
fn different_things_in_one_place_stay_different() {
    let other = json!({"type": "object", "properties": {"slug": {"type": "string"}}});
    let table = format!("{CONCEPTS}\n[[concept]]\nname = \"team\"\nhas = [\"slug\"]\nreason = \"teams\"");
    let links = json!({"type": "object", "properties": {"self": {"type": "string"}}});
    let both = json!({"who": {"oneOf": [account(&[]), other]}, "at": {"type": ["string", "integer"], "format": "date-time"}, "_links": links});
    let events = read(&[("rain", payload("fell", &[], both))], &table).unwrap();
    let shape = serde_json::to_value(&events.events[0].shape).unwrap();
    let field = |name: &str| {
        let fields = shape["object"].as_array().unwrap();
        fields.iter().find(|field| field["n"] == name).unwrap()["t"].clone()
    };
    assert_eq!(field("who"), json!({"one_of": [{"ref": "account"}, {"ref": "team"}]}));
    // A time in seconds is still a time, and the only action of an event is still a word.
    assert_eq!((field("at"), field("action")), (json!("time"), json!({"words": ["fell"]})));
}

#[test]
fn a_concept_that_fits_nothing_or_says_nothing_is_an_error() {
    let rain = [("rain", payload("fell", &[], json!({"user": account(&[])})))];
    assert!(read(&rain, CONCEPTS).unwrap_err().contains("fits no object"));
    assert!(read(&rain, "[[concept]]\nname = \"x\"\nreason = \"y\"").unwrap_err().contains("says nothing"));
}
