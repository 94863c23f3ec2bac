//! GraphQL through the whole stack, over a scripted transport in paused time.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use connect_core::simulation::{Answer, Scripted};
use connect_core::{Raw, RetryAdvice};
use connect_github::graphql::{Errors, PathSegment, Query};
use connect_github::{Config, Error, ErrorKind, GitHub, Sent};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

const DATE: &str = "Sat, 01 Aug 2026 00:00:00 GMT";
const EPOCH: u64 = 1_785_542_400;

const VIEWER: &str = "query Me { viewer { login } }";
const STAR: &str = "mutation Star { a: addStar(input: {starrableId: \"1\"}) { id } b: addStar(input: {starrableId: \"2\"}) { id } }";

#[derive(Debug, Deserialize)]
struct Me {
    viewer: Login,
}

#[derive(Debug, Deserialize)]
struct Login {
    login: String,
}

fn client_of(url: &str, transport: &Scripted) -> GitHub {
    let config = Config::default().with_seed(1);
    GitHub::builder()
        .token("ghp_canary")
        .base_url(url)
        .config(config)
        .transport(transport.clone())
        .build()
        .unwrap()
}

fn client(transport: &Scripted) -> GitHub {
    client_of("https://api.github.com", transport)
}

fn answer(body: Value) -> Answer {
    Answer::json(200, body.to_string()).header("x-ratelimit-resource", "graphql").header("date", DATE)
}

fn me() -> Answer {
    answer(json!({"data": {"viewer": {"login": "mona"}}}))
}

async fn failure(query: Query<Value>, answers: impl IntoIterator<Item = Answer>) -> (Error, usize) {
    let transport = Scripted::new(answers);
    let error = client(&transport).send(query).await.unwrap_err();
    (error, transport.requests().len())
}

fn types(errors: &Errors) -> Vec<&str> {
    errors.errors.iter().map(|error| error.r#type.as_deref().unwrap_or_default()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_query_is_posted_with_its_variables_and_answers_its_data() {
    let transport = Scripted::new([me()]);
    let query = Query::new(VIEWER).variables(json!({"n": 1})).operation_name("Me");
    let me: Me = client(&transport).send(query).await.unwrap();
    assert_eq!(me.viewer.login, "mona");
    let seen = &transport.requests()[0];
    assert_eq!((seen.url.as_str(), seen.method.as_str()), ("https://api.github.com/graphql", "POST"));
    assert_eq!((seen.operation.as_str(), seen.credential()), ("graphql:Me", Some("Bearer ghp_canary")));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body, json!({"query": VIEWER, "variables": {"n": 1}, "operationName": "Me"}));
}

#[tokio::test(start_paused = true)]
async fn each_installation_has_graphql_in_its_own_place() {
    let cases = [
        ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
        ("https://git.example.com/api/v3/", "https://git.example.com/api/graphql"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/graphql"),
    ];
    for (base, expected) in cases {
        let transport = Scripted::new([me()]);
        client_of(base, &transport).send(Query::<Me>::new(VIEWER)).await.unwrap();
        assert_eq!(transport.requests()[0].url, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_under_http_200_is_waited_for_even_by_a_mutation() {
    let limit = answer(
        json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}),
    )
    .header("x-ratelimit-remaining", "0")
    .header("x-ratelimit-reset", &(EPOCH + 30).to_string());
    let done = answer(json!({"data": {"a": {"id": "1"}}}));
    let transport = Scripted::new([limit, done]);
    let begun = Instant::now();
    let data: Value = client(&transport).send(Query::new(STAR)).await.unwrap();
    assert_eq!(data["a"]["id"], "1");
    assert!(begun.elapsed() >= Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_long_rate_limit_is_an_error_at_once_that_keeps_type_and_data() {
    let body = json!({
        "data": {"viewer": {"login": "mona"}},
        "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 5."}]
    });
    let limit = answer(body)
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &(EPOCH + 1_800).to_string());
    let (error, requests) = failure(Query::new(VIEWER), [limit]).await;
    assert_eq!((error.kind(), requests), (ErrorKind::RateLimited, 1));
    assert!(
        matches!(error.retry(), RetryAdvice::After(wait) if wait >= Duration::from_secs(1_800)),
        "{error}"
    );
    let errors = error.details::<Errors>().unwrap();
    assert_eq!(types(errors), ["RATE_LIMITED"]);
    assert_eq!(errors.data.as_ref().unwrap()["viewer"]["login"], "mona");
}

#[tokio::test(start_paused = true)]
async fn a_secondary_limit_in_the_words_of_an_error_waits_a_minute() {
    let limit =
        answer(json!({"errors": [{"message": "You have exceeded a secondary rate limit. Please wait."}]}));
    let transport = Scripted::new([limit, me()]);
    let begun = Instant::now();
    client(&transport).send(Query::<Me>::new(VIEWER)).deadline(Duration::from_secs(300)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_query_that_github_stopped_is_not_sent_again() {
    let inside = json!({"data": null, "errors": [{"message": "Something went wrong while executing your query on 2026."}]});
    let stopped = [
        Answer::json(502, inside.to_string()),
        Answer::json(504, "<html>"),
        Answer::status(502),
        answer(inside),
        answer(json!({"data": null, "errors": [{"type": "TIMEOUT", "message": "timed out"}]})),
    ];
    for stopped in stopped {
        let (error, requests) = failure(Query::new(VIEWER), [stopped]).await;
        assert_eq!(
            (error.kind(), requests, error.retry()),
            (ErrorKind::Unavailable, 1, RetryAdvice::Never),
            "{error}"
        );
        assert!(error.to_string().contains("ask for less: a smaller `first`"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_github_stopped_may_have_been_applied() {
    let inside = json!({"errors": [{"message": "Something went wrong while executing your query."}]});
    let partly = json!({"data": {"a": null}, "errors": [{"message": "Something went wrong while executing your query."}]});
    for stopped in [Answer::status(502), Answer::status(500), answer(inside), answer(partly)] {
        let (error, requests) = failure(Query::new(STAR), [stopped]).await;
        assert_eq!(
            (error.sent(), requests, error.retry()),
            (Sent::Maybe, 1, RetryAdvice::CheckFirst),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_github_is_survived_by_a_query() {
    let busy = answer(json!({"errors": [{"type": "SERVICE_UNAVAILABLE", "message": "busy"}]}));
    let transport = Scripted::new([busy, Answer::status(503), me()]);
    let me: Me = client(&transport).send(Query::new(VIEWER)).await.unwrap();
    assert_eq!((me.viewer.login.as_str(), transport.requests().len()), ("mona", 3));
}

fn half() -> Value {
    json!({
        "data": {"a": {"id": "canary"}, "b": null},
        "errors": [{
            "type": "NOT_FOUND", "path": ["b"], "locations": [{"line": 1, "column": 3}],
            "message": "Could not resolve to a Repository with the name 'o/b'.", "extensions": {"x": 1}
        }]
    })
}

#[tokio::test(start_paused = true)]
async fn data_beside_errors_is_an_error_that_loses_neither() {
    let (error, requests) = failure(Query::new("{ a { id } b { id } }"), [answer(half())]).await;
    assert_eq!((error.kind(), requests, error.retry()), (ErrorKind::NotFound, 1, RetryAdvice::Never));
    assert_eq!(
        error.to_string(),
        "github graphql: Could not resolve to a Repository with the name 'o/b' (NOT_FOUND at b); \
         there is no such thing, or the token may not see it (HTTP 200)"
    );
    let errors = error.details::<Errors>().unwrap();
    assert_eq!(errors.data.as_ref().unwrap()["a"]["id"], "canary");
    assert_eq!(errors.errors[0].path, [PathSegment::Field("b".to_owned())]);
    assert_eq!((errors.errors[0].locations[0].column, &errors.errors[0].extensions["x"]), (3, &json!(1)));
    assert!(!format!("{error:#} {error:?} {errors:?}").contains("canary"));
}

#[derive(Debug, Deserialize)]
struct Both {
    a: Option<Id>,
    b: Option<Id>,
}

#[derive(Debug, Deserialize)]
struct Id {
    id: String,
}

#[tokio::test(start_paused = true)]
async fn a_partial_query_takes_data_and_errors_together() {
    let transport =
        Scripted::new([answer(half()), answer(json!({"data": {"a": {"id": "1"}, "b": {"id": "2"}}}))]);
    let github = client(&transport);
    let query = Query::<Both>::new("{ a { id } b { id } }").partial();
    let both = github.send(query.clone()).await.unwrap();
    assert_eq!(
        (both.data.a.unwrap().id.as_str(), both.data.b.is_none(), both.errors.len()),
        ("canary", true, 1)
    );
    let both = github.send(query).await.unwrap();
    assert_eq!((both.data.b.unwrap().id.as_str(), both.errors.len()), ("2", 0));
}

#[tokio::test(start_paused = true)]
async fn a_partial_query_without_enough_data_is_githubs_error_and_not_a_decoding_one() {
    let transport = Scripted::new([
        answer(half()),
        answer(json!({"data": null, "errors": [{"type": "FORBIDDEN", "message": "no"}]})),
    ]);
    let github = client(&transport);
    let error = github.send(Query::<Vec<u8>>::new("{ a { id } }").partial()).await.unwrap_err();
    assert_eq!((error.kind(), types(error.details().unwrap())), (ErrorKind::NotFound, vec!["NOT_FOUND"]));
    let error = github.send(Query::<Both>::new("{ a { id } }").partial()).await.unwrap_err();
    assert_eq!((error.kind(), types(error.details().unwrap())), (ErrorKind::Forbidden, vec!["FORBIDDEN"]));
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_was_applied_in_part_says_so_and_one_that_was_refused_whole_does_not() {
    let no = json!([{"type": "FORBIDDEN", "message": "no", "path": ["b"]}]);
    let (error, _) =
        failure(Query::new(STAR), [answer(json!({"data": {"a": {"id": "1"}, "b": null}, "errors": no}))])
            .await;
    assert_eq!(
        (error.kind(), error.retry(), error.sent()),
        (ErrorKind::Forbidden, RetryAdvice::CheckFirst, Sent::Maybe)
    );
    let (error, _) =
        failure(Query::new(STAR), [answer(json!({"data": {"a": null, "b": null}, "errors": no}))]).await;
    assert_eq!(
        (error.kind(), error.retry(), error.sent()),
        (ErrorKind::Forbidden, RetryAdvice::Never, Sent::Yes)
    );
    // A limit in the middle of it is no reason to do the first half again.
    let limit = json!([{"type": "RATE_LIMITED", "message": "no", "path": ["b"]}]);
    let body = json!({"data": {"a": {"id": "1"}, "b": null}, "errors": limit});
    let (error, requests) = failure(Query::new(STAR), [answer(body)]).await;
    assert_eq!((error.kind(), error.retry(), requests), (ErrorKind::RateLimited, RetryAdvice::CheckFirst, 1));
}

#[tokio::test(start_paused = true)]
async fn a_document_that_does_not_fit_the_schema_is_invalid() {
    let body = json!({"errors": [{
        "path": ["query Me", "viewer", "nme"], "extensions": {"code": "undefinedField", "typeName": "User"},
        "locations": [{"line": 1, "column": 21}], "message": "Field 'nme' doesn't exist on type 'User'"
    }]});
    let (error, _) = failure(Query::new(VIEWER), [answer(body)]).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("Field 'nme' doesn't exist on type 'User'"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn single_sign_on_is_named_and_its_link_is_nobodys_business() {
    let body = json!({"data": {"organization": null}, "errors": [{"type": "FORBIDDEN", "message": "Protected by SAML."}]});
    let link = "required; url=https://github.example/orgs/o/sso?authorization_request=canary";
    let (error, _) = failure(Query::new(VIEWER), [answer(body).header("x-github-sso", link)]).await;
    assert!(error.to_string().contains("single sign-on"), "{error}");
    let errors = error.details::<Errors>().unwrap();
    assert!(errors.sso.is_some() && !format!("{error:#} {error:?} {errors:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn credentials_and_permissions_are_refused_as_by_rest() {
    let bad = Answer::json(401, json!({"message": "Bad credentials"}).to_string());
    let (error, _) = failure(Query::new(VIEWER), [bad]).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("expired or revoked"), "{error}");
    let no = Answer::json(403, json!({"message": "Resource not accessible by integration"}).to_string());
    let (error, _) = failure(Query::new(VIEWER), [no]).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.details::<connect_github::Problem>().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_graphql_is_a_decoding_error() {
    for body in [
        "<html>",
        "",
        "{}",
        r#"{"data": {"viewer": {"log"#,
        r#"{"data": null}"#,
        r#"{"data": {"viewer": 7}}"#,
    ] {
        let transport = Scripted::new([Answer::json(200, body)]);
        let error = client(&transport).send(Query::<Me>::new(VIEWER)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
    }
    let transport = Scripted::new([answer(json!({"data": {"viewer": {"login": 7}}}))]);
    let error = client(&transport).send(Query::<Me>::new(VIEWER)).await.unwrap_err();
    assert!(error.to_string().contains("data.viewer.login"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_github_would_refuse_is_refused_here_and_not_sent() {
    const HUGE: &str = "query($n: Int!) { viewer { repositories(first: $n) { nodes { issues(first: 100) { nodes { comments(first: 100) { nodes { id } } } } } } } }";
    let cases = [
        (Query::<Value>::new("subscription { x }"), "webhooks"),
        (Query::new("query A { a } query B { b }"), "A, B"),
        (Query::new("query A { a }").operation_name("Z"), "A"),
        (Query::new(""), "no operation"),
        (Query::new("{ a }").variables([1]), "object of names and values"),
        (Query::from_body(&json!([])), "JSON object"),
        (Query::from_body(&json!({"variables": {}})), "`query`"),
        (Query::new(HUGE).variables(json!({"n": 100})), "`viewer.repositories.issues.comments`"),
    ];
    for (query, words) in cases {
        let transport = Scripted::new([me()]);
        let error = client(&transport).send(query).await.unwrap_err();
        assert_eq!((error.kind(), transport.requests().len()), (ErrorKind::Invalid, 0), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let small = Query::<Value>::new(HUGE).variables(json!({"n": 1}));
    assert_eq!(small.cost().unwrap().nodes, 10_101);
}

#[test]
fn safety_and_label_come_from_the_document() {
    use connect_core::{Endpoint, Safety};
    let cases = [
        ("{ a }", None, "graphql", Safety::Safe),
        ("# mutation\nquery A { a(x: \"mutation\") }", None, "graphql:A", Safety::Safe),
        ("mutation B { a }", None, "graphql:B", Safety::Unsafe),
        ("query A { a } mutation B { b }", Some("A"), "graphql:A", Safety::Safe),
        ("query A { a } mutation B { b }", Some("B"), "graphql:B", Safety::Unsafe),
        ("query A { a } mutation B { b }", None, "graphql", Safety::Unsafe),
        ("fragment F on X { a } query A { ...F }", None, "graphql:A", Safety::Safe),
        ("no document", None, "graphql", Safety::Unsafe),
        ("query A { a }", Some("no name\n"), "graphql", Safety::Unsafe),
    ];
    for (document, name, label, safety) in cases {
        let mut query = Query::<Value>::new(document);
        if let Some(name) = name {
            query = query.operation_name(name);
        }
        assert_eq!(
            (query.operation().name.as_ref(), query.operation().safety),
            (label, safety),
            "{document}"
        );
    }
}

#[test]
fn values_are_printed_nowhere() {
    let query = Query::<Value>::new("{ user(login: \"canary\") { id } }").variables(json!({"x": "canary"}));
    assert!(
        !format!("{query:?} {:?} {:?}", query.clone().partial(), query.clone().pages_by("a", "/b"))
            .contains("canary")
    );
}

const ISSUES: &str =
    "query Issues($after: String) { search(query: \"q\", type: ISSUE, first: 2, after: $after) {
    nodes { ... on Issue { id } } pageInfo { hasNextPage endCursor } } }";

fn page(ids: &[&str], next: Option<&str>, errors: Value) -> Answer {
    let nodes: Vec<Value> =
        ids.iter().map(|id| if id.is_empty() { Value::Null } else { json!({"id": id}) }).collect();
    let info = json!({"hasNextPage": next.is_some(), "endCursor": next});
    answer(json!({"data": {"search": {"nodes": nodes, "pageInfo": info}}, "errors": errors}))
}

async fn ids(transport: &Scripted) -> Vec<Result<String, Error>> {
    let query = Query::<Id>::new(ISSUES).pages_by("after", "/search");
    client(transport).stream(query).map(|item| item.map(|item| item.id)).collect().await
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_followed_by_its_cursor() {
    let transport =
        Scripted::new([page(&["1", "2"], Some("c1"), Value::Null), page(&["3"], None, Value::Null)]);
    let items: Vec<String> = ids(&transport).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(items, ["1", "2", "3"]);
    let body: Value = serde_json::from_slice(&transport.requests()[1].body).unwrap();
    assert_eq!(body["variables"], json!({"after": "c1"}));
    assert_eq!(transport.requests()[1].operation, "graphql:Issues");
}

#[tokio::test(start_paused = true)]
async fn a_page_with_errors_yields_its_nodes_then_the_errors_and_goes_on() {
    let hidden = json!([{"type": "FORBIDDEN", "message": "no", "path": ["search", "nodes", 1]}]);
    let transport = Scripted::new([page(&["1", ""], Some("c1"), hidden), page(&["3"], None, Value::Null)]);
    let items = ids(&transport).await;
    let kinds: Vec<_> = items.iter().map(|item| item.as_deref().map_err(Error::kind)).collect();
    assert_eq!(kinds, [Ok("1"), Err(ErrorKind::Forbidden), Ok("3")]);
    let error = items[1].as_ref().unwrap_err();
    assert_eq!(
        (types(error.details().unwrap()), error.operation()),
        (vec!["FORBIDDEN"], Some("graphql:Issues"))
    );
    let gone = answer(json!({"data": {"search": null}, "errors": [{"type": "NOT_FOUND", "message": "no"}]}));
    let items = ids(&Scripted::new([gone])).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_does_not_move_is_an_error_and_not_a_loop() {
    let same = || page(&["1"], Some("c1"), Value::Null);
    let transport = Scripted::new([same(), same(), same()]);
    let items = ids(&transport).await;
    assert_eq!(transport.requests().len(), 2);
    assert!(items.last().unwrap().as_ref().unwrap_err().to_string().contains("does not move"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_followed_is_refused_before_it_is_sent() {
    let cases = [
        (Query::<Id>::new(ISSUES).pages_by("cursor", "/search"), "`$cursor`"),
        (Query::new(ISSUES).pages_by("after", "search"), "/repository/issues"),
        (Query::new("mutation($after: String) { a(x: $after) { id } }").pages_by("after", "/a"), "mutation"),
    ];
    for (query, words) in cases {
        let transport = Scripted::new([]);
        let items: Vec<_> = client(&transport).stream(query).collect().await;
        let error = items[0].as_ref().unwrap_err();
        assert_eq!((error.kind(), transport.requests().len()), (ErrorKind::Invalid, 0), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_page_can_be_had_by_itself() {
    let edges = json!({"data": {"search": {"edges": [{"node": {"id": "1"}}, {"node": null}]}}});
    let transport = Scripted::new([
        page(&["1", ""], Some("c1"), Value::Null),
        answer(edges),
        answer(json!({"data": {}})),
    ]);
    let github = client(&transport);
    let query = Query::<Id>::new(ISSUES).pages_by("after", "/search");
    for _ in 0..2 {
        let nodes = github.send(query.clone()).await.unwrap();
        assert_eq!(nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["1"]);
    }
    assert_eq!(github.send(query).await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn a_raw_query_keeps_data_and_errors_and_is_refused_without_data() {
    let transport = Scripted::new([
        answer(half()),
        answer(json!({"data": null, "errors": [{"type": "NOT_FOUND", "message": "no"}]})),
    ]);
    let github = client(&transport);
    let raw = || Raw::<_, Value>::post("/graphql", &json!({"query": VIEWER})).unwrap();
    assert_eq!(github.send(raw()).await.unwrap(), half());
    let error = github.send(raw()).await.unwrap_err();
    assert_eq!((error.kind(), types(error.details().unwrap())), (ErrorKind::NotFound, vec!["NOT_FOUND"]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_rest_that_looks_like_graphql_is_none() {
    // The errors of a CODEOWNERS file, from an Enterprise Server without limits.
    let body = json!({"errors": [{"line": 3, "column": 1, "kind": "Invalid pattern", "message": "no"}]});
    let transport = Scripted::new([Answer::json(200, body.to_string())]);
    let github = client_of("https://git.example.com/api/v3", &transport);
    let raw = Raw::<_, Value>::get("/repos/o/r/codeowners/errors").unwrap();
    assert_eq!(github.send(raw).await.unwrap(), body);
}

/// What graphql_client's generator writes for `query Viewer { viewer { login } }`.
mod viewer {
    #![allow(unreachable_pub, reason = "as it is generated")]

    use serde::{Deserialize, Serialize};

    pub const OPERATION_NAME: &str = "Viewer";
    pub const QUERY: &str =
        "query Viewer($n: Int!) { viewer { login repositories(first: $n) { totalCount } } }";

    #[derive(Serialize)]
    pub struct Variables {
        pub n: i64,
    }

    #[derive(Debug, Deserialize)]
    pub struct ResponseData {
        pub viewer: ViewerViewer,
    }

    #[derive(Debug, Deserialize)]
    pub struct ViewerViewer {
        pub login: String,
    }
}

struct Viewer;

impl graphql_client::GraphQLQuery for Viewer {
    type Variables = viewer::Variables;
    type ResponseData = viewer::ResponseData;

    fn build_query(variables: Self::Variables) -> graphql_client::QueryBody<Self::Variables> {
        graphql_client::QueryBody { variables, query: viewer::QUERY, operation_name: viewer::OPERATION_NAME }
    }
}

#[tokio::test(start_paused = true)]
async fn what_graphql_client_generates_plugs_in() {
    use graphql_client::GraphQLQuery;
    let transport = Scripted::new([me()]);
    let body = Viewer::build_query(viewer::Variables { n: 10 });
    let data = client(&transport).send(Query::<viewer::ResponseData>::from_body(&body)).await.unwrap();
    assert_eq!(data.viewer.login, "mona");
    let seen = &transport.requests()[0];
    assert_eq!(seen.operation, "graphql:Viewer");
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent, serde_json::to_value(&body).unwrap());
}
