//! Whether a value is a document in the Atlassian Document Format, which version 3 of the API demands.
//!
//! Version 2 took plain text, so a string where a document belongs is the commonest mistake there is. The check
//! follows the format's published schema where clients go wrong: the root, which node may stand in which, no
//! empty text, and what may stand with `code`.
//! Not the whole schema: attributes are looked at only where the table below says so, and rare containers
//! (layouts, extensions, synced blocks) are taken as they are.

use serde_json::{Value, json};

const INLINE: &[&str] = &[
    "text",
    "date",
    "emoji",
    "hardBreak",
    "inlineCard",
    "mention",
    "placeholder",
    "status",
    "inlineExtension",
    "mediaInline",
];
const BLOCKS: &[&str] = &[
    "paragraph",
    "panel",
    "blockquote",
    "orderedList",
    "bulletList",
    "rule",
    "heading",
    "codeBlock",
    "mediaGroup",
    "mediaSingle",
    "decisionList",
    "taskList",
    "table",
    "blockCard",
    "embedCard",
    "extension",
];
const ROOT_ONLY: &[&str] = &["expand", "bodiedExtension", "layoutSection", "syncBlock", "bodiedSyncBlock"];
const LISTS: &[&str] = &["bulletList", "orderedList"];
const CELLS: &[&str] = &["tableCell", "tableHeader"];
const IN_LIST_ITEM: &[&str] = &["paragraph", "taskList", "mediaSingle", "codeBlock", "extension"];
const IN_QUOTE: &[&str] = &["paragraph", "codeBlock", "mediaSingle", "mediaGroup", "extension"];
const IN_PANEL: &[&str] = &[
    "paragraph",
    "heading",
    "blockCard",
    "mediaGroup",
    "mediaSingle",
    "codeBlock",
    "taskList",
    "rule",
    "decisionList",
    "extension",
];
const IN_CELL: &[&str] = &[
    "paragraph",
    "panel",
    "blockquote",
    "rule",
    "heading",
    "codeBlock",
    "mediaSingle",
    "mediaGroup",
    "decisionList",
    "taskList",
    "blockCard",
    "embedCard",
    "extension",
    "nestedExpand",
];

/// What may stand in a node, and whether something must.
struct Rule {
    node: &'static str,
    children: &'static [&'static [&'static str]],
    must_have_some: bool,
}

const fn any(node: &'static str, children: &'static [&'static [&'static str]]) -> Rule {
    Rule { node, children, must_have_some: false }
}

const fn some(node: &'static str, children: &'static [&'static [&'static str]]) -> Rule {
    Rule { node, children, must_have_some: true }
}

const RULES: &[Rule] = &[
    any("doc", &[BLOCKS, ROOT_ONLY]),
    any("paragraph", &[INLINE]),
    any("heading", &[INLINE]),
    any("codeBlock", &[&["text"]]),
    some("bulletList", &[&["listItem"]]),
    some("orderedList", &[&["listItem"]]),
    some("listItem", &[IN_LIST_ITEM, LISTS]),
    some("blockquote", &[IN_QUOTE, LISTS]),
    some("panel", &[IN_PANEL, LISTS]),
    some("expand", &[BLOCKS, &["nestedExpand"]]),
    some("table", &[&["tableRow"]]),
    any("tableRow", &[CELLS]),
    some("tableCell", &[IN_CELL, LISTS]),
    some("tableHeader", &[IN_CELL, LISTS]),
    some("taskList", &[&["taskItem", "taskList", "blockTaskItem"]]),
    any("taskItem", &[INLINE]),
    some("decisionList", &[&["decisionItem"]]),
    any("decisionItem", &[INLINE]),
    some("mediaGroup", &[&["media"]]),
    some("mediaSingle", &[&["media", "caption"]]),
];

/// Attributes without which a node means nothing.
const REQUIRED_ATTRIBUTES: &[(&str, &str)] = &[
    ("heading", "level"),
    ("panel", "panelType"),
    ("mention", "id"),
    ("emoji", "shortName"),
    ("date", "timestamp"),
    ("status", "text"),
    ("taskItem", "state"),
];

/// Marks that may stand with `code`.
const WITH_CODE: [&str; 3] = ["code", "link", "annotation"];

/// What is wrong with the document, if anything.
pub(crate) fn check(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(_) if value["type"] != "doc" => {
            Err("must be a document: its root is not of type `doc`".to_owned())
        }
        Value::Object(_) if value["version"] != 1 => {
            Err("must be a document of version 1: the root has no `version` of 1".to_owned())
        }
        Value::Object(_) if !value["content"].is_array() => {
            Err("must be a document: its root has no `content`".to_owned())
        }
        Value::Object(_) => node("doc", value),
        Value::String(_) => {
            Err("must be a document in the Atlassian Document Format, not a string".to_owned())
        }
        _ => Err("must be a document in the Atlassian Document Format".to_owned()),
    }
}

fn node(name: &str, value: &Value) -> Result<(), String> {
    for (_, attribute) in REQUIRED_ATTRIBUTES.iter().filter(|(node, _)| *node == name) {
        if value["attrs"][*attribute].is_null() {
            return Err(format!("`{name}` lacks its attribute `{attribute}`"));
        }
    }
    if name == "text" {
        return text(value);
    }
    let Some(rule) = RULES.iter().find(|rule| rule.node == name) else { return Ok(()) };
    let children = match &value["content"] {
        Value::Null => &[],
        Value::Array(children) => children.as_slice(),
        _ => return Err(format!("the `content` of `{name}` is no list")),
    };
    if rule.must_have_some && children.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    for child in children {
        let kind = child["type"].as_str().ok_or_else(|| format!("a node in `{name}` has no `type`"))?;
        if !rule.children.iter().any(|group| group.contains(&kind)) {
            return Err(format!("`{kind}` may not stand in `{name}`"));
        }
        if name == "codeBlock" && !marks(child).is_empty() {
            return Err("text in `codeBlock` has marks".to_owned());
        }
        node(kind, child)?;
    }
    Ok(())
}

fn text(value: &Value) -> Result<(), String> {
    if value["text"].as_str().is_none_or(str::is_empty) {
        return Err("a `text` node is empty".to_owned());
    }
    let marks = marks(value);
    let stranger = marks.iter().find(|mark| !WITH_CODE.contains(mark));
    match stranger {
        Some(stranger) if marks.contains(&"code") => {
            Err(format!("the mark `{stranger}` may not stand with `code`"))
        }
        _ => Ok(()),
    }
}

fn marks(value: &Value) -> Vec<&str> {
    let marks = value["marks"].as_array().map(Vec::as_slice).unwrap_or_default();
    marks.iter().map(|mark| mark["type"].as_str().unwrap_or_default()).collect()
}

/// A document of paragraphs, one a line.
pub(crate) fn plain(text: &str) -> Value {
    let paragraph = |line: &str| {
        let content =
            if line.is_empty() { Vec::new() } else { vec![json!({ "type": "text", "text": line })] };
        json!({ "type": "paragraph", "content": content })
    };
    let content: Vec<Value> = text.lines().map(paragraph).collect();
    json!({ "type": "doc", "version": 1, "content": content })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(content: Value) -> Value {
        json!({ "type": "doc", "version": 1, "content": content })
    }

    #[test]
    fn documents_of_every_common_node_are_good() {
        let text = json!({ "type": "text", "text": "x", "marks": [{ "type": "code" }, { "type": "link", "attrs": { "href": "h" } }] });
        let paragraph = json!({ "type": "paragraph", "content": [text, { "type": "hardBreak" }] });
        let item = json!({ "type": "listItem", "content": [paragraph] });
        let cell = json!({ "type": "tableCell", "content": [paragraph] });
        let good = doc(json!([
            paragraph,
            { "type": "paragraph" },
            { "type": "heading", "attrs": { "level": 2 }, "content": [text] },
            { "type": "bulletList", "content": [item, item] },
            { "type": "codeBlock", "attrs": { "language": "rust" }, "content": [{ "type": "text", "text": "fn" }] },
            { "type": "blockquote", "content": [paragraph] },
            { "type": "panel", "attrs": { "panelType": "info" }, "content": [paragraph] },
            { "type": "rule" },
            { "type": "table", "content": [{ "type": "tableRow", "content": [cell] }] },
            { "type": "expand", "attrs": { "title": "t" }, "content": [paragraph] },
        ]));
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&doc(json!([]))), Ok(()));
        assert_eq!(check(&plain("one\n\ntwo")), Ok(()));
    }

    #[test]
    fn each_common_mistake_is_named() {
        let paragraph = json!({ "type": "paragraph", "content": [{ "type": "text", "text": "x" }] });
        let cases = [
            (json!("text"), "not a string"),
            (json!(7), "must be a document"),
            (json!({ "type": "paragraph" }), "root"),
            (json!({ "type": "doc", "content": [] }), "version"),
            (json!({ "type": "doc", "version": 1 }), "content"),
            (doc(json!([{ "type": "text", "text": "x" }])), "`text` may not stand in `doc`"),
            (doc(json!([{ "type": "marquee" }])), "`marquee` may not stand in `doc`"),
            (doc(json!([{}])), "has no `type`"),
            (doc(json!([{ "type": "paragraph", "content": {} }])), "is no list"),
            (doc(json!([{ "type": "paragraph", "content": [{ "type": "text", "text": "" }] }])), "is empty"),
            (doc(json!([{ "type": "heading", "content": [] }])), "`level`"),
            (
                doc(json!([{ "type": "bulletList", "content": [paragraph] }])),
                "`paragraph` may not stand in `bulletList`",
            ),
            (doc(json!([{ "type": "bulletList", "content": [] }])), "`bulletList` is empty"),
            (
                doc(
                    json!([{ "type": "blockquote", "content": [{ "type": "blockquote", "content": [paragraph] }] }]),
                ),
                "`blockquote` may not stand in `blockquote`",
            ),
            (
                doc(json!([{ "type": "paragraph", "content": [
                    { "type": "text", "text": "x", "marks": [{ "type": "code" }, { "type": "strong" }] }
                ] }])),
                "`strong` may not stand with `code`",
            ),
            (
                doc(json!([{ "type": "codeBlock", "content": [
                    { "type": "text", "text": "x", "marks": [{ "type": "em" }] }
                ] }])),
                "has marks",
            ),
        ];
        for (value, expected) in cases {
            let error = check(&value).unwrap_err();
            assert!(error.contains(expected), "{error} for {value}");
        }
    }
}
