//! The clients that are compared. Each sends the same request with the same four headers of its own.
//!
//! The raw ones do what a careful program writes by hand: a client built once with default headers, the URL from its
//! parts per request, an error for a bad status. They have no time-outs, no retry and no checks of the answer's size.

use std::hint::black_box;
use std::time::Duration;

use connect_core::transport::HyperTransport;
use connect_core::{Config, Decoding, Endpoint, Operation, Origins, Request, Response};
use connect_github::model::Issue;
use connect_github::{GitHub, GitHubApi, issues};
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::body::Bytes;
use octocrab::Octocrab;

use super::typed;
use crate::{Failure, allocations};

pub(super) const OWNER: &str = "rust-lang";
pub(super) const REPO: &str = "rust";
pub(super) const NUMBER: i64 = 101_337;
pub(super) const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// Fills pools and lazily made tables before anything is counted.
const WARM_UP: u32 = 50;

/// One row of the table.
pub(crate) struct Client {
    /// The argument of the subcommand `client`.
    pub(crate) name: &'static str,
    /// What the table calls it.
    pub(crate) label: &'static str,
    /// What it may come to beside the yardstick: instructions, allocations.
    pub(crate) goal: &'static str,
}

/// Of the first table, the yardstick first.
pub(crate) const CLIENTS: [Client; 8] = [
    Client { name: "raw-bytes", label: "raw reqwest, bytes", goal: "" },
    Client {
        name: "raw-bytes-timeouts",
        label: "raw reqwest with connect-core's time-outs, bytes",
        goal: "",
    },
    Client { name: "connect-bytes", label: "connect-github, bytes", goal: "1.05x, +5" },
    Client { name: "connect-hyper", label: "connect-github over hyper, bytes", goal: "0.72x, 0.65x" },
    Client { name: "raw-issue", label: "raw reqwest + serde_json, `connect_github::model::Issue`", goal: "" },
    Client { name: "connect-issue", label: "connect-github `issues::Get`, the same type", goal: "" },
    Client { name: "octocrab-lean", label: "octocrab `get`, the same type", goal: "" },
    Client { name: "octocrab-issue", label: "octocrab `issues().get`, its own type", goal: "" },
];

/// Sends `count` requests after a warm-up and prints what they allocated: count and bytes.
pub(crate) fn run(name: &str, address: &str, count: &str) -> Result<(), Failure> {
    let base = format!("http://{address}");
    let count = count.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match name {
            "raw-bytes" => {
                let client = reqwest_client().build()?;
                repeat(count, || raw_bytes(&client, &base)).await
            }
            "raw-bytes-timeouts" => {
                let config = Config::default();
                let client = reqwest_client()
                    .connect_timeout(config.connect_timeout)
                    .read_timeout(config.read_timeout)
                    .build()?;
                let client = &client;
                let limit: Duration = config.attempt_timeout;
                repeat(count, || async { tokio::time::timeout(limit, raw_bytes(client, &base)).await? }).await
            }
            "raw-issue" => {
                let client = reqwest_client().build()?;
                repeat(count, || raw_issue(&client, &base)).await
            }
            "connect-bytes" => {
                let github = GitHub::builder().base_url(&base).token(TOKEN).build()?;
                repeat(count, || connect_bytes(&github)).await
            }
            "connect-hyper" => {
                let transport = HyperTransport::new(&Config::default(), &Origins::new(&base)?)?;
                let github = GitHub::builder().base_url(&base).token(TOKEN).transport(transport).build()?;
                repeat(count, || connect_bytes(&github)).await
            }
            "connect-issue" => {
                let github = GitHub::builder().base_url(&base).token(TOKEN).build()?;
                repeat(count, || async { Ok(github.send(issues::Get::new(OWNER, REPO, NUMBER)).await?) })
                    .await
            }
            "octocrab-lean" => {
                let octocrab = octocrab_client(&base)?;
                repeat(count, || octocrab_lean(&octocrab)).await
            }
            "octocrab-issue" => {
                let octocrab = octocrab_client(&base)?;
                repeat(count, || async { Ok(octocrab.issues(OWNER, REPO).get(NUMBER.unsigned_abs()).await?) })
                    .await
            }
            _ => typed::run(name, &base, count).await,
        }
    })
}

pub(super) async fn repeat<T, F>(count: u32, request: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for _ in 0..WARM_UP {
        black_box(request().await?);
    }
    let before = allocations::so_far();
    for _ in 0..count {
        black_box(request().await?);
    }
    let used = allocations::so_far().since(before);
    println!("{} {}", used.count, used.bytes);
    Ok(())
}

pub(super) fn reqwest_client() -> reqwest::ClientBuilder {
    let mut token = HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("the token is plain ASCII");
    token.set_sensitive(true);
    let headers: HeaderMap = [
        (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
        (AUTHORIZATION, token),
        (USER_AGENT, HeaderValue::from_static("bench-peers")),
        (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28")),
    ]
    .into_iter()
    .collect();
    // A proxy of the environment would be measured too.
    reqwest::Client::builder().default_headers(headers).no_proxy()
}

async fn raw_bytes(client: &reqwest::Client, base: &str) -> Result<Bytes, Failure> {
    let url = format!("{base}/repos/{OWNER}/{REPO}/issues/{NUMBER}");
    Ok(client.get(url).send().await?.error_for_status()?.bytes().await?)
}

async fn raw_issue(client: &reqwest::Client, base: &str) -> Result<Issue, Failure> {
    Ok(serde_json::from_slice(&raw_bytes(client, base).await?)?)
}

async fn connect_bytes(github: &GitHub) -> Result<Bytes, Failure> {
    Ok(github.send(GetBytes(issues::Get::new(OWNER, REPO, NUMBER))).await?)
}

/// `issues/get` with the answer's bytes as they are.
struct GetBytes(issues::Get);

impl Endpoint for GetBytes {
    type Api = GitHubApi;
    type Output = Bytes;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, connect_core::Error> {
        self.0.request()
    }

    fn decode(&self, response: Response, _cx: &mut Decoding) -> Result<Bytes, connect_core::Error> {
        Ok(response.body().clone())
    }
}

pub(super) fn octocrab_client(base: &str) -> Result<Octocrab, Failure> {
    Ok(Octocrab::builder().base_uri(base)?.personal_token(TOKEN).build()?)
}

async fn octocrab_lean(octocrab: &Octocrab) -> Result<Issue, Failure> {
    let route = format!("/repos/{OWNER}/{REPO}/issues/{NUMBER}");
    Ok(octocrab.get(route, None::<&()>).await?)
}
