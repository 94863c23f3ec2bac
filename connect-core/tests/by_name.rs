//! Operations by name, and what generated endpoints stand on: arguments, drift, files in forms.
#![cfg(feature = "by-name")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::argument::{Arguments, Parameter, Payload, Shape};
use connect_core::by_name::{Catalog, Category, Entry, Named};
use connect_core::simulation::{Answer, Scripted};
use connect_core::upload::Content;
use connect_core::{
    Body, Decoding, Endpoint, Error, ErrorKind, HeaderValue, Method, Operation, Paged, Paging, Request,
    Response, Safety, Upload,
};
use connect_model::{Deserializer, Field, Model, required, skip};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use weather::{Weather, client};

const LIST: &Operation = &Operation::new("stations/list", Method::GET, "/{region}/stations", Safety::Safe)
    .paged(Paging::Cursor { items: "/stations", next: "/next", param: "cursor", last: None })
    .takes(
        Payload::None,
        &[
            Parameter::name("region"),
            Parameter::query("cursor", Shape::Text),
            Parameter::query("limit", Shape::Integer).default("50"),
        ],
    );
const CREATE: &Operation = &Operation::new("stations/create", Method::POST, "/stations", Safety::Unsafe)
    .takes(
        Payload::Json("application/json"),
        &[
            Parameter::field("name", Shape::Text).required(),
            Parameter::field("height", Shape::Number),
            Parameter::field("hook", Shape::Object).secrets(&["secret"]),
        ],
    );
const EXPORT: &Operation = &Operation::new("stations/import", Method::POST, "/import/{path}", Safety::Unsafe)
    .takes(Payload::File("text/csv"), &[Parameter::tail("path")]);
const JOIN: &Operation = &Operation::new("stations/join", Method::POST, "/join", Safety::Unsafe)
    .takes(Payload::Form, &[Parameter::field("station", Shape::Text).required()]);
const PICTURE: &Operation =
    &Operation::new("stations/set-picture", Method::PUT, "/picture", Safety::Idempotent)
        .takes(Payload::Multipart("image"), &[Parameter::field("crop", Shape::Integer)]);

static CATALOG: Catalog = Catalog::new(
    "weather",
    &[Category::new(
        "stations",
        &[
            Entry::new(LIST, "{}"),
            Entry::new(CREATE, "{}"),
            Entry::new(PICTURE, "{}"),
            Entry::new(EXPORT, "{}"),
            Entry::new(JOIN, "{}"),
        ],
    )],
);

fn named(operation: &str, arguments: Value) -> Result<Named<Weather>, Error> {
    Named::new(&CATALOG, operation, arguments)
}

#[tokio::test(start_paused = true)]
async fn a_list_called_by_name_goes_to_its_end() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"stations": [{"id": 1}], "next": "b"}"#),
        Answer::json(200, r#"{"stations": [{"id": 2}]}"#),
    ]);
    let list = named("stations/list", json!({"region": "north"})).unwrap();
    let items: Vec<_> = client(&transport).stream(list).try_collect().await.unwrap();
    assert_eq!(items.iter().map(|item| item.get()).collect::<Vec<_>>(), [r#"{"id": 1}"#, r#"{"id": 2}"#]);
    let urls: Vec<String> = transport.requests().into_iter().map(|request| request.url).collect();
    assert_eq!(
        urls,
        [
            "https://api.weather.example/north/stations?limit=50",
            "https://api.weather.example/north/stations?limit=50&cursor=b",
        ]
    );
}

#[test]
fn every_slip_is_named_with_what_was_meant() {
    let cases = [
        (named("station/list", json!({})), "did you mean `stations/list`?"),
        (named("dance", json!({})), "weather has no operation of this name"),
        (named("stations/create", json!({"nmae": "a"})), "did you mean `name`?"),
        (named("stations/create", json!({"xyz": "a"})), "there are name, height, hook"),
        (named("stations/create", json!({})), "the argument `name` is missing"),
        (named("stations/create", json!({"name": 7})), "`name` is text, not a number"),
        (named("stations/create", json!({"name": "a", "hook": []})), "`hook` is an object, not a list"),
        (
            named("stations/list", json!({"region": "a", "limit": 1.5})),
            "`limit` is a whole number, not a fraction",
        ),
        (named("stations/list", json!(["north"])), "no JSON object"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(expected), "{error} / {expected}");
    }
    for region in ["a b", "a/b", ".."] {
        let error = named("stations/list", json!({"region": region})).unwrap().request().unwrap_err();
        assert!(error.to_string().contains("`region`"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_inside_an_argument_is_sent_and_not_shown() {
    let transport = Scripted::new([Answer::json(201, r#"{"ok": true}"#)]);
    let arguments =
        json!({"name": "a", "height": 2, "hook": {"url": "https://h.example", "secret": "canary-1"}});
    let create = named("stations/create", arguments).unwrap();
    assert!(!format!("{create:?} {}", serde_json::to_string(&create).unwrap()).contains("canary"));
    let answer = client(&transport).send(create).await.unwrap();
    assert_eq!(answer.get(), r#"{"ok": true}"#);
    let sent: Value = serde_json::from_slice(&transport.requests()[0].body).unwrap();
    assert_eq!(sent["hook"]["secret"], "canary-1");
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_null_and_text_is_a_string() {
    let transport =
        Scripted::new([Answer::status(204), Answer::json(200, "plain").header("content-type", "text/plain")]);
    let create = || named("stations/create", json!({"name": "a"})).unwrap();
    assert_eq!(client(&transport).send(create()).await.unwrap().get(), "null");
    assert_eq!(client(&transport).send(create()).await.unwrap().get(), r#""plain""#);
}

#[tokio::test(start_paused = true)]
async fn a_file_joins_the_fields_of_its_form() {
    let transport = Scripted::new([Answer::json(200, "{}")]);
    let picture = named("stations/set-picture", json!({"crop": 64})).unwrap();
    let content = Content::new(HeaderValue::from_static("image/png"), Body::from("PNG")).file_name("me.png");
    client(&transport).upload(picture, content).await.unwrap();
    let seen = &transport.requests()[0];
    assert!(seen.headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    for part in [
        "name=\"crop\"\r\n\r\n64\r\n",
        "name=\"image\"; filename=\"me.png\"\r\nContent-Type: image/png\r\n\r\nPNG",
    ] {
        assert!(body.contains(part), "{body}");
    }
}

/// A model as the generator writes it.
#[derive(Clone, Debug, Default)]
struct Station {
    id: i64,
    name: String,
}

impl Model for Station {
    const NAME: &'static str = "Station";
    const FIELDS: &'static [Field] = &[Field::required("id"), Field::required("name")];

    fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {
        match field {
            0 => required(&mut self.id, value),
            1 => required(&mut self.name, value),
            _ => skip(value),
        }
    }
}
connect_model::models!(Station);

/// An endpoint as the generator writes it.
struct Stations(Arguments);

impl Stations {
    fn new() -> Self {
        Self(Arguments::new(LIST).text("region", "north"))
    }
}

impl Endpoint for Stations {
    type Api = Weather;
    type Output = Vec<Station>;

    fn operation(&self) -> &Operation {
        LIST
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Vec<Station>, Error> {
        cx.json(&response)
    }
}

impl Paged for Stations {
    type Item = Station;
}

impl Upload for Stations {}

#[tokio::test(start_paused = true)]
async fn drift_is_reported_and_is_an_error_only_when_asked_for() {
    let answer = || Answer::json(200, r#"[{"id": 1, "name": "a"}, {"id": 2}, {"id": 3, "name": null}]"#);
    let transport = Scripted::new([answer(), answer()]);
    let (stations, report) = client(&transport).send(Stations::new()).explain().await;
    let names: Vec<String> = stations.unwrap().into_iter().map(|station| station.name).collect();
    assert_eq!(names, ["a", "", ""]);
    assert!(report.to_string().contains("Station.name"), "{report}");
    let error = client(&transport).send(Stations::new()).strict().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("Station.name"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn drift_in_a_page_is_reported_too() {
    let page = || Answer::json(200, r#"{"stations": [{"id": 1}, {"id": 2}]}"#);
    let transport = Scripted::new([page(), page()]);
    let stations: Vec<Station> = client(&transport).stream(Stations::new()).try_collect().await.unwrap();
    assert_eq!(stations.iter().map(|station| station.id).collect::<Vec<_>>(), [1, 2]);
    let strict = client(&transport).stream(Stations::new()).strict().try_collect::<Vec<_>>().await;
    assert_eq!(strict.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_type_is_an_error_with_its_path() {
    let transport = Scripted::new([Answer::json(200, r#"[{"id": 1, "name": "a"}, {"id": "two"}]"#)]);
    let error = client(&transport).send(Stations::new()).await.unwrap_err();
    assert!(error.to_string().contains("[1].id"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_not_sent_to_find_that_out() {
    let transport = Scripted::new([]);
    let create = named("stations/create", json!({"name": "a"})).unwrap();
    let error = client(&transport).stream(create).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(transport.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_upload_needs_its_file_and_nothing_else_takes_one() {
    let transport = Scripted::new([Answer::json(200, "{}")]);
    let client = client(&transport);
    let import = || named("stations/import", json!({"path": "a/b.csv"})).unwrap();
    let error = client.send(import()).await.unwrap_err();
    assert!(error.to_string().contains("client.upload"), "{error}");
    let error =
        client.upload(named("stations/join", json!({"station": "a"})).unwrap(), Body::from("x")).await;
    assert!(error.unwrap_err().to_string().contains("takes no file"));
    assert!(transport.requests().is_empty());
    client.upload(import(), Body::from("")).await.unwrap();
    assert_eq!(transport.requests()[0].headers["content-type"], "text/csv");
}

#[test]
fn what_could_not_be_meant_is_refused() {
    let cases = [
        (named("stations/join", json!({"station": null})), "`station` is missing"),
        (named("stations/create", json!({"name": "a", "hook": {"secret": "[redacted]"}})), "placeholder"),
        (named("stations/create", json!({"name": "a", "hook": {"secret": 7}})), "`hook` is no text"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(expected), "{error} / {expected}");
    }
    let error = named("stations/import", json!({"path": ""})).unwrap().request().unwrap_err();
    assert!(error.to_string().contains("`path` is empty"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn another_answer_type_drifts_like_the_endpoints_own() {
    let transport = Scripted::new([Answer::json(200, r#"[{"id": 1}]"#)]);
    let call = client(&transport).send(Stations::new()).decode_as::<Vec<Station>>();
    assert_eq!(call.strict().await.unwrap_err().kind(), ErrorKind::Decode);
}
