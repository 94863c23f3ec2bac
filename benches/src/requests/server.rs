//! Answers every request with the same issue, or with a hundred, and GitHub's usual headers. Runs as a process of its own.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Failure;
use crate::process::Process;

/// Shaped like an answer of `GET /repos/{owner}/{repo}/issues/{issue_number}`, every value invented.
pub(crate) const ISSUE: &str = include_str!("issue.json");

/// As GitHub sends them; hyper adds `content-length` and `date`.
const HEADERS: [(&str, &str); 18] = [
    ("server", "github.com"),
    ("content-type", "application/json; charset=utf-8"),
    ("cache-control", "private, max-age=60, s-maxage=60"),
    ("vary", "Accept, Authorization, Cookie, X-GitHub-OTP"),
    ("etag", "W/\"9d0b1f1a8a9ce1d9b1f2d5a0b8b7e5f6c4d3a2b1908f7e6d5c4b3a2918070605\""),
    ("last-modified", "Thu, 12 Mar 2026 09:14:07 GMT"),
    ("x-github-media-type", "github.v3; format=json"),
    ("x-github-api-version-selected", "2022-11-28"),
    ("x-ratelimit-limit", "5000"),
    ("x-ratelimit-remaining", "4987"),
    ("x-ratelimit-used", "13"),
    ("x-ratelimit-reset", "1773310447"),
    ("x-ratelimit-resource", "core"),
    ("x-github-request-id", "C0DE:1F2E3D:4C5B6A:798897:67D1A2B3"),
    ("strict-transport-security", "max-age=31536000; includeSubdomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "deny"),
    ("referrer-policy", "origin-when-cross-origin, strict-origin-when-cross-origin"),
];

/// How many headers a client sees.
pub(crate) fn header_count() -> usize {
    HEADERS.len() + ["content-length", "date"].len()
}

/// Starts it as a process of its own.
pub(crate) fn start(program: &Path) -> Result<Process, Failure> {
    Process::start(Command::new(program).arg("serve"))
}

/// Listens on a free port, prints the address, and answers until the process ends.
pub(crate) fn serve() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = service_fn(|request: Request<Incoming>| async move {
                let is_list = request.uri().path().ends_with("/issues");
                Ok::<_, Infallible>(answer(if is_list {
                    list()
                } else {
                    Bytes::from_static(ISSUE.as_bytes())
                }))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

/// A hundred of them, told apart by their numbers.
pub(crate) fn list() -> Bytes {
    static LIST: OnceLock<Bytes> = OnceLock::new();
    let make = || {
        let issue = |number| ISSUE.replace("\"number\":101337", &format!("\"number\":{number}"));
        let issues: Vec<_> = (101_337..101_437).map(issue).collect();
        Bytes::from(format!("[{}]", issues.join(",")))
    };
    LIST.get_or_init(make).clone()
}

fn answer(body: Bytes) -> Response<Full<Bytes>> {
    let builder =
        HEADERS.iter().fold(Response::builder(), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Full::new(body)).expect("the headers are constants")
}
