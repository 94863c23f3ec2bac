//! Rich text, as far as plain text needs it: Jira's version 3 API refuses strings where it wants its document format.
//!
//! Source: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.

use serde_json::{Value, json};

/// A document of plain text: an empty line begins a new paragraph, a line break stays one.
///
/// ```
/// use connect_jira::adf;
/// let document = adf::text("one\ntwo\n\nthree");
/// assert_eq!(document["type"], "doc");
/// assert_eq!(document["content"].as_array().unwrap().len(), 2);
/// assert_eq!(document["content"][0]["content"][1]["type"], "hardBreak");
/// assert_eq!(document["content"][1]["content"][0]["text"], "three");
/// ```
pub fn text(text: &str) -> Value {
    let text = text.replace("\r\n", "\n");
    let paragraphs: Vec<Value> = text
        .split("\n\n")
        .map(|part| part.trim_matches('\n'))
        .filter(|part| !part.is_empty())
        .map(paragraph)
        .collect();
    json!({"type": "doc", "version": 1, "content": paragraphs})
}

fn paragraph(part: &str) -> Value {
    let mut content = Vec::new();
    for (index, line) in part.split('\n').enumerate() {
        if index > 0 {
            content.push(json!({"type": "hardBreak"}));
        }
        // The format forbids empty text nodes.
        if !line.is_empty() {
            content.push(json!({"type": "text", "text": line}));
        }
    }
    json!({"type": "paragraph", "content": content})
}

/// The words of a document, a paragraph per line; a plain string (Jira's older API and its webhooks) is passed on.
///
/// ```
/// use connect_jira::adf;
/// assert_eq!(adf::plain_text(&adf::text("one\ntwo\n\nthree")), "one\ntwo\nthree");
/// assert_eq!(adf::plain_text(&serde_json::json!("*wiki*")), "*wiki*");
/// assert_eq!(adf::plain_text(&serde_json::Value::Null), "");
/// ```
pub fn plain_text(document: &Value) -> String {
    let mut out = String::new();
    collect(document, &mut out, 0);
    out.truncate(out.trim_end().len());
    out
}

/// Deeper than Jira nests anything; a document made to overflow the stack ends here.
const DEEPEST: u8 = 64;

fn collect(node: &Value, out: &mut String, depth: u8) {
    if depth > DEEPEST {
        return;
    }
    match node {
        Value::String(text) => out.push_str(text),
        Value::Object(object) => {
            let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
            match kind {
                "text" => out.push_str(object.get("text").and_then(Value::as_str).unwrap_or_default()),
                "hardBreak" => out.push('\n'),
                "mention" | "emoji" | "status" => {
                    let attrs = object.get("attrs");
                    let text = attrs.and_then(|attrs| attrs.get("text")).and_then(Value::as_str);
                    out.push_str(text.unwrap_or_default());
                }
                _ => {}
            }
            for child in object.get("content").and_then(Value::as_array).into_iter().flatten() {
                collect(child, out, depth + 1);
            }
            if matches!(kind, "paragraph" | "heading" | "codeBlock" | "rule") && !out.ends_with('\n') {
                out.push('\n');
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_empty_text_nodes() {
        for input in ["", "\n", "\n\n\n", "a\n\n\nb", "a\n\nb\n"] {
            let json = text(input).to_string();
            assert!(!json.contains(r#""text":"""#), "{input:?} gives {json}");
        }
    }

    #[test]
    fn a_document_nested_without_end_does_not_overflow_the_stack() {
        let mut node = json!({"type": "text", "text": "deep"});
        for _ in 0..100 {
            node = json!({"type": "blockquote", "content": [node]});
        }
        assert_eq!(plain_text(&node), "");
    }
}
