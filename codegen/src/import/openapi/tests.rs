#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::facts::{Answer, Field, Operation, Parameter, Place, Style, Type};
use crate::import::parse;

/// A small shop, with something of everything that descriptions do.
fn shop() -> Value {
    parse(include_str!("shop.json")).unwrap()
}

fn operation(facts: &Facts, op: &str) -> Operation {
    facts.operations.iter().find(|known| known.op == op).unwrap().clone()
}

fn fields(facts: &Facts, name: &str) -> Vec<Field> {
    match facts.types.get(name) {
        Some(Type::Object(fields)) => fields.clone(),
        other => unreachable!("{name} is {other:?}"),
    }
}

fn field(facts: &Facts, of: &str, name: &str) -> Field {
    fields(facts, of).into_iter().find(|field| field.name == name).unwrap()
}

fn null(shape: Type) -> Type {
    Type::Null(Box::new(shape))
}

fn words(words: &[&str]) -> Type {
    Type::Words(words.iter().map(|&word| word.to_owned()).collect())
}

fn named(name: &str) -> Type {
    Type::Ref(name.to_owned())
}

#[test]
fn an_operation_says_where_it_is_and_what_it_needs() {
    let facts = openapi(&shop()).unwrap();
    let get = operation(&facts, "items/get");
    assert_eq!((get.method.as_str(), get.path.as_str()), ("GET", "/shops/{shop}/items/{path}"));
    assert_eq!((get.category.as_deref(), get.docs.as_str()), (None, "https://docs.example.com/items"));
    assert_eq!(
        (get.deprecated, get.notifies, get.server.as_deref()),
        (true, false, Some("https://files.example.com"))
    );
    assert_eq!(get.scopes, [("oauth".to_owned(), vec!["read".to_owned(), "write".to_owned()])].into());
    let put = operation(&facts, "replace");
    assert_eq!((put.category.as_deref(), put.notifies), (Some("goods"), true));
}

#[test]
fn operations_that_share_a_name_are_called_by_method_and_path() {
    let facts = openapi(&shop()).unwrap();
    let names: Vec<&str> = facts.operations.iter().map(|row| row.op.as_str()).collect();
    assert_eq!(names, ["GET /twins/{a}", "POST /twins/{a}", "items/get", "replace"]);
    // A path parameter that nobody describes is text all the same.
    assert_eq!(facts.operations[0].params[0].shape, Type::Text);
}

#[test]
fn parameters_come_in_the_order_of_the_path_and_then_of_the_description() {
    let get = operation(&openapi(&shop()).unwrap(), "items/get");
    let rows: Vec<_> =
        get.params.iter().map(|row: &Parameter| (row.name.as_str(), row.place, row.style)).collect();
    assert_eq!(
        rows,
        [
            ("shop", Place::Path, None),
            ("path", Place::Path, None),
            ("page", Place::Query, None),
            ("tags", Place::Query, Some(Style::Comma)),
            ("ids", Place::Query, None),
            ("near", Place::Query, Some(Style::Deep)),
            ("at", Place::Query, Some(Style::Exploded)),
            ("filter", Place::Query, Some(Style::Json)),
            ("X-Trace", Place::Header, None),
        ]
    );
    assert!(get.params[1].multi && get.params[1].required && !get.params[2].required);
    // The operation's own `page` wins over the path's.
    assert_eq!((&get.params[2].shape, &get.params[2].default), (&Type::Integer, &Some(json!(1))));
}

#[test]
fn answers_are_successes_and_redirects_json_first() {
    let get = operation(&openapi(&shop()).unwrap(), "items/get");
    let rows: Vec<_> =
        get.answers.into_iter().map(|Answer { status, media, shape, .. }| (status, media, shape)).collect();
    assert_eq!(
        rows,
        [
            (200, Some("application/json".to_owned()), Some(named("item"))),
            (200, Some("text/plain".to_owned()), Some(Type::Text)),
            (204, None, None),
            (301, None, None),
        ]
    );
}

#[test]
fn the_best_media_type_of_a_body_is_taken() {
    let put = operation(&openapi(&shop()).unwrap(), "replace");
    let body = put.body.unwrap();
    assert_eq!((body.media.as_str(), body.required), ("application/json", true));
    let Type::Object(fields) = body.shape else { unreachable!("an object") };
    assert_eq!(fields[1].shape, Type::Link);
}

#[test]
fn schemas_become_types() {
    let facts = openapi(&shop()).unwrap();
    let one_of = Type::OneOf;
    let cases = [
        ("id", Type::Integer),
        ("kind", words(&["item"])),
        ("owner", named("user")),
        ("seller", null(named("user"))),
        ("box", null(named("box"))),
        ("names", Type::List(Box::new(Type::Text))),
        ("at", Type::Time),
        ("on", Type::Text),
        ("url", Type::Link),
        ("html_url", null(Type::Link)),
        ("home", Type::Link),
        ("raw", Type::Bytes),
        ("state", null(words(&["on", "off"]))),
        ("level", Type::Integer),
        ("yes", Type::Flag),
        ("labels", Type::Map(Box::new(Type::Text))),
        ("open", Type::Any),
        ("id_or_name", null(one_of(vec![Type::Text, Type::Integer]))),
        ("word", words(&["a", "b"])),
        ("same", Type::Integer),
        ("size", null(named("size"))),
    ];
    for (name, expected) in cases {
        assert_eq!(field(&facts, "item", name).shape, expected, "{name}");
    }
}

#[test]
fn branches_that_only_require_are_dropped_and_others_get_what_stands_beside_them() {
    let facts = openapi(&shop()).unwrap();
    let names = |shape: &Type| match shape {
        Type::Object(fields) => fields.iter().map(|field| field.name.clone()).collect(),
        other => vec![format!("{other:?}")],
    };
    assert_eq!(names(&field(&facts, "item", "choice").shape), ["a", "b"]);
    let Type::OneOf(parts) = field(&facts, "item", "part").shape else { unreachable!("a choice") };
    assert_eq!(parts.iter().map(names).collect::<Vec<_>>(), [["weight", "screw"], ["weight", "nail"]]);
}

#[test]
fn only_names_that_say_something_and_are_reached_stay() {
    let facts = openapi(&shop()).unwrap();
    let names: Vec<&str> = facts.types.keys().map(String::as_str).collect();
    assert_eq!(names, ["box", "item", "point", "receipt", "size", "user"]);
}

#[test]
fn fields_are_in_the_order_of_the_description_and_optional_ones_may_come_from_elsewhere() {
    let facts = openapi(&shop()).unwrap();
    let point: Vec<_> =
        fields(&facts, "point").into_iter().map(|field| (field.name, field.required)).collect();
    assert_eq!(point, [("x".to_owned(), true), ("y".to_owned(), true), ("z".to_owned(), false)]);
    assert_eq!(facts.operations[0].answers[0].shape, Some(named("point")));
}

#[test]
fn a_promised_field_that_an_example_lacks_is_a_gap() {
    let facts = openapi(&shop()).unwrap();
    let gaps = |of| -> Vec<String> {
        fields(&facts, of).into_iter().filter(|field| field.gap).map(|field| field.name).collect()
    };
    // `owner` is null though it may not be, `kind` and `gone` are missing; `seller` lacks its `id`.
    assert_eq!(gaps("item"), ["kind", "owner", "gone"]);
    assert_eq!(gaps("user"), ["id"]);
}

#[test]
fn a_later_version_takes_away_and_adds() {
    let facts = openapi(&shop()).unwrap();
    let until = Some("2026-03-10".to_owned());
    assert_eq!(
        (field(&facts, "item", "gone").until, field(&facts, "item", "gone").required),
        (until.clone(), true)
    );
    let fresh = field(&facts, "item", "fresh");
    assert_eq!((fresh.shape, fresh.required, fresh.until), (Type::Integer, false, None));
    let put = operation(&facts, "replace");
    let rows: Vec<_> =
        put.answers.iter().map(|row| (row.status, row.since.clone(), row.until.clone())).collect();
    assert_eq!(rows, [(200, until.clone(), None), (204, None, until.clone())]);
    let Type::Object(fields) = put.body.unwrap().shape else { unreachable!("an object") };
    assert_eq!(fields.into_iter().map(|field| field.until).collect::<Vec<_>>(), [None, None, until]);
}

#[test]
fn what_is_no_openapi_3_or_refers_to_nothing_is_refused() {
    let error = openapi(&json!({"swagger": "2.0", "paths": {}})).unwrap_err().to_string();
    assert!(error.contains("no OpenAPI 3"), "{error}");
    let dangling = json!({"openapi": "3.1.0", "paths": {"/": {"get": {"responses": {"200": {"$ref": "#/components/responses/x"}}}}}});
    let error = openapi(&dangling).unwrap_err().to_string();
    assert!(error.contains("#/components/responses/x"), "{error}");
}

#[test]
fn schemas_that_contain_themselves_have_an_end() {
    let facts = openapi(&json!({
        "openapi": "3.1.0",
        "paths": {"/": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/a"}}}}}}}},
        "components": {"schemas": {
            "a": {"allOf": [{"$ref": "#/components/schemas/b"}], "properties": {"list": {"$ref": "#/components/schemas/c"}}},
            "b": {"allOf": [{"$ref": "#/components/schemas/a"}], "properties": {"b": {"type": "string"}}},
            "c": {"type": "array", "items": {"$ref": "#/components/schemas/c"}},
        }}
    }))
    .unwrap();
    assert_eq!(field(&facts, "a", "list").shape, Type::List(Box::new(Type::Any)));
}

/// A description with one operation, `op`, at `/{id}`, and these schemas.
fn one(operation: Value, schemas: Value) -> Result<Facts, ImportError> {
    let mut all = json!({"operationId": "op", "responses": {}});
    all.as_object_mut().unwrap().extend(operation.as_object().unwrap().clone());
    openapi(&json!({"openapi": "3.1.0", "paths": {"/{id}": {
        "servers": [{"url": "https://items.example.com"}], "post": all}}, "components": {"schemas": schemas}}))
}

fn only(operation: Value, schemas: Value) -> Operation {
    one(operation, schemas).unwrap().operations.remove(0)
}

#[test]
fn an_operation_without_a_server_has_that_of_its_path() {
    assert_eq!(only(json!({}), json!({})).server.as_deref(), Some("https://items.example.com"));
    let own = json!({"servers": [{"url": "https://own.example.com"}]});
    assert_eq!(only(own, json!({})).server.as_deref(), Some("https://own.example.com"));
}

#[test]
fn a_default_is_the_answer_where_no_success_is_named() {
    let answers = |responses: Value| -> Vec<u16> {
        let row = only(json!({"responses": responses}), json!({"ErrorBody": {"type": "object"}}));
        row.answers.into_iter().map(|answer| answer.status).collect()
    };
    let fine = json!({"description": "the item", "content": {"application/json": {}}});
    assert_eq!(answers(json!({"default": fine})), [200]);
    assert_eq!(answers(json!({"404": {}, "304": {}, "default": fine})), [200]);
    assert_eq!(answers(json!({"201": {}, "default": fine})), [201]);
    assert_eq!(answers(json!({"302": {}, "default": fine})), [302]);
    for error in [
        json!({"description": "Unexpected error"}),
        json!({"description": "", "content": {"application/problem+json": {}}}),
        json!({"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}}),
    ] {
        assert!(answers(json!({"default": error})).is_empty(), "{error}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_by_name() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let cases = [
        (json!({"in": "query", "style": "pipeDelimited", "explode": false}), "pipeDelimited"),
        (json!({"in": "query", "style": "spaceDelimited"}), "spaceDelimited"),
        (json!({"in": "path", "style": "matrix", "required": true}), "matrix"),
        (json!({"in": "path", "style": "label", "required": true}), "label"),
        (json!({"in": "cookie", "required": true}), "cookie"),
    ];
    for (mut parameter, why) in cases {
        parameter["name"] = json!("id");
        parameter["schema"] = list.clone();
        let error = one(json!({"parameters": [parameter]}), json!({})).unwrap_err().to_string();
        assert!(error.starts_with("op: `id` ") && error.contains(why), "{error}");
        assert!(error.contains("correct the description, or drop the parameter"), "{error}");
    }
    // A cookie that may be left out is left out; without items there is nothing between them.
    let cookie = json!({"name": "c", "in": "cookie", "schema": list});
    let plain = json!({"name": "p", "in": "query", "style": "pipeDelimited", "schema": {"type": "string"}});
    assert_eq!(only(json!({"parameters": [cookie, plain]}), json!({})).params.len(), 2);
}

#[test]
fn commas_stay_behind_names_and_beside_null() {
    let schemas = json!({
        "ids": {"type": "array", "items": {"type": "integer"}},
        "maybe-ids": {"oneOf": [{"$ref": "#/components/schemas/ids"}, {"type": "null"}]},
        "point": {"type": "object", "properties": {"x": {"type": "integer"}}},
    });
    for name in ["ids", "maybe-ids", "point"] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let parameter = json!({"name": "q", "in": "query", "explode": false, "schema": schema});
        let row = only(json!({"parameters": [parameter]}), schemas.clone());
        assert_eq!(row.params[1].style, Some(Style::Comma), "{name}");
    }
}

#[test]
fn the_fields_of_a_form_have_the_styles_of_its_encoding() {
    let form = |encoding: Value| {
        let body = json!({"requestBody": {"content": {"application/x-www-form-urlencoded": {
            "schema": {"$ref": "#/components/schemas/form"}, "encoding": encoding}}}});
        one(
            body,
            json!({"form": {"type": "object", "properties": {
                "name": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "at": {"type": "object", "properties": {"x": {"type": "integer"}}},
                "more": {"type": "array", "items": {"type": "string"}},
            }}}),
        )
    };
    let facts = form(json!({
        "name": {"style": "form", "explode": false}, "tags": {"explode": false}, "at": {"style": "deepObject"},
        "more": {"contentType": "application/json"}
    }))
    .unwrap();
    let Type::Object(fields) = &facts.operations[0].body.as_ref().unwrap().shape else {
        unreachable!("its own")
    };
    let styles: Vec<_> = fields.iter().map(|field| field.style).collect();
    // In the order of their names, `at`, `more`, `name`, `tags`: what `json!` makes has no other.
    assert_eq!(styles, [Some(Style::Deep), Some(Style::Json), None, Some(Style::Comma)]);
    assert_eq!(form(json!({})).unwrap().operations[0].body.as_ref().unwrap().shape, named("form"));
    let error = form(json!({"tags": {"style": "spaceDelimited"}})).unwrap_err().to_string();
    assert!(error.starts_with("op: `tags` has the style `spaceDelimited`"), "{error}");
}

#[test]
fn a_range_of_media_types_is_one_that_can_be_sent() {
    let body = |content: Value| {
        let body = only(json!({"requestBody": {"content": content}}), json!({})).body.unwrap();
        (body.media, body.shape)
    };
    let octets = ("application/octet-stream".to_owned(), Type::Bytes);
    assert_eq!(body(json!({"image/*": {"schema": {"type": "string"}}})), octets);
    assert_eq!(body(json!({"*/*": {}})), octets);
    let object = json!({"schema": {"type": "object", "properties": {"a": {"type": "string"}}}});
    assert_eq!(body(json!({"*/*": object})).0, "application/json");
    assert_eq!(
        body(json!({"multipart/form-data": object, "application/json": object})).0,
        "application/json"
    );
}

#[test]
fn what_is_sent_lacks_what_only_the_provider_writes() {
    let user = |schema: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    let facts = one(
        json!({"requestBody": {"content": user("user")}, "responses": {"200": {"description": "", "content": user("user")}}}),
        json!({
            "user": {
                "type": "object",
                "required": ["id", "name", "password", "size"],
                "properties": {
                    "id": {"type": "integer", "readOnly": true},
                    "name": {"type": "string"},
                    "password": {"type": "string", "format": "password", "writeOnly": true},
                    "boss": {"allOf": [{"$ref": "#/components/schemas/user"}], "nullable": true},
                    "size": {"$ref": "#/components/schemas/size"},
                    "since": {"$ref": "#/components/schemas/since"},
                },
            },
            "size": {"type": "object", "properties": {"cm": {"type": "integer"}}},
            "since": {"type": "string", "format": "date-time", "readOnly": true},
        }),
    )
    .unwrap();
    let rows = |of: &str| -> Vec<(String, bool)> {
        fields(&facts, of).into_iter().map(|field| (field.name, field.required)).collect()
    };
    let row = |name: &str, required| (name.to_owned(), required);
    let operation = &facts.operations[0];
    assert_eq!(operation.answers[0].shape, Some(named("user")));
    assert_eq!(operation.body.as_ref().unwrap().shape, named("user-sent"));
    assert_eq!(
        rows("user"),
        [
            row("boss", false),
            row("id", true),
            row("name", true),
            row("password", false),
            row("since", false),
            row("size", true),
        ]
    );
    assert_eq!(
        rows("user-sent"),
        [row("boss", false), row("name", true), row("password", true), row("size", true)]
    );
    assert_eq!(field(&facts, "user-sent", "password").shape, Type::Secret);
    assert_eq!(field(&facts, "user-sent", "boss").shape, null(named("user-sent")));
    // What is alike on both sides has one name.
    assert_eq!(field(&facts, "user-sent", "size").shape, named("size"));
}
