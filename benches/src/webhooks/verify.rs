//! Verifying a GitHub signature: connect-webhook beside ring, and beside the library that Node programs use.
//!
//! All three get the same secret, body and signature and start from headers or text that is already in memory.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use connect_webhook::{UnixTime, Verifier, schemes, sign};
use http::HeaderMap;
use serde_json::json;

use crate::ingestion::delivery::SECRET;
use crate::ingestion::node;
use crate::process::Process;
use crate::webhooks::alternate::Rounds;
use crate::webhooks::ring;
use crate::{Failure, allocations};

/// GitHub signs no time, so any will do.
const NOW: UnixTime = UnixTime(0);

const ROUNDS: usize = 41;

/// What is verified in a round.
struct Case {
    bytes: usize,
    name: &'static str,
    /// About a millisecond's worth.
    calls: u32,
    goal: &'static str,
}

const BESIDE_RING: [Case; 3] = [
    Case { bytes: 1024, name: "1 KB", calls: 1500, goal: "at most 0.90" },
    Case { bytes: 25 * 1024, name: "25 KB", calls: 80, goal: "at most 1.05" },
    Case { bytes: 1024 * 1024, name: "1 MB", calls: 3, goal: "at most 1.05" },
];

const BESIDE_NODE: [Case; 2] = [
    Case { bytes: 1024, name: "1 KB", calls: 1500, goal: "at most 0.25" },
    Case { bytes: 25 * 1024, name: "25 KB", calls: 80, goal: "none" },
];

/// Enough for Node's compiler to settle.
const NODE_WARM_UP: u32 = 20_000;

/// The first table.
pub(crate) fn beside_ring() -> Result<String, Failure> {
    let mut text = String::from(
        "Nanoseconds per verification: median (10th..90th percentile of the rounds). The ratio is taken within each \
         round.\n\n\
         | body | connect-webhook | ring, key per call | ratio | goal | allocations | ring's |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for Case { bytes, name, calls, goal } in BESIDE_RING {
        eprintln!("webhook verification beside ring, {name}");
        let ours = Ours::new(bytes)?;
        let theirs = || ring::verify(SECRET, black_box(&ours.headers), black_box(&ours.body));
        let rounds = Rounds::measure(
            ROUNDS,
            || Ok(nanoseconds(calls, || ours.verify())),
            || Ok(nanoseconds(calls, theirs)),
        )?;
        writeln!(
            text,
            "| {name} | {} | {} | {:.2} | {goal} | {} | {} |",
            rounds.ours(),
            rounds.theirs(),
            rounds.ratio(),
            allocations_of(|| ours.verify()),
            allocations_of(theirs),
        )?;
    }
    Ok(text)
}

/// The second table; says so if Node is not here.
pub(crate) fn beside_node(installed: &Result<String, String>) -> Result<String, Failure> {
    let version = match installed {
        Ok(version) => version,
        Err(reason) => return Ok(format!("@octokit/webhooks: skipped; {reason}.\n\n")),
    };
    let mut text = format!(
        "| body | connect-webhook | {}, Node {version} | ratio | goal |\n|---|---|---|---|---|\n",
        node::package()?
    );
    let mut node = start_node()?;
    for Case { bytes, name, calls, goal } in BESIDE_NODE {
        eprintln!("webhook verification beside Node, {name}");
        let ours = Ours::new(bytes)?;
        let signature =
            ours.headers.get("x-hub-signature-256").ok_or("nothing was signed")?.to_str()?.to_owned();
        let mut theirs = |calls: u32| -> Result<f64, Failure> {
            let question = json!({ "bytes": bytes, "signature": signature, "calls": calls });
            Ok(node.ask(&question.to_string())?.parse()?)
        };
        theirs(NODE_WARM_UP)?;
        let rounds = Rounds::measure(ROUNDS, || Ok(nanoseconds(calls, || ours.verify())), || theirs(calls))?;
        writeln!(
            text,
            "| {name} | {} | {} | {:.2} | {goal} |",
            rounds.ours(),
            rounds.theirs(),
            rounds.ratio()
        )?;
    }
    text.push('\n');
    Ok(text)
}

fn start_node() -> Result<Process, Failure> {
    let script = Path::new(node::FOLDER).join("verify.mjs");
    Process::start(Command::new("node").arg(script).arg(SECRET).env("NODE_ENV", "production"))
}

/// A verifier and what it verifies.
struct Ours {
    verifier: Verifier,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Ours {
    /// The body is printable ASCII; the script for Node makes the same.
    fn new(bytes: usize) -> Result<Self, Failure> {
        let body: Vec<u8> = (0..bytes).map(|index| b' ' + (index % 95) as u8).collect();
        Ok(Self {
            verifier: Verifier::new(&schemes::GITHUB, [SECRET.into()])?,
            headers: sign(&schemes::GITHUB, &SECRET.into(), &body, NOW)?,
            body,
        })
    }

    fn verify(&self) -> bool {
        self.verifier.verify(black_box(&self.headers), black_box(&self.body), NOW).is_ok()
    }
}

/// Per call; a verification that fails would be no measurement.
fn nanoseconds(calls: u32, verify: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        assert!(black_box(verify()), "the signature is valid");
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn allocations_of(verify: impl Fn() -> bool) -> u64 {
    let before = allocations::so_far();
    assert!(black_box(verify()), "the signature is valid");
    allocations::so_far().since(before).count
}
