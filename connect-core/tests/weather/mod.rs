//! A tiny provider for behaviour tests: reads, writes, and a list of each paging kind.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test binary uses its part")]

use connect_core::simulation::Scripted;
use connect_core::{
    Api, Client, ClientBuilder, Config, Credentials, Decoding, Endpoint, Error, Method, Operation, Paged,
    Paging, Problem, Request, Response, Safety, Verdict,
};

pub enum Weather {}

impl Api for Weather {
    const ID: &'static str = "weather";
    const BASE_URL: &'static str = "https://api.weather.example";
    const IDEMPOTENCY_HEADER: Option<&'static str> = Some("idempotency-key");
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        Verdict::from_status(response)
    }

    fn problem(response: &Response) -> Problem {
        let words = std::str::from_utf8(response.body()).ok().filter(|text| !text.is_empty());
        Problem::default().with_message(words.map(str::to_owned))
    }
}

/// An operation with the safety a test asks for.
#[derive(Clone, Debug)]
pub struct Ask(pub Operation);

impl Ask {
    pub fn read() -> Self {
        Self(Operation::new("today", Method::GET, "/today", Safety::Safe))
    }

    pub fn write() -> Self {
        Self(Operation::new("report", Method::POST, "/reports", Safety::Unsafe))
    }

    pub fn keyed() -> Self {
        Self(Operation::new("charge", Method::POST, "/charges", Safety::Keyed))
    }

    pub fn replace() -> Self {
        Self(Operation::new("replace", Method::PUT, "/reports/1", Safety::Idempotent))
    }
}

impl Endpoint for Ask {
    type Api = Weather;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        &self.0
    }

    fn request(&self) -> Result<Request, Error> {
        let builder = Request::builder(&self.0);
        if self.0.method == Method::GET {
            builder.build()
        } else {
            builder.json(&serde_json::json!({"rain": 1})).build()
        }
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        cx.json(&response)
    }
}

/// A list, paged as a test asks for.
#[derive(Clone, Debug)]
pub struct List(pub Operation);

impl List {
    pub fn by_link() -> Self {
        Self(
            Operation::new("stations", Method::GET, "/stations", Safety::Safe)
                .paged(Paging::Link { items: "" }),
        )
    }

    pub fn by_cursor() -> Self {
        Self(Operation::new("readings", Method::GET, "/readings", Safety::Safe).paged(Paging::Cursor {
            items: "/readings",
            next: "/meta/next",
            param: "cursor",
            last: None,
        }))
    }

    pub fn by_offset() -> Self {
        Self(Operation::new("storms", Method::GET, "/storms", Safety::Safe).paged(Paging::Offset {
            items: "/values",
            offset_param: "startAt",
            limit_param: "limit",
            total: Some("/total"),
            last: Some("/isLast"),
        }))
    }

    pub fn by_next_url() -> Self {
        Self(
            Operation::new("fronts", Method::GET, "/fronts", Safety::Safe)
                .paged(Paging::NextUrl { items: "/values", next: "/next" }),
        )
    }
}

impl Endpoint for List {
    type Api = Weather;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        &self.0
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&self.0).query("limit", Some(2)).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        cx.json(&response)
    }
}

impl Paged for List {
    type Item = u32;
}

pub const TOKEN: &str = "canary-token-4711";

pub fn builder(transport: &Scripted) -> ClientBuilder<Weather> {
    Client::<Weather>::builder()
        .credentials(Credentials::bearer(TOKEN))
        .config(Config::default().with_seed(7))
        .transport(transport.clone())
}

pub fn client(transport: &Scripted) -> Client<Weather> {
    builder(transport).build().unwrap()
}

/// A request made by hand whose body may be gone after the first call.
#[derive(Debug)]
pub struct Once(Operation, std::sync::Mutex<Option<Request>>);

impl Once {
    pub fn new(request: Request) -> Self {
        Self(request.operation().clone(), std::sync::Mutex::new(Some(request)))
    }
}

impl Endpoint for Once {
    type Api = Weather;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        &self.0
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(self.1.lock().unwrap().take().unwrap())
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        cx.json(&response)
    }
}
