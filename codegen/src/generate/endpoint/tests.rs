#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::facts::Facts;
use crate::generate::{GenerateError, endpoint, model};
use crate::overlay::Overlay;

const PROVIDER: &str = "[provider]\nid = \"x\"\nname = \"X\"\napi = \"crate::XApi\"\n";

fn try_files(
    operations: Value,
    types: Value,
    overlay: &str,
) -> Result<BTreeMap<String, String>, GenerateError> {
    let overlay = Overlay::parse(&format!("{PROVIDER}{overlay}")).unwrap();
    let mut facts = Facts {
        operations: serde_json::from_value(operations).unwrap(),
        types: serde_json::from_value(types).unwrap(),
    };
    overlay.correct(&mut facts)?;
    let settings = model::Settings {
        secret: "connect_core::Secret".to_owned(),
        provider: "X".to_owned(),
        names: BTreeMap::new(),
        is_events: false,
    };
    endpoint::files(&facts, &overlay, &model::plan(&facts, &settings)?)
}

/// The module of one operation, `a/do`, with this beside its name.
fn module(facts: Value) -> String {
    corrected(facts, "")
}

fn corrected(facts: Value, overlay: &str) -> String {
    with_types(facts, json!({}), overlay)
}

fn with_types(facts: Value, types: Value, overlay: &str) -> String {
    let mut operation = json!({"op": "a/do", "method": "POST", "path": "/do"});
    operation.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    try_files(json!([operation]), types, overlay).unwrap().remove("a.rs").unwrap()
}

/// With a JSON body of these fields.
fn with_fields(fields: Value) -> String {
    module(json!({"body": {"media": "application/json", "type": {"object": fields}}}))
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "`{part}` in\n{text}");
}

#[test]
fn what_must_be_given_is_asked_for_and_the_rest_is_set() {
    let text = with_fields(json!([
        {"n": "title", "t": "text", "req": true},
        {"n": "weight", "t": "number"},
        {"n": "labels", "t": {"list": "text"}},
        {"n": "at", "t": {"words": ["now", "later"]}, "req": true},
        {"n": "any", "t": {"map": "text"}},
    ]));
    has(
        &text,
        &[
            "pub fn new(title: impl Into<String>, at: impl Into<String>) -> Self",
            "`at` is `now`, `later`.",
            "pub fn weight(self, weight: f64) -> Self",
            "pub fn labels(self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self",
            "pub fn any(self, any: impl Into<Input>) -> Self",
            r#"Parameter::field("title", Shape::Text).required(),"#,
            r#"Parameter::field("labels", Shape::List),"#,
        ],
    );
}

#[test]
fn a_union_is_an_enum_out_of_whatever_converts() {
    let text = with_fields(json!([
        {"n": "size", "t": {"one_of": ["integer", "text", {"object": [{"n": "cm", "t": "integer", "req": true}]}]}},
        {"n": "share", "t": {"one_of": ["integer", "number"]}},
        {"n": "flags", "t": {"one_of": [{"list": "flag"}, {"list": "number"}]}},
        {"n": "open", "t": {"one_of": ["integer", "any", {"object": [{"n": "lost", "t": "text"}]}]}},
    ]));
    has(
        &text,
        &[
            "pub fn size(self, size: impl Into<DoSize>) -> Self",
            "    Integer(i64),",
            "    Text(String),",
            "    Object(DoSizeObject),",
            "impl From<&str> for DoSize {",
            "impl From<i32> for DoSize {",
            "pub fn share(self, share: f64) -> Self", // a whole number is a number
            "    List(Vec<bool>),",
            "    List2(Vec<f64>),",
            "pub fn open(self, open: impl Into<Input>) -> Self",
        ],
    );
    // What is open needs no types.
    lacks(&text, "DoOpen");
}

#[test]
fn objects_of_a_union_are_called_by_what_tells_them_apart() {
    let rule = |word: &str, more: Value| {
        let mut fields = vec![json!({"n": "type", "t": {"words": [word]}, "req": true})];
        fields.extend(more.as_array().unwrap().clone());
        json!({"object": fields})
    };
    let by_field =
        |name: &str| json!({"object": [{"n": name, "t": "text", "req": true}, {"n": "both", "t": "text"}]});
    let text = with_fields(json!([
        {"n": "rules", "t": {"list": {"one_of": [
            rule("creation", json!([])),
            rule("pull_request", json!([{"n": "count", "t": "integer", "req": true}])),
        ]}}},
        {"n": "where", "t": {"one_of": [by_field("name"), by_field("id")]}},
        {"n": "same", "t": {"one_of": [
            {"object": [{"n": "a", "t": "text"}]},
            {"object": [{"n": "a", "t": "text"}, {"n": "b", "t": "text"}]},
        ]}},
    ]));
    has(
        &text,
        &[
            "pub fn rules(self, rules: impl IntoIterator<Item = impl Into<DoRule>>) -> Self",
            "    Creation(DoRuleCreation),",
            "    PullRequest(DoRulePullRequest),",
            // Nobody need say the only word that there is.
            r#"pub fn new() -> Self {
        Self(Fields::new().set("type", "creation"))"#,
            r#"pub fn new(count: i64) -> Self {
        Self(Fields::new().set("type", "pull_request").set("count", count))"#,
            "    Name(DoWhereName),",
            "    Id(DoWhereId),",
            "    Object1(DoSameObject1),",
            "    B(DoSameB),",
        ],
    );
}

#[test]
fn objects_in_objects_are_types_of_their_own() {
    let text = with_fields(json!([{"n": "config", "t": {"object": [
        {"n": "url", "t": "link", "req": true},
        {"n": "key", "t": "secret"},
        {"n": "auth", "t": {"object": [{"n": "new", "t": "flag"}]}},
        {"n": "until", "t": {"null": "text"}},
        {"n": "max", "t": {"null": "integer"}, "req": true},
    ]}}]));
    has(
        &text,
        &[
            "pub fn config(self, config: DoConfig) -> Self",
            "pub struct DoConfig(Fields);",
            "pub struct DoConfigAuth(Fields);",
            "pub fn new(url: impl Into<String>, max: Option<i64>) -> Self",
            "pub fn auth(self, auth: DoConfigAuth) -> Self",
            "pub fn with_new(self, new: bool) -> Self",
            "pub fn clear_until(self) -> Self",
            r#"Parameter::field("config", Shape::Object).secrets(&["key"]),"#,
        ],
    );
}

#[test]
fn null_can_be_sent_where_it_means_something() {
    let text = with_fields(json!([
        {"n": "note", "t": {"null": "text"}},
        {"n": "type", "t": {"null": "text"}},
        {"n": "rules", "t": {"null": {"list": "text"}}, "req": true},
        {"n": "clear_note", "t": "flag"},
        {"n": "plain", "t": "text"},
    ]));
    has(
        &text,
        &[
            r#"pub fn clear_note(self) -> Self {
        Self(self.0.set("note", Input::Null))"#,
            "pub fn r#type(self, r#type: impl Into<String>)",
            "pub fn clear_type(self) -> Self",
            "pub fn new(rules: Option<Vec<String>>) -> Self",
            "pub fn with_clear_note(self, clear_note: bool) -> Self",
        ],
    );
    lacks(&text, "clear_plain");
    // Outside a body there is no null.
    lacks(&module(json!({"params": [{"name": "q", "in": "query", "type": {"null": "text"}}]})), "clear_q");
}

#[test]
fn an_answer_is_what_its_statuses_say() {
    let json =
        |status: u16, shape: &str| json!({"status": status, "media": "application/json", "type": shape});
    let cases = [
        (json!([]), "type Output = ();", "cx.nothing(&response)"),
        (json!([{"status": 204}]), "type Output = ();", "cx.nothing(&response)"),
        (json!([json(200, "integer")]), "type Output = i64;", "cx.json(&response)"),
        (
            json!([json(200, "integer"), {"status": 204}]),
            "type Output = Option<i64>;",
            "cx.optional(&response)",
        ),
        (json!([json(200, "integer"), json(201, "integer")]), "type Output = i64;", "cx.json(&response)"),
        (json!([{"status": 302}]), "type Output = Bytes;", "cx.bytes(&response)"),
        (json!([json(200, "integer"), {"status": 302}]), "type Output = i64;", "cx.json(&response)"),
        (
            json!([{"status": 200, "media": "text/csv", "type": "text"}]),
            "type Output = String;",
            "cx.text(&response)",
        ),
        (
            json!([{"status": 200, "media": "image/png", "type": "bytes"}]),
            "type Output = Bytes;",
            "cx.bytes(&response)",
        ),
        (
            json!([json(200, "integer"), json(202, "text"), {"status": 204}]),
            "pub enum DoOutput {\n    /// 200\n    Ok(i64),\n    /// 202\n    Accepted(String),\n    /// 204\n    NoContent,\n}",
            "            204 => Ok(DoOutput::NoContent),\n            _ => cx.json(&response).map(DoOutput::Ok),",
        ),
    ];
    for (answers, output, decode) in cases {
        has(&module(json!({"answers": answers})), &[output, decode]);
    }
    let both =
        json!({"answers": [json(200, "integer"), {"status": 200, "media": "text/csv", "type": "text"}]});
    has(
        &module(both),
        &["type Output = i64;", "pub fn accept(self, media_type: &'static str)", "(`text/csv`)"],
    );
}

#[test]
fn arguments_of_one_name_stay_apart_and_keep_their_spelling() {
    let text = module(json!({
        "path": "/{name}/{body}",
        "params": [
            {"name": "name", "in": "path", "type": "text", "required": true},
            {"name": "body", "in": "path", "type": "text", "required": true},
            {"name": "name", "in": "query", "type": "text"},
            {"name": "a-b", "in": "query", "type": "text"},
            {"name": "a_b", "in": "header", "type": "text"},
        ],
        "body": {"media": "application/json", "type": {"object": [
            {"n": "name", "t": "text"}, {"n": "operation", "t": "text"}, {"n": "self", "t": "text"},
        ]}},
    }));
    has(
        &text,
        &[
            "pub fn new(name: impl Into<String>, body: impl Into<String>) -> Self",
            r#"Parameter::query("query_name", Shape::Text).wire("name"),"#,
            r#"Parameter::field("body_name", Shape::Text).wire("name"),"#,
            "/// Field `name`: text.\n    pub fn body_name(self",
            "pub fn a_b(self, a_b: impl Into<String>) -> Self {\n        Self(self.0.text(\"a-b\", a_b))",
            "pub fn a_underscore_b(self, a_underscore_b: impl Into<String>)",
            "pub fn with_operation(self, operation: impl Into<String>)",
            "pub fn self_(self, self_: impl Into<String>)",
        ],
    );
}

#[test]
fn a_list_goes_on_as_the_overlay_says_and_only_a_list_has_a_page_size() {
    let overlay = "defaults = { limit = \"100\" }\n[[paging]]\nwhen = \"after\"\nstyle = \"cursor\"\nnext = \"/next\"\nparam = \"after\"\nreason = \"r\"";
    let answer = |shape: Value| {
        json!({
            "method": "GET",
            "params": [{"name": "limit", "in": "query", "type": "integer", "default": 20}, {"name": "after", "in": "query", "type": "text"}],
            "answers": [{"status": 200, "media": "application/json", "type": shape}],
        })
    };
    let list = corrected(
        answer(
            json!({"object": [{"n": "items", "t": {"list": "integer"}, "req": true}, {"n": "next", "t": "text"}]}),
        ),
        overlay,
    );
    has(
        &list,
        &[
            r#".paged(Paging::Cursor { items: "/items", next: "/next", param: "after", last: None })"#,
            r#"Parameter::query("limit", Shape::Integer).default("100"),"#,
            "a whole number; `100` if not given.",
            "/// Query `after`: text. Streams go on from there by themselves.",
            "impl Paged for Do {\n    type Item = i64;",
        ],
    );
    let mut undecided = answer(json!("integer"));
    undecided["op"] = "a/do".into();
    undecided["path"] = "/do".into();
    let error = try_files(json!([undecided]), json!({}), overlay).unwrap_err();
    assert!(error.to_string().contains("give its `paging` in the overlay"), "{error}");
    let none = "[[operation]]\nop = [\"a/do\"]\npaging = { style = \"none\" }\nreason = \"r\"";
    let single = corrected(answer(json!("integer")), &format!("{overlay}\n{none}"));
    has(&single, &["; X takes `20` if not given."]);
    for absent in ["Paging", "Paged", ".default(", "Streams go on"] {
        lacks(&single, absent);
    }
}

#[test]
fn a_secret_is_a_secret_at_any_depth() {
    let text = with_fields(json!([
        {"n": "key", "t": "secret", "req": true},
        {"n": "hooks", "t": {"list": {"object": [{"n": "keys", "t": {"list": "secret"}}, {"n": "url", "t": "text"}]}}},
    ]));
    has(
        &text,
        &[
            "pub fn new(key: impl Into<Secret>) -> Self",
            r#".secret("key", key)"#,
            r#"Parameter::field("key", Shape::Text).required().secrets(&[""]),"#,
            r#"Parameter::field("hooks", Shape::List).secrets(&["keys"]),"#,
            "pub fn keys(self, keys: impl IntoIterator<Item = impl Into<Secret>>)",
            r#""writeOnly":true"#,
        ],
    );
}

#[test]
fn bodies_go_as_their_media_type_says() {
    let body = |media: &str, shape: Value| json!({"body": {"media": media, "required": true, "type": shape}});
    let fields = json!({"object": [{"n": "list", "t": {"list": "text"}}, {"n": "file", "t": "bytes"}]});
    let form = "application/x-www-form-urlencoded";
    let cases = [
        (body(form, fields.clone()), &["Payload::Form", r#"("list", Shape::List),"#][..]),
        // Nobody knows its fields: the caller writes it.
        (
            body(form, json!("any")),
            &["Payload::Raw(\"application/x-www-form-urlencoded\")", "new(body: impl Into<Input>)"],
        ),
        (
            body("multipart/form-data", fields),
            &["Payload::Multipart(\"file\")", "fn fields(&self)", "fn list(self"],
        ),
        (body("image/png", json!("bytes")), &["Payload::File(\"image/png\")", "from_static(\"image/png\")"]),
        (
            body("text/plain", json!("text")),
            &["Payload::Raw(\"text/plain\")", "new(body: impl Into<String>)"],
        ),
        (body("application/json", json!({"list": "text"})), &["Parameter::body(Shape::List).required()"]),
        (
            body("application/json", json!({"object": [{"n": "a", "t": "text"}]})),
            &["Payload::SomeJson(", "pub fn new() -> Self"],
        ),
    ];
    for (facts, parts) in cases {
        has(&module(facts), parts);
    }
    let form = json!({"body": {"media": form, "type": {"object": [{"n": "ids", "t": {"list": "text"}}]}}});
    has(&corrected(form, "form_lists = \"comma\""), &[r#"("ids", Shape::List).style(Style::Comma),"#]);
}

#[test]
fn no_text_of_a_description_breaks_the_rust() {
    let text = with_fields(json!([
        {"n": "why", "t": {"words": ["a\nb", "c"]}},
        {"n": "tick", "t": {"words": ["`"]}},
        {"n": "color", "t": {"words": ["#fff", "##", "\"#"]}},
        {"n": "-", "t": "text"},
    ]));
    has(&text, &["/// Field `why`: text.", "/// Field `tick`: text.", "r###\"", "pub fn minus(self"]);
    for line in text.lines().filter(|line| line.trim_start().starts_with('b')) {
        assert!(!line.trim_start().starts_with("b`"), "{line}");
    }
}

#[test]
fn names_that_rust_or_endpoints_have_already_are_refused_or_written_apart() {
    let op = |op: &str| json!({"op": op, "method": "GET", "path": "/"});
    let files = |ops: &[&str]| try_files(ops.iter().map(|name| op(name)).collect(), json!({}), "");
    for (ops, expected) in [
        (&["a/request"][..], "a/request: `Request` is the name of a type"),
        (&["a/option"], "a/option: `Option` is the name of a type"),
        (&["mod/get"], "mod/get: `mod.rs` is the index"),
        (&["a/get", "a/Get"], "another operation has this name"),
    ] {
        let error = files(ops).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("name it in the overlay"), "{error}");
    }
    let files = files(&["type/get"]).unwrap();
    has(&files["mod.rs"], &["pub mod r#type;", "r#type::ENTRIES"]);
    assert!(files.contains_key("type.rs"));
    // `GetTitle` is an endpoint already.
    let body = json!({"media": "application/json", "type": {"object": [{"n": "title", "t": {"object": [{"n": "a", "t": "text"}]}}]}});
    let mut get = op("a/get");
    get["body"] = body;
    let files = try_files(json!([get, op("a/get-title")]), json!({}), "").unwrap();
    has(&files["a.rs"], &["pub struct GetTitle(Arguments);", "pub struct GetTitleInput(Fields);"]);
}

#[test]
fn a_type_that_holds_itself_ends() {
    let types = json!({"node": {"object": [{"n": "name", "t": "text"}, {"n": "children", "t": {"list": {"ref": "node"}}}]}});
    let text = with_types(
        json!({"body": {"media": "application/json", "type": {"object": [{"n": "root", "t": {"ref": "node"}}]}}}),
        types,
        "",
    );
    has(
        &text,
        &[
            "pub fn root(self, root: DoRoot)",
            "pub fn children(self, children: impl IntoIterator<Item = impl Into<Input>>)",
        ],
    );
}

#[test]
fn one_field_of_a_multipart_body_is_the_file() {
    let body = |fields: Value| json!({"body": {"media": "multipart/form-data", "type": {"object": fields}}});
    for file in [json!("bytes"), json!({"list": "bytes"}), json!({"null": {"list": "bytes"}})] {
        let text = module(body(json!([{"n": "note", "t": "text"}, {"n": "photos", "t": file}])));
        has(&text, &[r#"Payload::Multipart("photos")"#, r#"Parameter::field("note", Shape::Text)"#]);
        lacks(&text, r#"Parameter::field("photos""#);
    }
    let two = body(json!([{"n": "a", "t": "bytes"}, {"n": "b", "t": {"list": "bytes"}}]));
    let mut operation = json!({"op": "a/do", "method": "POST", "path": "/do"});
    operation.as_object_mut().unwrap().extend(two.as_object().unwrap().clone());
    let error = try_files(json!([operation]), json!({}), "").unwrap_err().to_string();
    assert!(error.starts_with("a/do: its body has several files (`a`, `b`)"), "{error}");
    let text = corrected(two, "[[correct]]\nat = [\"a/do body.b\"]\nis = \"text\"\nreason = \"r\"");
    has(&text, &[r#"Payload::Multipart("a")"#, r#"Parameter::field("b", Shape::Text)"#]);
}

#[test]
fn a_field_with_a_style_of_its_own_is_written_so() {
    let text = corrected(
        json!({"body": {"media": "application/x-www-form-urlencoded", "type": {"object": [
            {"n": "ids", "t": {"list": "text"}, "style": "json"},
            {"n": "at", "t": {"object": [{"n": "x", "t": "integer"}]}, "style": "deep"},
            {"n": "tags", "t": {"list": "text"}},
            {"n": "more", "t": {"list": "text"}},
        ]}}}),
        "form_lists = \"comma\"\n[[correct]]\nat = [\"a/do body.more\"]\nstyle = \"json\"\nreason = \"r\"",
    );
    has(
        &text,
        &[
            r#"Parameter::field("ids", Shape::List).style(Style::Json)"#,
            r#"Parameter::field("at", Shape::Object).style(Style::Deep)"#,
            r#"Parameter::field("tags", Shape::List).style(Style::Comma)"#,
            r#"Parameter::field("more", Shape::List).style(Style::Json)"#,
        ],
    );
}

#[test]
fn an_operation_without_a_name_is_corrected_by_method_and_path() {
    let operation = json!({"op": "GET /pets/{id}", "category": "Pets", "method": "GET", "path": "/pets/{id}",
        "params": [{"name": "id", "in": "path", "type": "any", "required": true}]});
    let overlay = "[[correct]]\nat = [\"GET /pets/{id} params.id\"]\nis = \"integer\"\nreason = \"r\"";
    let files = try_files(json!([operation]), json!({}), overlay).unwrap();
    has(&files["pets.rs"], &["pub struct GetPetsId(", "pub fn new(id: i64) -> Self"]);
}
