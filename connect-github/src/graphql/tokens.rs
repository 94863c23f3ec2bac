//! The words of a GraphQL document, as far as its shape needs them.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Language.Source-Text>.

/// One word. Texts and fractions are known to be there and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`, `(`, `$` and their like.
    Sign(char),
    /// `...`
    Spread,
    Name(&'a str),
    Int(&'a str),
    /// A text or a fraction.
    Other,
}

/// All words, or nothing if the document has something else in it.
pub(super) fn tokens(document: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = document.strip_prefix('\u{feff}').unwrap_or(document);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ' ' | '\t' | '\n' | '\r' | ',' => (None, 1),
            '#' => (None, rest.find(['\n', '\r']).unwrap_or(rest.len())),
            '.' => (rest.starts_with("...").then_some(Some(Token::Spread))?, 3),
            '"' => (Some(Token::Other), text(rest)?),
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                (Some(Token::Sign(first)), 1)
            }
            '-' | '0'..='9' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
                let number = rest.get(..length)?;
                let digits = number.strip_prefix('-').unwrap_or(number);
                let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                (Some(if is_whole { Token::Int(number) } else { Token::Other }), length)
            }
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
                (Some(Token::Name(rest.get(..length)?)), length)
            }
            _ => return None,
        };
        tokens.extend(token);
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// How long the text at the beginning is, with its quotes.
fn text(rest: &str) -> Option<usize> {
    let (quotes, escape) = if rest.starts_with("\"\"\"") { ("\"\"\"", "\\\"\"\"") } else { ("\"", "\\") };
    let is_block = quotes.len() == 3;
    let mut at = quotes.len();
    loop {
        let ahead = rest.get(at..)?;
        let next = ahead.chars().next()?;
        if ahead.starts_with(escape) {
            // In a plain text, the escape hides one character, whatever it is.
            let hidden = if is_block { 0 } else { ahead.chars().nth(1)?.len_utf8() };
            at += escape.len() + hidden;
        } else if ahead.starts_with(quotes) {
            return Some(at + quotes.len());
        } else if !is_block && matches!(next, '\n' | '\r') {
            return None;
        } else {
            at += next.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(document: &str) -> Option<String> {
        let words: Vec<String> = tokens(document)?
            .into_iter()
            .map(|token| match token {
                Token::Sign(sign) => sign.to_string(),
                Token::Spread => "...".to_owned(),
                Token::Name(name) | Token::Int(name) => name.to_owned(),
                Token::Other => "~".to_owned(),
            })
            .collect();
        Some(words.join(" "))
    }

    #[test]
    fn comments_commas_and_texts_hide_what_is_in_them() {
        let cases = [
            ("\u{feff}# mutation {\n{ a, b }", "{ a b }"),
            (r#"f(a: "mutation { \" } \\", b: -1, c: 1.5e3)"#, "f ( a : ~ b : -1 c : ~ )"),
            ("f(a: \"\"\"x \" \\\"\"\" } \n ü\"\"\") # end", "f ( a : ~ )"),
            ("...F ... on T @x", "... F ... on T @ x"),
            (r#"f(a: "")"#, "f ( a : ~ )"),
            (r#"f(a: "\ü")"#, "f ( a : ~ )"),
        ];
        for (document, expected) in cases {
            assert_eq!(words(document).as_deref(), Some(expected), "{document}");
        }
    }

    #[test]
    fn what_is_no_document_is_not_read() {
        for odd in ["ü", "..", "\"open", "\"\"\"open\"", "\"a\nb\"", "{ a; }", "\"\\"] {
            assert_eq!(words(odd), None, "{odd}");
        }
    }
}
