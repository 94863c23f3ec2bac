//! A small part of JQL: `project`, `labels`, `key` and `status`, each with `=`, joined by `AND`, then an order.
//!
//! Strict where Jira is: a reserved word or a special character outside quotes, an unknown escape and a raw
//! control character inside them are errors, so a client that forgets to quote a value learns it here. The rest
//! of the language is refused by name rather than ignored, because an ignored clause finds too much.
//! Without `ORDER BY` the newest issue comes first; `created` alone means newest first, `key` lowest first.

use std::iter::Peekable;
use std::str::Chars;

/// Words that mean something to JQL or are kept for it, and stand for themselves only in quotes.
const RESERVED: &str = "abort access add after alias all alter and any as asc audit avg before begin between \
    boolean break by byte catch cf char character check checkpoint collate collation column commit connect \
    continue count create current date decimal declare decrement default defaults define delete delimiter desc \
    difference distinct divide do double drop else empty encoding end equals escape exclusive exec execute exists \
    explain false fetch field file first float for from function go goto grant greater group having identified if \
    immediate in increment index initial inner inout input insert int integer intersect intersection into is \
    isempty isnull join last left less like limit lock long max min minus mode modify modulo more multiply next \
    noaudit not notin nowait null number object of on option or order outer output power previous prior \
    privileges public raise raw remainder rename resource return returns revoke right row rowid rownum rows \
    select session set share size sqrt start strict string subtract sum synonym table then to trans transaction \
    trigger true uid union unique update user validate values view was when whenever where while with";

/// Characters that end an unquoted word and need quotes to be part of a value.
const SPECIAL: &str = "'=!<>()~,[]|&{}*/%+^$#@?;";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field {
    Project,
    Labels,
    Key,
    Status,
}

const FIELDS: [(&str, Field); 4] =
    [("project", Field::Project), ("labels", Field::Labels), ("key", Field::Key), ("status", Field::Status)];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    Created,
    Key,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) by: By,
    pub(crate) descending: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Query {
    /// Each field with the value that it must have; never empty.
    pub(crate) clauses: Vec<(Field, String)>,
    pub(crate) order: Order,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Symbol(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn shown(&self) -> String {
        match self {
            Self::Word(text) | Self::Quoted(text) => text.clone(),
            Self::Symbol(symbol) => symbol.to_string(),
        }
    }
}

/// The query, or what is wrong with it or not supported.
pub(crate) fn parse(text: &str) -> Result<Query, String> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let mut clauses = Vec::new();
    while let [first, ..] = rest {
        if first.is("order") && clauses.is_empty() {
            break;
        }
        rest = clause(rest, &mut clauses)?;
        match rest {
            [] => break,
            [token, ..] if token.is("order") => break,
            [and, tail @ ..] if and.is("and") => {
                if tail.is_empty() {
                    return Err("The query ends after AND.".to_owned());
                }
                rest = tail;
            }
            [other, ..] => return Err(unsupported(&format!("`{}` between clauses", other.shown()))),
        }
    }
    let order = order(rest)?;
    if clauses.is_empty() {
        return Err(
            "A query without a restriction is refused: add a condition, for example a project.".to_owned()
        );
    }
    Ok(Query { clauses, order })
}

fn clause<'a>(tokens: &'a [Token], clauses: &mut Vec<(Field, String)>) -> Result<&'a [Token], String> {
    let (name, tail) = tokens.split_first().ok_or("The query ends where a field was expected.")?;
    let (Token::Word(text) | Token::Quoted(text)) = name else {
        return Err(unsupported(&format!("`{}` where a field was expected", name.shown())));
    };
    if name.is("not") {
        return Err(unsupported("`NOT`"));
    }
    let field = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)).map(|(_, field)| *field);
    let field = field.ok_or_else(|| unsupported(&format!("the field `{text}`")))?;
    let (operator, tail) = tail.split_first().ok_or("The query ends where an operator was expected.")?;
    if *operator != Token::Symbol('=') {
        return Err(unsupported(&format!("the operator `{}`", operator.shown())));
    }
    let (value, tail) = tail.split_first().ok_or("The query ends where a value was expected.")?;
    match value {
        Token::Quoted(text) => clauses.push((field, text.clone())),
        Token::Word(text) if RESERVED.split_whitespace().any(|word| word.eq_ignore_ascii_case(text)) => {
            return Err(format!("`{text}` is a reserved word: put it in quotes."));
        }
        Token::Word(text) if tail.first() == Some(&Token::Symbol('(')) => {
            return Err(unsupported(&format!("the function `{text}`")));
        }
        Token::Word(text) => clauses.push((field, text.clone())),
        Token::Symbol(symbol) => return Err(format!("`{symbol}` is no value: put it in quotes.")),
    }
    Ok(tail)
}

fn order(tokens: &[Token]) -> Result<Order, String> {
    let [order, by, rest @ ..] = tokens else {
        return match tokens {
            [] => Ok(Order { by: By::Created, descending: true }),
            _ => Err("`ORDER` is not followed by `BY`.".to_owned()),
        };
    };
    if !order.is("order") || !by.is("by") {
        return Err("`ORDER` is not followed by `BY`.".to_owned());
    }
    let (field, rest) = rest.split_first().ok_or("`ORDER BY` names no field.")?;
    let (by, usual) = match field.shown().to_ascii_lowercase().as_str() {
        "created" => (By::Created, true),
        "key" => (By::Key, false),
        other => return Err(unsupported(&format!("ordering by `{other}`"))),
    };
    match rest {
        [] => Ok(Order { by, descending: usual }),
        [direction] if direction.is("asc") => Ok(Order { by, descending: false }),
        [direction] if direction.is("desc") => Ok(Order { by, descending: true }),
        [Token::Symbol(','), ..] => Err(unsupported("ordering by several fields")),
        [other, ..] => Err(unsupported(&format!("`{}` in `ORDER BY`", other.shown()))),
    }
}

fn unsupported(what: &str) -> String {
    format!(
        "Not supported by this fake: {what}. It knows `project`, `labels`, `key` and `status` with `=`, joined by \
         `AND`, and `ORDER BY created` or `key`."
    )
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&next) = rest.peek() {
        if next.is_whitespace() {
            rest.next();
        } else if next == '"' || next == '\'' {
            rest.next();
            tokens.push(Token::Quoted(quoted(&mut rest, next)?));
        } else if SPECIAL.contains(next) {
            rest.next();
            tokens.push(Token::Symbol(next));
        } else {
            tokens.push(Token::Word(word(&mut rest)?));
        }
    }
    Ok(tokens)
}

fn quoted(rest: &mut Peekable<Chars<'_>>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => text.push(escaped(rest)?),
            // Line ends are the only control characters that may stand raw.
            _ if next.is_control() && next != '\n' && next != '\r' => {
                return Err(format!("A control character must be escaped: \\u{:04X}", u32::from(next)));
            }
            _ if next == quote => return Ok(text),
            _ => text.push(next),
        }
    }
    Err("A quote is not closed.".to_owned())
}

fn word(rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) =
        rest.next_if(|next| !next.is_whitespace() && *next != '"' && !SPECIAL.contains(*next))
    {
        match next {
            '\\' => text.push(escaped(rest)?),
            _ => text.push(next),
        }
    }
    Ok(text)
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    match rest.next() {
        Some('t') => Ok('\t'),
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('u') => {
            let digits: String = rest.take(4).collect();
            let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
            code.and_then(char::from_u32).ok_or_else(|| format!("`\\u{digits}` is no character."))
        }
        Some(same @ ('"' | '\'' | '\\' | ' ')) => Ok(same),
        Some(other) => Err(format!("`\\{other}` is no escape in JQL.")),
        None => Err("The query ends after a backslash.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_joined_by_and_in_any_case_and_any_quotes() {
        let cases = [
            "project = OPS AND labels = \"a b\" and key = OPS-7 AND status = 'To Do'",
            "PROJECT=OPS and Labels='a b' AND \"key\"=\"OPS-7\" AND status=\"To\\u0020Do\"",
            " project = 'OPS'\nAND labels = a\\ b AND key = \"OPS-7\" AND status = 'To Do' ORDER BY created DESC",
        ];
        let text = |text: &str| text.to_owned();
        let clauses = vec![
            (Field::Project, text("OPS")),
            (Field::Labels, text("a b")),
            (Field::Key, text("OPS-7")),
            (Field::Status, text("To Do")),
        ];
        for jql in cases {
            let order = Order { by: By::Created, descending: true };
            assert_eq!(parse(jql), Ok(Query { clauses: clauses.clone(), order }), "{jql}");
        }
    }

    #[test]
    fn an_order_has_a_direction_of_its_own() {
        let cases = [
            ("created", By::Created, true),
            ("created ASC", By::Created, false),
            ("key", By::Key, false),
            ("KEY desc", By::Key, true),
        ];
        for (text, by, descending) in cases {
            let query = parse(&format!("project = OPS order by {text}")).unwrap();
            assert_eq!(query.order, Order { by, descending }, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_or_not_supported_is_named() {
        let cases = [
            ("", "without a restriction"),
            ("ORDER BY created", "without a restriction"),
            ("project = AS", "`AS` is a reserved word"),
            ("project = \"OPS\" OR labels = x", "`OR` between clauses"),
            ("project = \"OPS\" && labels = x", "`&` between clauses"),
            ("NOT project = OPS", "`NOT`"),
            ("(project = OPS)", "`(`"),
            ("assignee = x", "the field `assignee`"),
            ("project != OPS", "the operator `!`"),
            ("project IN (OPS)", "the operator `IN`"),
            ("project = currentProject()", "the function `currentProject`"),
            ("labels = @x", "`@` is no value"),
            ("labels = a@b", "`@` between clauses"),
            ("labels = \"a", "not closed"),
            ("labels = \"a\\d\"", "`\\d` is no escape"),
            ("labels = \"a\tb\"", "\\u0009"),
            ("labels = \"\\u12\"", "is no character"),
            ("project = OPS AND", "after AND"),
            ("project =", "a value was expected"),
            ("project", "an operator was expected"),
            ("project = OPS ORDER created", "followed by `BY`"),
            ("project = OPS ORDER", "followed by `BY`"),
            ("project = OPS ORDER BY", "names no field"),
            ("project = OPS ORDER BY updated", "ordering by `updated`"),
            ("project = OPS ORDER BY created, key", "several fields"),
            ("project = OPS ORDER BY created sideways", "`sideways`"),
        ];
        for (jql, expected) in cases {
            let error = parse(jql).unwrap_err();
            assert!(error.contains(expected), "{error} for {jql}");
        }
    }
}
