//! Recorded exchanges, played back in their order: a transport that answers the recorded request and no other.

use std::path::Path;
use std::sync::{Arc, Mutex};

use connect_core::{
    Bytes, Error, ErrorKind, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Transport,
    TransportFuture, Url,
};
use serde_json::Value;

/// How a body is framed is said anew: recorded bodies were unpacked and made anonymous.
const FRAMING: &[&str] = &["content-length", "content-encoding", "transfer-encoding", "connection"];

#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) status: u16,
    pub(crate) answer: Value,
    url: Url,
    recorded: Value,
}

impl Exchange {
    fn new(recorded: &Value) -> Self {
        let text = |name: &str| recorded[name].as_str().unwrap();
        Self {
            method: text("method").to_uppercase(),
            status: recorded["status"].as_u64().unwrap().try_into().unwrap(),
            answer: recorded["response"].clone(),
            url: Url::parse(text("scope")).unwrap().join(text("path")).unwrap(),
            recorded: recorded.clone(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    pub(crate) fn query(&self) -> Vec<(String, String)> {
        pairs(&self.url)
    }

    /// What was sent: an object, or text.
    pub(crate) fn body(&self) -> Value {
        self.recorded["body"].clone()
    }

    /// What was sent, where it is text.
    pub(crate) fn text(&self) -> String {
        self.recorded["body"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.recorded["headers"][name].as_str()
    }

    pub(crate) fn is_json(&self) -> bool {
        self.answer.is_object() || self.answer.is_array()
    }

    /// The body of the answer.
    pub(crate) fn bytes(&self) -> Bytes {
        let digit = |at: usize, hex: &str| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        match &self.answer {
            Value::String(hex) if self.recorded["responseIsBinary"] == true => {
                (0..hex.len()).step_by(2).map(|at| digit(at, hex)).collect()
            }
            Value::String(text) => text.clone().into(),
            json => json.to_string().into(),
        }
    }

    pub(crate) fn response(&self) -> Response {
        self.response_with(self.bytes())
    }

    /// The same answer with another value.
    pub(crate) fn response_of(&self, value: &Value) -> Response {
        self.response_with(value.to_string().into())
    }

    fn response_with(&self, body: Bytes) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in self.recorded["headers"].as_object().unwrap() {
            if !FRAMING.contains(&name.as_str()) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                headers.insert(
                    HeaderName::try_from(name.as_str()).unwrap(),
                    HeaderValue::try_from(text).unwrap(),
                );
            }
        }
        Response::new(StatusCode::from_u16(self.status).unwrap(), headers, body)
    }

    /// What is wrong with a request that should be this one.
    fn differs(&self, request: &Request) -> Option<String> {
        let url = request.url().unwrap();
        let differs = |what: &str, asked: &dyn std::fmt::Debug, recorded: &dyn std::fmt::Debug| {
            Some(format!("{what}: asked {asked:?}, recorded {recorded:?}"))
        };
        let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
        if request.method().as_str() != self.method {
            return differs("method", request.method(), &self.method);
        }
        if (url.host_str(), path(url)) != (self.url.host_str(), path(&self.url)) {
            return differs("address", url, &self.url);
        }
        // Lists are asked for with the biggest pages, unless the caller says otherwise.
        let mut asked = pairs(url);
        if !self.query().iter().any(|(name, _)| name == "per_page") {
            asked.retain(|(name, _)| name != "per_page");
        }
        let (mut asked, mut recorded) = (asked, self.query());
        asked.sort();
        recorded.sort();
        if asked != recorded {
            return differs("query", &asked, &recorded);
        }
        let body = request.body().as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let body = body.unwrap_or_default();
        let same = match self.body() {
            Value::String(text) => text == body,
            recorded => serde_json::from_str::<Value>(&body).is_ok_and(|asked| asked == recorded),
        };
        if same { None } else { differs("body", &body, &self.body()) }
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.method, self.url, self.status)
    }
}

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// A scenario and how far it is. Clones share it.
#[derive(Clone)]
pub(crate) struct Tape {
    exchanges: Arc<[Exchange]>,
    played: Arc<Mutex<usize>>,
}

impl Tape {
    pub(crate) fn of(file: &Path) -> Self {
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let exchanges = recorded.as_array().unwrap().iter().map(Exchange::new).collect();
        Self { exchanges, played: Arc::default() }
    }

    /// How many exchanges are over.
    pub(crate) fn played(&self) -> usize {
        *self.played.lock().unwrap()
    }

    pub(crate) fn at(&self, at: usize) -> &Exchange {
        &self.exchanges[at]
    }

    /// What was recorded next.
    pub(crate) fn next(&self) -> Option<Exchange> {
        self.exchanges.get(self.played()).cloned()
    }

    pub(crate) fn skip(&self) {
        *self.played.lock().unwrap() += 1;
    }
}

impl Transport for Tape {
    fn send(&self, request: Request) -> TransportFuture {
        let mistake = match self.next() {
            Some(exchange) => match exchange.differs(&request) {
                None => {
                    self.skip();
                    return Box::pin(std::future::ready(Ok(exchange.response())));
                }
                Some(difference) => difference,
            },
            None => format!("nothing more was recorded, and {:?} is asked", request.url()),
        };
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::Invalid, mistake))))
    }
}
