#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::facts::{Answer, Operation};

/// Named types, and what the operations answer.
fn facts(types: Value, answers: &[(&str, Value)]) -> Facts {
    let operation = |(op, shape): &(&str, Value)| Operation {
        op: (*op).to_owned(),
        docs: format!("https://example.com/{op}"),
        answers: vec![Answer {
            status: 200,
            media: Some("application/json".to_owned()),
            shape: Some(serde_json::from_value(shape.clone()).unwrap()),
            since: None,
            until: None,
        }],
        ..Operation::default()
    };
    Facts {
        operations: answers.iter().map(operation).collect(),
        types: serde_json::from_value::<BTreeMap<String, Type>>(types).unwrap(),
    }
}

fn settings(names: &[(&str, &str)]) -> Settings {
    Settings {
        secret: "connect_core::Secret".to_owned(),
        provider: "Acme".to_owned(),
        names: names.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect(),
        is_events: false,
    }
}

fn planned(types: Value, answers: &[(&str, Value)]) -> Models {
    plan(&facts(types, answers), &settings(&[])).unwrap()
}

fn text(models: &Models) -> String {
    models.files().into_values().collect()
}

/// The part of the text between a line and the next blank one.
fn part<'t>(text: &'t str, from: &str) -> &'t str {
    let at = text.find(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    let rest = &text[at..];
    &rest[..rest.find("\n\n").unwrap_or(rest.len())]
}

fn name<'m>(models: &'m Models, path: &str) -> &'m str {
    models.names().find(|(known, _)| *known == path).map(|(_, name)| name).unwrap_or("nothing")
}

#[test]
fn fields_are_plain_where_the_provider_keeps_its_promise() {
    let thing = json!({"object": [
        {"n": "id", "t": "integer", "req": true},
        {"n": "gone", "t": "text", "req": true, "until": "2026-03-10"},
        {"n": "gap", "t": "text", "req": true, "gap": true},
        {"n": "nil", "t": {"null": "time"}, "req": true},
        {"n": "maybe", "t": "link"},
        {"n": "token", "t": "secret", "req": true},
        {"n": "anything", "t": "any", "req": true},
        {"n": "something", "t": "any"},
        {"n": "raw", "t": "bytes", "req": true},
        {"n": "list", "t": {"list": {"null": "number"}}, "req": true},
        {"n": "map", "t": {"null": {"map": "flag"}}, "req": true},
        {"n": "empty", "t": {"object": []}},
        {"n": "htmlURL", "t": "text", "req": true},
        {"n": "type", "t": "text", "req": true},
    ]});
    let text = text(&planned(json!({"thing": thing}), &[("things/get", json!({"ref": "thing"}))]));
    assert_eq!(
        part(&text, "pub struct Thing {"),
        "pub struct Thing {
    pub id: i64,
    pub gone: Option<String>,
    pub gap: Option<String>,
    pub nil: Option<Timestamp>,
    pub maybe: Option<Link>,
    pub token: Secret,
    pub anything: Value,
    pub something: Option<Value>,
    pub raw: String,
    pub list: Vec<Option<f64>>,
    pub map: BTreeMap<String, bool>,
    pub empty: BTreeMap<String, Value>,
    #[cfg_attr(feature = \"serialize\", serde(rename = \"htmlURL\"))]
    pub html_url: String,
    pub r#type: String,
}"
    );
    assert_eq!(
        part(&text, "    const FIELDS"),
        "    const FIELDS: &'static [Field] = &[
        req(\"id\"), opt(\"gone\"), opt(\"gap\"), opt(\"nil\"), opt(\"maybe\"), req(\"token\"), opt(\"anything\"),
        opt(\"something\"), req(\"raw\"), req(\"list\"), opt(\"map\"), opt(\"empty\"), req(\"htmlURL\"), req(\"type\"),
    ];"
    );
    assert!(text.contains("10 => required(&mut self.map, value)"), "{text}");
    assert!(text.contains("8 => required(&mut self.raw, value)"), "{text}");
    assert!(text.contains("7 => optional(&mut self.something, value)"), "{text}");
    assert!(text.contains("use connect_core::Secret;\n"), "{text}");
    assert!(text.contains("/// `thing` · <https://example.com/things/get>\n"), "{text}");
}

#[test]
fn inline_types_are_named_by_their_place() {
    let user = json!({"object": [{"n": "login", "t": "text"}]});
    let models = planned(
        json!({
            "issue": {"object": [
                {"n": "labels", "t": {"list": {"object": [{"n": "name", "t": "text"}]}}},
                {"n": "user", "t": user},
                {"n": "issue_type", "t": {"object": [{"n": "id", "t": "integer"}]}},
                {"n": "self", "t": {"object": [{"n": "href", "t": "text"}]}},
            ]},
            "issue-search-item": {"object": [{"n": "user", "t": user}]},
        }),
        &[
            ("issues/get", json!({"ref": "issue"})),
            ("issues/list", json!({"list": {"object": [{"n": "one", "t": {"ref": "issue"}}]}})),
            (
                "issues/search",
                json!({"object": [
                    {"n": "items", "t": {"list": {"ref": "issue-search-item"}}},
                    {"n": "facets", "t": {"map": {"object": [{"n": "count", "t": "integer"}]}}},
                ]}),
            ),
        ],
    );
    let cases = [
        ("issue.labels[]", "IssueLabel"),
        ("issue.user", "IssueUser"),
        ("issue.issue_type", "IssueType"),
        ("issue.self", "IssueSelf"),
        ("issues/list[]", "IssuesListItem"),
        ("issues/search", "IssuesSearchResponse"),
        ("issues/search.facets[]", "IssuesSearchFacet"),
        ("issue-search-item.user", "nothing"),
    ];
    for (path, expected) in cases {
        assert_eq!(name(&models, path), expected, "{path}");
    }
    assert_eq!(models.answer("issues/get", 200).as_deref(), Some("crate::model::Issue"));
    assert_eq!(models.answer("issues/list", 200).as_deref(), Some("Vec<crate::model::IssuesListItem>"));
    assert_eq!(models.answer("issues/get", 201), None);
    assert_eq!(models.item("issues/list", 200, "").as_deref(), Some("crate::model::IssuesListItem"));
    assert_eq!(models.item("issues/search", 200, "/items").as_deref(), Some("crate::model::IssueSearchItem"));
    assert_eq!(models.item("issues/search", 200, "/facets"), None);
}

#[test]
fn equal_answers_of_a_category_are_named_by_what_is_in_them() {
    let runners = json!({"object": [
        {"n": "total_count", "t": "integer"},
        {"n": "runners", "t": {"list": "text"}},
    ]});
    let models = planned(
        json!({}),
        &[
            ("actions/list-for-org", runners.clone()),
            ("actions/list-for-repo", runners.clone()),
            ("apps/list", runners),
        ],
    );
    assert_eq!(
        models.answer("actions/list-for-repo", 200).as_deref(),
        Some("crate::model::ActionsRunnersResponse")
    );
    assert_eq!(models.answer("apps/list", 200).as_deref(), Some("crate::model::AppsListResponse"));
}

#[test]
fn sets_of_words_are_named_by_their_field_if_it_is_theirs() {
    let field = |name: &str, words: &[&str]| json!({"n": name, "t": {"words": words}});
    let open = field("state", &["open", "closed"]);
    let models = planned(
        json!({
            "issue": {"object": [open, field("reason", &["done", "duplicate"])]},
            "issue-search-item": {"object": [field("reason", &["duplicate", "done"])]},
            "milestone": {"object": [open]},
            "pull": {"object": [open]},
            "alert": {"object": [field("state", &["open", "fixed"])]},
            "permissions": {"object": [
                field("issues", &["read", "write"]), field("pulls", &["read", "write"]), field("x", &["read"]),
            ]},
        }),
        &[
            ("a/a", json!({"ref": "issue"})),
            ("a/b", json!({"ref": "issue-search-item"})),
            ("a/c", json!({"ref": "milestone"})),
            ("a/d", json!({"ref": "pull"})),
            ("a/e", json!({"ref": "alert"})),
            ("a/f", json!({"ref": "permissions"})),
        ],
    );
    let mut found: Vec<&str> = models.names().map(|(_, name)| name).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "Alert",
            "AlertState",
            "Issue",
            "IssueReason",
            "IssueSearchItem",
            "Milestone",
            "Permission",
            "Permissions",
            "PermissionsX",
            "Pull",
            "State"
        ]
    );
    assert!(text(&models).contains("    State {\n        Open \"open\", Closed \"closed\",\n    }\n"));
}

#[test]
fn a_set_of_too_many_words_is_text() {
    let words: Vec<String> = (0..61).map(|number| format!("w{number}")).collect();
    let models = planned(
        json!({}),
        &[("a/b", json!({"object": [{"n": "zone", "t": {"words": words}, "req": true}]}))],
    );
    assert!(text(&models).contains("pub zone: String"));
}

#[test]
fn unions_are_told_apart_by_disjoint_words_and_by_fields() {
    let file = json!({"object": [
        {"n": "type", "t": {"words": ["file"]}, "req": true},
        {"n": "state", "t": {"words": ["new", "old"]}, "req": true},
        {"n": "size", "t": "integer"},
    ]});
    let dir = json!({"object": [
        {"n": "type", "t": {"words": ["dir", "tree"]}, "req": true},
        {"n": "state", "t": {"words": ["old"]}, "req": true},
    ]});
    let models = planned(
        json!({"content": {"one_of": [{"null": file}, {"one_of": [dir, {"list": "text"}, {"list": "integer"}]}]}}),
        &[("a/b", json!({"ref": "content"}))],
    );
    let text = text(&models);
    assert_eq!(models.answer("a/b", 200).as_deref(), Some("Option<crate::model::Content>"));
    assert_eq!(
        part(&text, "pub enum Content {"),
        "pub enum Content {
    File(Box<ContentFile>),
    Object(Box<ContentObject>),
    List(Vec<ContentItem>),
    /// A shape that this version does not know, as it came.
    Unknown(Value),
}"
    );
    assert_eq!(
        part(&text, "    const VARIANTS"),
        "    const VARIANTS: &'static [Variant] = &[
        Variant {
            kind: Kind::Object,
            words: &[(\"type\", &[\"file\"])],
            required: &[\"type\", \"state\"],
            optional: &[\"size\"],
        },
        Variant {
            kind: Kind::Object,
            words: &[(\"type\", &[\"dir\", \"tree\"])],
            required: &[\"type\", \"state\"],
            optional: &[],
        },
        Variant::of(Kind::List),
    ];"
    );
    // The only word of a variant is no set; those of the other one are.
    assert!(part(&text, "pub struct ContentFile {").contains("pub r#type: String"));
    assert!(part(&text, "pub struct ContentObject {").contains("pub r#type: ContentObjectType"));
    assert!(part(&text, "pub enum ContentItem {").contains("Text(String),\n    Number(i64),"));
}

#[test]
fn what_cannot_be_told_apart_is_one() {
    let cases = [
        (json!({"one_of": ["integer", "number"]}), "f64"),
        (json!({"one_of": ["text", "time", {"words": ["now"]}]}), "String"),
        (json!({"one_of": ["secret", "text"]}), "connect_core::Secret"),
        (json!({"one_of": ["text", "any"]}), "connect_model::Value"),
        (json!({"one_of": ["text", {"null": "text"}]}), "Option<String>"),
        (json!({"one_of": [{"list": "text"}, {"list": "link"}]}), "Vec<String>"),
        (
            json!({"one_of": [{"map": "text"}, {"object": []}]}),
            "std::collections::BTreeMap<String, connect_model::Value>",
        ),
        (json!({"one_of": [{"ref": "thing"}, {"ref": "same"}]}), "crate::model::Thing"),
        (json!({"ref": "flag"}), "bool"),
        (json!({"ref": "things"}), "Vec<crate::model::Thing>"),
    ];
    for (shape, expected) in cases {
        let types = json!({
            "thing": {"object": [{"n": "id", "t": "integer"}]},
            "same": {"ref": "thing"},
            "flag": "flag",
            "things": {"list": {"ref": "thing"}},
        });
        let models = planned(types, &[("a/b", shape.clone())]);
        assert_eq!(models.answer("a/b", 200).as_deref(), Some(expected), "{shape}");
    }
}

#[test]
fn items_of_a_named_list_have_its_name() {
    let models = planned(
        json!({"entries": {"list": {"object": [{"n": "id", "t": "integer"}]}}}),
        &[("a/b", json!({"ref": "entries"}))],
    );
    assert_eq!(models.answer("a/b", 200).as_deref(), Some("Vec<crate::model::Entry>"));
    assert_eq!(name(&models, "entries[]"), "Entry");
}

#[test]
fn recursion_and_large_fields_are_boxed() {
    let large: Vec<Value> =
        (0..50).map(|number| json!({"n": format!("f{number}"), "t": "text", "req": true})).collect();
    let models = planned(
        json!({
            "node": {"object": [
                {"n": "parent", "t": {"ref": "node"}, "req": true},
                {"n": "children", "t": {"list": {"ref": "node"}}, "req": true},
                {"n": "owner", "t": {"ref": "owner"}, "req": true},
            ]},
            "owner": {"object": [
                {"n": "root", "t": {"ref": "node"}},
                {"n": "large", "t": {"ref": "large"}, "req": true},
                {"n": "small", "t": {"ref": "small"}, "req": true},
            ]},
            "large": {"object": large},
            "small": {"object": [{"n": "id", "t": "integer"}]},
        }),
        &[("a/b", json!({"ref": "node"}))],
    );
    let text = text(&models);
    let node = part(&text, "pub struct Node {");
    assert!(node.contains("parent: Option<Box<Node>>"), "{node}");
    assert!(node.contains("children: Vec<Node>"), "{node}");
    assert!(node.contains("owner: Option<Box<Owner>>"), "{node}");
    let owner = part(&text, "pub struct Owner {");
    assert!(owner.contains("root: Option<Box<Node>>"), "{owner}");
    assert!(owner.contains("large: Box<Large>"), "{owner}");
    assert!(owner.contains("small: Small"), "{owner}");
    assert!(text.contains("req(\"parent\"), req(\"children\"), req(\"owner\")"), "{text}");
}

#[test]
fn what_two_categories_answer_is_shared() {
    let models = planned(
        json!({
            "user": {"object": [{"n": "plan", "t": {"ref": "plan"}}]},
            "plan": {"object": [{"n": "name", "t": "text"}]},
            "team": {"object": [{"n": "owner", "t": {"ref": "user"}}]},
            "unused": {"object": [{"n": "id", "t": "integer"}]},
        }),
        &[("code-scanning/get", json!({"ref": "team"})), ("users/get", json!({"ref": "user"}))],
    );
    let files = models.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["code_scanning.rs", "mod.rs", "shared.rs"]);
    assert!(
        files["shared.rs"].contains("pub struct Plan {") && files["shared.rs"].contains("pub struct User {")
    );
    assert!(files["code_scanning.rs"].contains("use super::shared::*;\nuse super::opt;\n"));
    assert!(files["mod.rs"].contains("#[cfg(feature = \"code-scanning\")]\nmod code_scanning;\n"));
    assert!(!text(&models).contains("Unused"));
}

#[test]
fn names_are_unique_and_leave_rusts_own_alone() {
    let object = |field: &str| json!({"object": [{"n": field, "t": "text"}]});
    let models = planned(
        json!({
            "link": object("href"),
            "a-b": {"object": [{"n": "c", "t": object("x")}, {"n": "vec", "t": {"ref": "link"}}]},
            "a-b-c": object("y"),
            "a_b": object("z"),
        }),
        &[
            ("things/a", json!({"ref": "a-b"})),
            ("things/b", json!({"ref": "a-b-c"})),
            ("things/c", json!({"ref": "a_b"})),
        ],
    );
    assert_eq!(name(&models, "link"), "ThingsLink");
    assert_eq!((name(&models, "a-b"), name(&models, "a_b")), ("AB", "ThingsAB"));
    assert_eq!((name(&models, "a-b-c"), name(&models, "a-b.c")), ("ABC", "ThingsABC"));
}

#[test]
fn the_overlay_has_the_last_word() {
    let facts = facts(
        json!({"issue": {"object": [{"n": "labels", "t": {"list": {"object": [{"n": "name", "t": "text"}]}}}]}}),
        &[("issues/get", json!({"ref": "issue"}))],
    );
    let plan = |names: &[(&str, &str)]| plan(&facts, &settings(names));
    let models = plan(&[("issue", "Ticket"), ("issue.labels[]", "Tag")]).unwrap();
    assert_eq!((name(&models, "issue"), name(&models, "issue.labels[]")), ("Ticket", "Tag"));
    assert!(
        matches!(plan(&[("nothing", "Thing")]), Err(GenerateError::UnknownName(path)) if path == "nothing")
    );
    for bad in ["Vec", "not-a-name"] {
        assert!(matches!(plan(&[("issue", bad)]), Err(GenerateError::BadName { .. })), "{bad}");
    }
}

#[test]
fn facts_that_make_no_types_are_refused() {
    let plan = |types: Value| plan(&facts(types, &[("a/b", json!({"ref": "it"}))]), &settings(&[]));
    assert!(matches!(plan(json!({})), Err(GenerateError::UnknownType(name)) if name == "it"));
    assert!(matches!(plan(json!({"it": {"list": {"ref": "it"}}})), Err(GenerateError::Endless(_))));
    let fields: Vec<Value> = (0..257).map(|number| json!({"n": format!("f{number}"), "t": "text"})).collect();
    assert!(matches!(plan(json!({"it": {"object": fields}})), Err(GenerateError::TooManyFields(_))));
}

#[test]
fn the_answer_that_stays_counts() {
    let mut facts = facts(json!({}), &[("a/b", json!("text"))]);
    let mut newer = facts.operations[0].answers[0].clone();
    newer.shape = Some(Type::Integer);
    newer.since = Some("2026-03-10".to_owned());
    facts.operations[0].answers[0].until = Some("2026-03-10".to_owned());
    facts.operations[0].answers.push(newer);
    assert_eq!(plan(&facts, &settings(&[])).unwrap().answer("a/b", 200).as_deref(), Some("i64"));
}
