//! JSON text laid out anew: the order of names and the spelling of numbers stay as the provider sent them, which a way
//! through parsed values would not keep.

/// How JSON is printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Layout {
    /// For people: two spaces a level.
    Indented,
    /// For programs: one line.
    OneLine,
}

/// Valid JSON text in this layout. What a terminal would obey, or show in another order than it was written, is escaped;
/// it means the same.
pub(super) fn lay_out(json: &str, layout: Layout) -> String {
    let mut text = String::with_capacity(json.len());
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    // After an opening bracket: a closing one follows at once, or a line begins.
    let mut is_fresh = false;
    let new_line = |text: &mut String, depth: usize| {
        if layout == Layout::Indented {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth));
        }
    };
    for c in json.chars() {
        if in_string {
            match c {
                '"' if !is_escaped => in_string = false,
                _ => is_escaped = c == '\\' && !is_escaped,
            }
            push(&mut text, c);
            continue;
        }
        match c {
            ' ' | '\n' | '\r' | '\t' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !is_fresh {
                    new_line(&mut text, depth);
                }
                is_fresh = false;
                text.push(c);
                continue;
            }
            _ => {}
        }
        if std::mem::take(&mut is_fresh) {
            new_line(&mut text, depth);
        }
        text.push(c);
        match c {
            '"' => in_string = true,
            '{' | '[' => {
                depth += 1;
                is_fresh = true;
            }
            ',' => new_line(&mut text, depth),
            ':' if layout == Layout::Indented => text.push(' '),
            _ => {}
        }
    }
    text
}

/// A letter of a string.
fn push(text: &mut String, c: char) {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns {
        text.push_str(&format!("\\u{:04x}", u32::from(c)));
    } else {
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const JSON: &str = "{ \"b\" : 1.50, \"a\":[ ], \"s\": \"a\\\" {,:\\\\\", \"o\": {\"x\":[1,\n{ }]},\"big\":12345678901234567890123}";

    #[test]
    fn order_and_numbers_stay_as_they_were() {
        let line = r#"{"b":1.50,"a":[],"s":"a\" {,:\\","o":{"x":[1,{}]},"big":12345678901234567890123}"#;
        assert_eq!(lay_out(JSON, Layout::OneLine), line);
        let indented = "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"s\": \"a\\\" {,:\\\\\",\n  \"o\": {\n    \"x\": [\n      1,\n      {}\n    ]\n  },\n  \"big\": 12345678901234567890123\n}";
        assert_eq!(lay_out(JSON, Layout::Indented), indented);
        assert_eq!(lay_out(indented, Layout::OneLine), line);
    }

    #[test]
    fn the_layout_is_that_of_serde_json() {
        let value = json!({"list": [1, [], {"x": null}], "empty": {}, "text": "a\n\"b\"", "flag": true});
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(lay_out(&value.to_string(), Layout::Indented), pretty);
        assert_eq!(lay_out(&pretty, Layout::OneLine), value.to_string());
    }

    #[test]
    fn what_commands_a_terminal_is_escaped_and_means_the_same() {
        let json = "\"a\u{9b}2J\u{7f}\u{202e}é\"";
        let shown = lay_out(json, Layout::Indented);
        assert_eq!(shown, r#""a\u009b2J\u007f\u202eé""#);
        assert_eq!(
            serde_json::from_str::<Value>(&shown).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }
}
