//! The shape of a GraphQL document: its operations, and how many of what they ask for.
//!
//! A tolerant reader, no validator: GitHub judges documents. What cannot be read here is not judged here.

use std::collections::BTreeMap;

use super::tokens::{Token, tokens};

/// Deeper ones are not read: no query of a person is that deep.
const DEEPEST: u32 = 100;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
    Subscription,
}

#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) operations: Vec<Definition<'a>>,
    pub(super) fragments: BTreeMap<&'a str, Vec<Selection<'a>>>,
}

#[derive(Debug)]
pub(super) struct Definition<'a> {
    pub(super) kind: Kind,
    pub(super) name: Option<&'a str>,
    /// Each declared variable, with its default if that is a whole number.
    pub(super) variables: BTreeMap<&'a str, Option<u64>>,
    pub(super) selections: Vec<Selection<'a>>,
}

#[derive(Debug)]
pub(super) enum Selection<'a> {
    Field { name: &'a str, sizes: Vec<Size<'a>>, selections: Vec<Selection<'a>> },
    Spread(&'a str),
    Inline(Vec<Selection<'a>>),
}

/// A `first` or `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size<'a> {
    Number(u64),
    Variable(&'a str),
    /// `null`, or nothing that is a size.
    Odd,
}

impl<'a> Document<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, depth: 0 };
        let mut document = Self { operations: Vec::new(), fragments: BTreeMap::new() };
        while let Some(token) = reader.peek() {
            let kind = match token {
                Token::Sign('{') => {
                    let selections = reader.selections()?;
                    let (kind, variables) = (Kind::Query, BTreeMap::new());
                    document.operations.push(Definition { kind, name: None, variables, selections });
                    continue;
                }
                Token::Name("fragment") => {
                    reader.next();
                    let name = reader.name()?;
                    (reader.name()? == "on").then_some(())?;
                    reader.name()?;
                    reader.directives()?;
                    document.fragments.insert(name, reader.selections()?);
                    continue;
                }
                Token::Name("query") => Kind::Query,
                Token::Name("mutation") => Kind::Mutation,
                Token::Name("subscription") => Kind::Subscription,
                _ => return None,
            };
            reader.next();
            let name = if let Some(Token::Name(_)) = reader.peek() { Some(reader.name()?) } else { None };
            let variables = reader.variables()?;
            reader.directives()?;
            let selections = reader.selections()?;
            document.operations.push(Definition { kind, name, variables, selections });
        }
        Some(document)
    }

    /// The operation that a request means: the one it names, or the only one.
    pub(super) fn operation(&self, name: Option<&str>) -> Option<&Definition<'a>> {
        match (name, self.operations.as_slice()) {
            (Some(name), operations) => operations.iter().find(|operation| operation.name == Some(name)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    depth: u32,
}

impl<'a> Reader<'_, 'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.first().copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// Goes past a sign if it is next.
    fn skip(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(Token::Sign(sign));
        if is_next {
            self.next();
        }
        is_next
    }

    fn expect(&mut self, sign: char) -> Option<()> {
        self.skip(sign).then_some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        match self.next()? {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    fn descend(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    fn selections(&mut self) -> Option<Vec<Selection<'a>>> {
        self.descend()?;
        self.expect('{')?;
        let mut selections = Vec::new();
        while !self.skip('}') {
            selections.push(self.selection()?);
        }
        self.depth -= 1;
        Some(selections)
    }

    fn selection(&mut self) -> Option<Selection<'a>> {
        if self.peek()? == Token::Spread {
            self.next();
            return match self.peek()? {
                Token::Name("on") => {
                    self.next();
                    self.name()?;
                    self.directives()?;
                    Some(Selection::Inline(self.selections()?))
                }
                Token::Name(name) => {
                    self.next();
                    self.directives()?;
                    Some(Selection::Spread(name))
                }
                _ => {
                    self.directives()?;
                    Some(Selection::Inline(self.selections()?))
                }
            };
        }
        let mut name = self.name()?;
        if self.skip(':') {
            name = self.name()?; // what stood before it is an alias
        }
        let sizes = self.arguments()?;
        self.directives()?;
        let has_own = self.peek() == Some(Token::Sign('{'));
        let selections = if has_own { self.selections()? } else { Vec::new() };
        Some(Selection::Field { name, sizes, selections })
    }

    /// The sizes among the arguments.
    fn arguments(&mut self) -> Option<Vec<Size<'a>>> {
        let mut sizes = Vec::new();
        if !self.skip('(') {
            return Some(sizes);
        }
        while !self.skip(')') {
            let name = self.name()?;
            self.expect(':')?;
            let size = self.value()?;
            if matches!(name, "first" | "last") {
                sizes.push(size);
            }
        }
        Some(sizes)
    }

    fn value(&mut self) -> Option<Size<'a>> {
        match self.next()? {
            Token::Sign('$') => return Some(Size::Variable(self.name()?)),
            Token::Int(number) => return Some(number.parse().map_or(Size::Odd, Size::Number)),
            Token::Name(_) | Token::Other => {}
            Token::Sign('[') => {
                self.descend()?;
                while !self.skip(']') {
                    self.value()?;
                }
                self.depth -= 1;
            }
            Token::Sign('{') => {
                self.descend()?;
                while !self.skip('}') {
                    self.name()?;
                    self.expect(':')?;
                    self.value()?;
                }
                self.depth -= 1;
            }
            _ => return None,
        }
        Some(Size::Odd)
    }

    fn directives(&mut self) -> Option<()> {
        while self.skip('@') {
            self.name()?;
            self.arguments()?;
        }
        Some(())
    }

    fn variables(&mut self) -> Option<BTreeMap<&'a str, Option<u64>>> {
        let mut variables = BTreeMap::new();
        if !self.skip('(') {
            return Some(variables);
        }
        while !self.skip(')') {
            self.expect('$')?;
            let name = self.name()?;
            self.expect(':')?;
            while matches!(self.peek()?, Token::Name(_) | Token::Sign('[' | ']' | '!')) {
                self.next();
            }
            let default = if self.skip('=') { Some(self.value()?) } else { None };
            self.directives()?;
            variables.insert(
                name,
                match default {
                    Some(Size::Number(number)) => Some(number),
                    _ => None,
                },
            );
        }
        Some(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_by_kind_name_and_variables() {
        let document = Document::read(
            "# query Old {\nfragment F on User @x { login }
             query A($n: Int! = 5, $tags: [String!]! = [\"}\"], $o: In = {a: {b: 1}} @d(x: 1)) @live { viewer { ...F } }
             mutation B { addStar(input: {starrableId: \"query\"}) { clientMutationId } } subscription C { x }",
        )
        .unwrap();
        let seen: Vec<_> =
            document.operations.iter().map(|operation| (operation.kind, operation.name.unwrap())).collect();
        assert_eq!(seen, [(Kind::Query, "A"), (Kind::Mutation, "B"), (Kind::Subscription, "C")]);
        let variables = &document.operation(Some("A")).unwrap().variables;
        assert_eq!(variables.iter().collect::<Vec<_>>(), [(&"n", &Some(5)), (&"o", &None), (&"tags", &None)]);
        assert!(document.fragments.contains_key("F"));
        assert!(document.operation(None).is_none() && document.operation(Some("Z")).is_none());
    }

    #[test]
    fn a_bare_selection_is_a_query() {
        let document =
            Document::read("{ v: viewer { login ... { id } ... on User @x { name } ... @x { a } } }");
        let document = document.unwrap();
        assert_eq!(document.operation(None).map(|operation| operation.kind), Some(Kind::Query));
    }

    #[test]
    fn no_beginning_and_no_damage_of_a_document_breaks_the_reader() {
        let whole = "query A($n: Int = 5, $t: [S!] = [\"é\", \"\"\"b\"\"\"]) @d(x: {y: 1}) { # ü\n a: b(first: $n, last: -1) { ...F ... on T { c } } } fragment F on T { d(first: 1.5) }";
        for (at, _) in whole.char_indices() {
            let (begin, end) = whole.split_at(at);
            let _ = Document::read(begin);
            let _ = Document::read(end);
            for odd in ["\"", "{", "}", "$", "...", "\\", "99999999999999999999", "é"] {
                let _ = Document::read(&[begin, odd, end].concat());
            }
        }
        assert!(Document::read(whole).is_some());
    }

    #[test]
    fn what_cannot_be_read_is_not_judged() {
        let deep = format!("{}{}", "{a".repeat(200), "}".repeat(200));
        let deep_value = format!("{{ a(x: {}1{}) }}", "[".repeat(200), "]".repeat(200));
        let odd =
            ["{", "{ a(first: ) }", "type X { a: Int }", "query A(n: Int) { a }", "}", &deep, &deep_value];
        for odd in odd {
            assert!(Document::read(odd).is_none(), "{odd}");
        }
    }
}
