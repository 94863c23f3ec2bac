#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::facts::{Field, Place, Style, Type};

const SHARES: &str = r#"
    [[share]]
    at = ["**.blocks"]
    type = { list = "any" }
    reason = "open"

    [[share]]
    name = "Channel"
    at = ["*.channel", "*.channels[]"]
    reason = "one thing"

    [[share]]
    name = "File"
    at = ["**.files[]"]
    required = ["id"]
    reason = "filled up"

    [[share]]
    at = ["rooms.list"]
    required = ["channels"]
    reason = "the rest depends on the arguments"
"#;

fn facts() -> Facts {
    let method = |row| serde_json::from_value::<Method>(row).unwrap();
    let methods = vec![
        method(json!({"op": "rooms.list", "verb": "GET", "tier": "t2", "json": false, "paged": "cursor",
            "scopes": {"bot": ["rooms:read"]}, "args": [
                {"n": "token", "t": "string", "req": 1}, {"n": "team", "t": "string", "req": 1},
                {"n": "ids", "t": "array<string>"}, {"n": "filters", "t": "object"}, {"n": "limit", "t": "number"}]})),
        method(
            json!({"op": "rooms.open", "verb": "POST", "tier": "often", "json": true, "scopes": "none", "args": [
                {"n": "team", "t": "any"}, {"n": "list_id", "t": "any"}, {"n": "view", "t": "string", "req": 1},
                {"n": "limit", "t": "integer"}, {"n": "sort", "t": "string", "enum": ["asc", "desc", ""]},
                {"n": "flag", "t": "boolean|string"}]}),
        ),
        method(
            json!({"op": "rooms.close", "verb": "POST", "json": false, "args": [{"n": "room", "t": "string"}]}),
        ),
        method(
            json!({"op": "rooms.setPhoto", "verb": "POST", "json": false, "args": [{"n": "image", "t": "any"}]}),
        ),
    ];
    let text = json!({"t": "string"});
    let shapes = vec![
        json!({"name": "rooms.list", "t": "object", "fields": {"ok": {"t": "boolean"}, "error": text, "total": {"t": "integer"},
            "channels": {"t": "array", "item": {"t": "object", "fields": {"id": text, "name": text,
                "files": {"t": "array", "item": {"t": "object", "fields": {"id": text, "size": {"t": "integer"}}}}}}}}}),
        json!({"name": "rooms.open", "t": "object", "fields": {"ok": {"t": "boolean"},
            "channel": {"t": "object", "fields": {"id": text, "topic": {"t": "string", "opt": 1}, "blocks": {"t": "array",
                "item": {"t": "object", "fields": {"type": text}}}}},
            "response_metadata": {"t": "object", "fields": {"messages": {"t": "array", "item": text}}},
            "users": {"t": "object", "fields": {"U0000000A1": {"t": "object", "fields": {"seen": {"t": "integer"}}},
                "U0000000B_": {"t": "object", "fields": {"url": text}}}}}}),
        json!({"name": "rooms.close", "t": "object", "fields": {"ok": {"t": "boolean"}, "warning": text}}),
    ];
    let methods = methods.into_iter().collect();
    read(methods, shapes, &shares(SHARES).unwrap()).unwrap()
}

fn operation(op: &str) -> Operation {
    facts().operations.into_iter().find(|row| row.op == op).unwrap()
}

fn fields(shape: &Type) -> &[Field] {
    match shape {
        Type::Object(fields) => fields,
        other => unreachable!("{other:?} is no object"),
    }
}

fn names(shape: &Type) -> Vec<(&str, bool)> {
    fields(shape).iter().map(|field| (field.name.as_str(), field.required)).collect()
}

#[test]
fn a_method_that_is_read_takes_its_arguments_in_the_query_and_no_token() {
    let row = operation("rooms.list");
    assert_eq!((row.method.as_str(), row.path.as_str()), ("GET", "/rooms.list"));
    assert_eq!(row.docs, "https://docs.slack.dev/reference/methods/rooms.list");
    assert_eq!((row.tier.as_deref(), row.body), (Some("t2"), None));
    assert_eq!(row.scopes, [("bot".to_owned(), vec!["rooms:read".to_owned()])].into());
    let params: Vec<_> = row
        .params
        .iter()
        .inspect(|param| assert_eq!(param.place, Place::Query))
        .map(|param| (param.name.as_str(), param.shape.clone(), param.required, param.style))
        .collect();
    assert_eq!(
        params,
        [
            ("team", Type::Text, true, None),
            ("ids", Type::List(Box::new(Type::Text)), false, Some(Style::Comma)),
            ("filters", Type::Any, false, Some(Style::Json)),
            ("limit", Type::Integer, false, None),
        ]
    );
}

#[test]
fn a_method_that_is_posted_takes_json_a_form_or_a_file() {
    let body = |op| operation(op).body.unwrap();
    let json = body("rooms.open");
    assert_eq!((json.media.as_str(), json.required), ("application/json", true));
    let shapes: Vec<_> =
        fields(&json.shape).iter().map(|field| (field.name.as_str(), &field.shape)).collect();
    assert_eq!(
        shapes,
        [
            // Another method says what `team` is, its name what `list_id` is.
            ("team", &Type::Text),
            ("list_id", &Type::Text),
            ("view", &Type::Any),
            ("limit", &Type::Integer),
            ("sort", &Type::Words(vec!["asc".into(), "desc".into()])),
            ("flag", &Type::OneOf(vec![Type::Flag, Type::Text])),
        ]
    );
    assert_eq!(body("rooms.close").media, "application/x-www-form-urlencoded");
    assert_eq!(body("rooms.setPhoto").media, "multipart/form-data");
    // Neither a sentence instead of a tier nor a word instead of scopes is a fact.
    assert_eq!((operation("rooms.open").tier, operation("rooms.open").scopes.len()), (None, 0));
}

#[test]
fn an_answer_is_what_the_envelope_holds() {
    let shape = |op| operation(op).answers.remove(0).shape;
    let list = shape("rooms.list").unwrap();
    assert_eq!(names(&list), [("channels", true), ("total", false), ("response_metadata", false)]);
    assert_eq!(fields(&list)[0].shape, Type::List(Box::new(Type::Ref("Channel".into()))));
    let open = shape("rooms.open").unwrap();
    assert_eq!(names(&open), [("channel", true), ("users", true)]);
    let Type::Map(user) = &fields(&open)[1].shape else { unreachable!("identifiers are keys") };
    assert_eq!(names(user), [("seen", false), ("url", false)]);
    assert_eq!((shape("rooms.close"), shape("rooms.setPhoto")), (None, Some(Type::Any)));
}

#[test]
fn what_is_the_same_in_several_places_is_one_type_of_all_its_fields() {
    let facts = facts();
    assert_eq!(facts.types.keys().collect::<Vec<_>>(), ["Channel", "File"]);
    let channel = &facts.types["Channel"];
    assert_eq!(
        names(channel),
        [("files", false), ("id", true), ("name", false), ("blocks", false), ("topic", false)]
    );
    assert_eq!(fields(channel)[0].shape, Type::List(Box::new(Type::Ref("File".into()))));
    assert_eq!(fields(channel)[3].shape, Type::List(Box::new(Type::Any)));
    assert_eq!(names(&facts.types["File"]), [("id", true), ("size", false)]);
}

#[test]
fn a_pattern_that_matches_nothing_and_a_row_that_says_nothing_are_refused() {
    let read = |table: &str| read(Vec::new(), Vec::new(), &shares(table).unwrap()).unwrap_err().to_string();
    let error = read("[[share]]\nname = 'X'\nat = ['*.x']\nreason = ''");
    assert!(error.contains("`*.x` of the shared type `X` matches nothing"), "{error}");
    let error = read("[[share]]\nat = ['*.x']\nreason = ''");
    assert!(error.contains("the shared type at `*.x` has no `name`"), "{error}");
    assert!(shares("[[share]]\nname = 'X'").is_err());
}
