//! Typed answers: what it takes until a program holds one issue, or a hundred, in a type.

use connect_core::transport::HyperTransport;
use connect_core::{Config, Origins};
use connect_github::model::Issue;
use connect_github::{GitHub, issues};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Client, NUMBER, OWNER, REPO, TOKEN, octocrab_client, repeat, reqwest_client};
use crate::Failure;

/// What a program that looks at issues may want of each.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "decoding is what is measured")]
pub(super) struct Lean {
    number: i64,
    title: String,
    state: String,
    html_url: String,
    user: Option<Login>,
    labels: Vec<Label>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "decoding is what is measured")]
struct Login {
    login: String,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "decoding is what is measured")]
struct Label {
    name: String,
}

/// One issue; the yardstick, octocrab, first. Goals: instructions, allocations.
pub(crate) const ONE: [Client; 7] = [
    Client { name: "octocrab-issue", label: "octocrab `issues().get`, its own type", goal: "" },
    Client { name: "one-lean", label: "connect-github, lean struct", goal: "0.40x, 0.30x" },
    Client { name: "one-full", label: "connect-github, full model", goal: "0.50x, 0.50x" },
    Client { name: "one-lean-hyper", label: "connect-github over hyper, lean struct", goal: "" },
    Client { name: "one-full-hyper", label: "connect-github over hyper, full model", goal: "" },
    Client { name: "one-lean-raw", label: "reqwest + serde_json, lean struct", goal: "" },
    Client { name: "one-full-raw", label: "reqwest + serde_json, full model", goal: "" },
];

/// A hundred issues.
pub(crate) const HUNDRED: [Client; 7] = [
    Client { name: "octocrab-list", label: "octocrab `issues().list`, its own type", goal: "" },
    Client { name: "list-lean", label: "connect-github, lean struct", goal: "0.18x" },
    Client { name: "list-full", label: "connect-github, full model", goal: "0.30x" },
    Client { name: "list-lean-hyper", label: "connect-github over hyper, lean struct", goal: "" },
    Client { name: "list-full-hyper", label: "connect-github over hyper, full model", goal: "" },
    Client { name: "list-lean-raw", label: "reqwest + serde_json, lean struct", goal: "" },
    Client { name: "list-full-raw", label: "reqwest + serde_json, full model", goal: "" },
];

/// Sends `count` requests as the row of this name does.
pub(super) async fn run(name: &str, base: &str, count: u32) -> Result<(), Failure> {
    let one = || issues::Get::new(OWNER, REPO, NUMBER);
    let list = || issues::ListForRepo::new(OWNER, REPO).per_page(100);
    if let Some(name) = name.strip_suffix("-raw") {
        let client = reqwest_client().build()?;
        let one = format!("{base}/repos/{OWNER}/{REPO}/issues/{NUMBER}");
        let list = format!("{base}/repos/{OWNER}/{REPO}/issues?per_page=100");
        return match name {
            "one-lean" => repeat(count, || raw::<Lean>(&client, &one)).await,
            "one-full" => repeat(count, || raw::<Issue>(&client, &one)).await,
            "list-lean" => repeat(count, || raw::<Vec<Lean>>(&client, &list)).await,
            "list-full" => repeat(count, || raw::<Vec<Issue>>(&client, &list)).await,
            _ => Err(format!("no client is called {name}-raw").into()),
        };
    }
    if name == "octocrab-list" {
        let octocrab = octocrab_client(base)?;
        return repeat(count, || async {
            Ok(octocrab.issues(OWNER, REPO).list().per_page(100).send().await?)
        })
        .await;
    }
    let builder = GitHub::builder().base_url(base).token(TOKEN);
    let (name, github) = match name.strip_suffix("-hyper") {
        Some(name) => {
            let transport = HyperTransport::new(&Config::default(), &Origins::new(base)?)?;
            (name, builder.transport(transport).build()?)
        }
        None => (name, builder.build()?),
    };
    let github = &github;
    match name {
        "one-lean" => repeat(count, || async { Ok(github.send(one()).decode_as::<Lean>().await?) }).await,
        "one-full" => repeat(count, || async { Ok(github.send(one()).await?) }).await,
        "list-lean" => {
            repeat(count, || async { Ok(github.send(list()).decode_as::<Vec<Lean>>().await?) }).await
        }
        "list-full" => repeat(count, || async { Ok(github.send(list()).await?) }).await,
        _ => Err(format!("no client is called {name}").into()),
    }
}

async fn raw<T: DeserializeOwned>(client: &reqwest::Client, url: &str) -> Result<T, Failure> {
    let bytes = client.get(url).send().await?.error_for_status()?.bytes().await?;
    Ok(serde_json::from_slice(&bytes)?)
}
