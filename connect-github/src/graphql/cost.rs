//! What a query costs, known before it is sent: by its `first` and `last`, as GitHub counts them.
//!
//! The estimate assumes that every connection is as long as was asked for. GitHub's own figure for a query that it ran is in
//! the headers of the answer, and in `rateLimit { cost nodeCount }` if the query asks for that.
//!
//! <https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

use std::collections::BTreeMap;

use connect_core::{Error, ErrorKind, Request};
use serde::Deserialize;
use serde_json::Value;

use super::answer::PATH;
use super::document::{Definition, Document, Selection, Size};

/// The most nodes that one query may ask for; GitHub refuses more.
pub const MOST_NODES: u64 = 500_000;

/// What is looked at in one query. Fragments within fragments can make a short document endless.
const MOST_FIELDS: u32 = 100_000;

/// What a query costs.
///
/// From [`estimate`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Points of the primary limit: the requests that all its connections would take, divided by 100, at least 1.
    pub points: u32,
    /// How many nodes it could return.
    pub nodes: u64,
    /// The connection that asks for the most of them, and how many: `viewer.repositories.issues`.
    pub largest: Option<(String, u64)>,
}

impl Cost {
    /// Refuses what GitHub would refuse, and says where to ask for less.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let place = match &self.largest {
            Some((place, nodes)) => {
                format!("; {nodes} of them at `{place}`: lower its `first`, or those above it")
            }
            None => String::new(),
        };
        let nodes = self.nodes;
        let message = format!("the query could return {nodes} nodes, and GitHub allows {MOST_NODES}{place}");
        Err(Error::new(ErrorKind::Invalid, message))
    }
}

/// What a document costs with these variables; of several operations, the one with this name. `None` if that cannot be
/// told: what cannot be read here is not judged here.
///
/// ```
/// use connect_github::graphql::cost;
/// use serde_json::json;
/// let document = "query($n: Int!) { viewer { repositories(first: $n) { nodes { issues(first: 50) { nodes { id } } } } } }";
/// let cost = cost::estimate(document, None, &json!({"n": 100})).unwrap();
/// assert_eq!((cost.points, cost.nodes), (1, 5_100)); // 1 + 100 requests
/// assert_eq!(cost.largest, Some(("viewer.repositories.issues".to_owned(), 5_000)));
/// ```
pub fn estimate(document: &str, operation: Option<&str>, variables: &Value) -> Option<Cost> {
    let document = Document::read(document)?;
    of_operation(&document, document.operation(operation)?, variables)
}

/// The points of a request as it is sent, for a model of the limits; 1 where that cannot be told.
///
/// ```
/// use connect_core::Endpoint;
/// use connect_github::graphql::{Query, cost};
/// let query = Query::<serde_json::Value>::new("{ viewer { login } }");
/// assert_eq!(cost::of(&query.request()?), 1);
/// # Ok::<(), connect_github::Error>(())
/// ```
pub fn of(request: &Request) -> u32 {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        query: String,
        operation_name: Option<String>,
        #[serde(default)]
        variables: Value,
    }
    if request.operation().path != PATH {
        return 1;
    }
    let body = request.body().as_bytes().and_then(|bytes| serde_json::from_slice::<Body>(bytes).ok());
    let cost = body.and_then(|body| estimate(&body.query, body.operation_name.as_deref(), &body.variables));
    cost.map_or(1, |cost| cost.points)
}

pub(super) fn of_operation(
    document: &Document<'_>,
    operation: &Definition<'_>,
    variables: &Value,
) -> Option<Cost> {
    let mut count = Count {
        fragments: &document.fragments,
        defaults: &operation.variables,
        variables,
        path: Vec::new(),
        requests: 0,
        nodes: 0,
        largest: None,
        left: MOST_FIELDS,
    };
    count.visit(&operation.selections, 1)?;
    let points = count.requests.saturating_add(50) / 100;
    Some(Cost {
        points: u32::try_from(points).unwrap_or(u32::MAX).max(1),
        nodes: count.nodes,
        largest: count.largest,
    })
}

struct Count<'d, 'a> {
    fragments: &'d BTreeMap<&'a str, Vec<Selection<'a>>>,
    defaults: &'d BTreeMap<&'a str, Option<u64>>,
    variables: &'d Value,
    /// Where we are: fields, without connections' own `nodes` and `edges`.
    path: Vec<&'a str>,
    requests: u64,
    nodes: u64,
    largest: Option<(String, u64)>,
    left: u32,
}

impl<'a> Count<'_, 'a> {
    /// `times` is how often this place is asked: the product of the sizes above it.
    fn visit(&mut self, selections: &[Selection<'a>], times: u64) -> Option<()> {
        for selection in selections {
            self.left = self.left.checked_sub(1)?;
            match selection {
                Selection::Inline(selections) => self.visit(selections, times)?,
                Selection::Spread(name) => {
                    let fragments = self.fragments;
                    // A fragment in itself would go on for ever; each one counts as deep as a field.
                    if self.path.len() > 200 {
                        return None;
                    }
                    self.path.push("");
                    self.visit(fragments.get(name)?, times)?;
                    self.path.pop();
                }
                Selection::Field { name, sizes, selections } => {
                    self.path.push(name);
                    let mut below = times;
                    if let Some(size) = self.size(sizes)? {
                        let nodes = times.saturating_mul(size);
                        self.requests = self.requests.saturating_add(times);
                        self.nodes = self.nodes.saturating_add(nodes);
                        if self.largest.as_ref().is_none_or(|(_, most)| nodes > *most) {
                            self.largest = Some((self.place(), nodes));
                        }
                        below = nodes;
                    }
                    self.visit(selections, below)?;
                    self.path.pop();
                }
            }
        }
        Some(())
    }

    /// The size of a connection; nothing if the field is none.
    fn size(&self, sizes: &[Size<'a>]) -> Option<Option<u64>> {
        let mut largest = None;
        for size in sizes {
            let number = match size {
                Size::Number(number) => *number,
                Size::Variable(name) => match self.variables.get(name) {
                    Some(value) => value.as_u64()?,
                    None => self.defaults.get(name).copied().flatten()?,
                },
                Size::Odd => return None,
            };
            largest = largest.max(Some(number));
        }
        Some(largest)
    }

    fn place(&self) -> String {
        let fields = self.path.iter().filter(|field| !matches!(**field, "" | "nodes" | "edges" | "node"));
        fields.copied().collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cost(document: &str, variables: Value) -> Option<(u32, u64)> {
        estimate(document, None, &variables).map(|cost| (cost.points, cost.nodes))
    }

    #[test]
    fn points_and_nodes_are_those_of_githubs_own_examples() {
        let issues = "{ viewer { repositories(first: 100) { edges { node { issues(first: 50) { edges { node {
                      labels(first: 60) { edges { node { id } } } } } } } } } } }";
        assert_eq!(cost(issues, Value::Null), Some((51, 100 + 5_000 + 300_000)));
        let followers = "{ viewer { repositories(first: 50) { edges { node {
                           pullRequests(first: 20) { edges { node { comments(first: 10) { edges { node { id } } } } } }
                           issues(first: 20) { edges { node { comments(first: 10) { edges { node { id } } } } } }
                         } } } followers(first: 10) { edges { node { login } } } } }";
        assert_eq!(cost(followers, Value::Null), Some((21, 22_060)));
        assert_eq!(cost("{ viewer { login } }", Value::Null), Some((1, 0)));
    }

    #[test]
    fn sizes_come_from_variables_defaults_fragments_and_last() {
        let cases = [
            ("query($n: Int!) { a(first: $n) { id } }", json!({"n": 7}), Some((1, 7))),
            ("query($n: Int = 9) { a(last: $n) { id } }", json!({}), Some((1, 9))),
            ("query($n: Int = 9) { a(first: $n) { id } }", json!({"n": 3}), Some((1, 3))),
            ("query($n: Int) { a(first: $n) { id } }", json!({}), None),
            ("query($n: Int) { a(first: $n) { id } }", json!({"n": null}), None),
            ("{ a(first: 2) { ...F } } fragment F on X { b(last: 3) { id } }", json!({}), Some((1, 8))),
            (
                "{ a(first: 2) { ... on X @include(if: $x) { b: c(first: 3, last: 4) } } }",
                json!({}),
                Some((1, 10)),
            ),
            ("{ a { ...Missing } }", json!({}), None),
            ("{ a(first: -1) { id } }", json!({}), None),
            ("query A { a } query B { b }", json!({}), None),
        ];
        for (document, variables, expected) in cases {
            assert_eq!(cost(document, variables), expected, "{document}");
        }
        let cost = estimate("query A { a } query B { b(first: 5) { id } }", Some("B"), &Value::Null);
        assert_eq!(cost.unwrap().nodes, 5);
    }

    #[test]
    fn endless_documents_are_given_up() {
        assert_eq!(cost("{ ...F } fragment F on X { a { ...F } }", Value::Null), None);
        assert_eq!(cost("{ ...F } fragment F on X { ...F }", Value::Null), None);
        let mut laughs = "{ ...F0 } fragment F30 on X { a }".to_owned();
        for n in 0..30 {
            laughs.push_str(&format!(" fragment F{n} on X {{ ...F{m} ...F{m} }}", m = n + 1));
        }
        assert_eq!(cost(&laughs, Value::Null), None);
    }

    #[test]
    fn absurd_sizes_overflow_nothing_and_are_refused_by_name() {
        let document = "{ viewer { a(first: 18446744073709551615) { nodes { b(first: 18446744073709551615) { id } } } } }";
        let cost = estimate(document, None, &Value::Null).unwrap();
        assert_eq!((cost.nodes, cost.points), (u64::MAX, u32::MAX));
        let error = cost.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("`viewer.a`"), "{error}");
    }
}
