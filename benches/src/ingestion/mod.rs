//! What it costs to take a webhook in: verify it, commit it to the disk, answer 202.
//!
//! Each server is a process of its own that answers the same deliveries over 32 kept-alive loopback connections. All run
//! for the whole time and take turns, another one first in each round, so that a busier moment hits all of them; ratios
//! are taken within a round.

pub(crate) mod delivery;
mod disk;
pub(crate) mod load;
pub(crate) mod node;
pub(crate) mod server;

use std::fmt::Write;
use std::process::Command;

use crate::Failure;
use crate::ingestion::delivery::ISSUES;
use crate::ingestion::disk::Scratch;
use crate::process::Process;
use crate::spread::Spread;

const ROUNDS: usize = 5;

/// Of the fastest server a tenth of a second's work: a hundred times what the scheduler's account lags behind.
const REQUESTS: u64 = 5000;

/// Enough for Node's compiler to settle, and for the stores' files to be more than a few pages.
const WARM_UP: u64 = 5000;

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Bare,
    Group,
    Each,
    Node,
}

impl Server {
    /// The yardstick first, then what is measured.
    const ALL: [Self; 4] = [Self::Bare, Self::Group, Self::Each, Self::Node];

    fn label(self) -> Result<String, Failure> {
        Ok(match self {
            Self::Bare => "bare axum handler that verifies, nothing stored".to_owned(),
            Self::Group => "connect: Receiver, InboxSink, SqliteStore".to_owned(),
            Self::Each => "connect, one commit each".to_owned(),
            Self::Node => format!("Node http + {}, nothing stored", node::package()?),
        })
    }

    fn start(self, scratch: &Scratch) -> Result<Process, Failure> {
        let name = match self {
            Self::Bare => "bare",
            Self::Group => "group",
            Self::Each => "each",
            Self::Node => return node::start(),
        };
        let file = scratch.file(&format!("{name}.db"));
        Process::start(Command::new(std::env::current_exe()?).args(["ingest", name]).arg(file))
    }

    fn stores(self) -> bool {
        matches!(self, Self::Group | Self::Each)
    }
}

/// What the store must come to, beside another server.
struct Goal {
    what: &'static str,
    other: Server,
    of: fn(&Round) -> f64,
    bound: &'static str,
}

/// A server at work, and what it did in each round.
struct Run {
    server: Server,
    process: Process,
    sent: u64,
    rounds: Vec<Round>,
}

/// What a server did with the requests of one round.
struct Round {
    cpu_micros_per_request: f64,
    requests_per_second: f64,
    /// Of a server that stores.
    requests_per_commit: Option<f64>,
}

impl Run {
    fn start(server: Server, scratch: &Scratch) -> Result<Self, Failure> {
        let mut run =
            Self { server, process: server.start(scratch)?, sent: 0, rounds: Vec::with_capacity(ROUNDS) };
        run.send(WARM_UP)?;
        Ok(run)
    }

    fn round(&mut self) -> Result<(), Failure> {
        let round = self.send(REQUESTS)?;
        self.rounds.push(round);
        Ok(())
    }

    fn send(&mut self, requests: u64) -> Result<Round, Failure> {
        let commits_before = self.commits()?;
        let cpu_before = self.process.cpu()?;
        let took = load::send(self.process.address(), &ISSUES, self.sent..self.sent + requests)?;
        let cpu = self.process.cpu()? - cpu_before;
        self.sent += requests;
        let commits = self.commits()?.zip(commits_before).map(|(after, before)| after - before);
        let requests = requests as f64;
        Ok(Round {
            cpu_micros_per_request: cpu.as_secs_f64() * 1e6 / requests,
            requests_per_second: requests / took.as_secs_f64(),
            requests_per_commit: commits.map(|commits| requests / commits as f64),
        })
    }

    /// How often its store committed. Every event that was answered must be in it, once.
    fn commits(&mut self) -> Result<Option<u64>, Failure> {
        if !self.server.stores() {
            return Ok(None);
        }
        let answer = self.process.ask("")?;
        let (events, commits) = answer.split_once(' ').ok_or("the server told no counts")?;
        if events.parse::<u64>()? != self.sent {
            return Err(format!("{} events were answered, the store holds {events}", self.sent).into());
        }
        Ok(Some(commits.parse()?))
    }

    fn spread(&self, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(of))
    }
}

/// The ingestion's part of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let scratch = Scratch::new()?;
    let (file_system, write) = scratch.describe()?;
    let node = node::install();
    let mut runs = Vec::new();
    for server in Server::ALL {
        if server != Server::Node || node.is_ok() {
            eprintln!("ingestion, warm-up: {}", server.label()?);
            runs.push(Run::start(server, &scratch)?);
        }
    }
    for round in 1..=ROUNDS {
        eprintln!("ingestion, round {round} of {ROUNDS}");
        for run in &mut runs {
            run.round()?;
        }
        runs.rotate_left(1);
    }
    let node = node.map_or_else(
        |reason| format!("Node was not measured: {reason}."),
        |version| format!("Node is {version}, one process."),
    );
    page(
        &runs,
        &format!(
            "{node} Store: {file_system}, where a write of 4 KB that reaches the disk takes {write} us."
        ),
    )
}

fn page(runs: &[Run], circumstances: &str) -> Result<String, Failure> {
    let find = |server| runs.iter().find(|run| run.server == server);
    let mut text = format!(
        "## Ingestion: an `issues` webhook of {} bytes, {} connections\n\n\
         Processor time of the server's process, user and kernel, in microseconds per request: median (lowest..highest \
         of {ROUNDS} rounds of {REQUESTS} requests each).\n\n\
         | server | CPU | requests/s | requests per commit |\n|---|---|---|---|\n",
        ISSUES.body.len(),
        load::CONNECTIONS,
    );
    for server in Server::ALL {
        let label = server.label()?;
        let Some(run) = find(server) else {
            writeln!(text, "| {label} | not measured | | |")?;
            continue;
        };
        let per_commit =
            run.rounds.iter().map(|round| round.requests_per_commit).collect::<Option<Vec<f64>>>();
        writeln!(
            text,
            "| {label} | {} | {} | {} |",
            run.spread(|round| round.cpu_micros_per_request),
            run.spread(|round| round.requests_per_second),
            per_commit.map_or_else(String::new, |values| format!("{:.1}", Spread::of(values))),
        )?;
    }
    writeln!(text, "\n| ratio, within each round | measured | goal |\n|---|---|---|")?;
    let cpu: fn(&Round) -> f64 = |round| round.cpu_micros_per_request;
    let rate: fn(&Round) -> f64 = |round| round.requests_per_second;
    let goals = [
        Goal { what: "CPU of connect : of bare axum", other: Server::Bare, of: cpu, bound: "at most 4" },
        Goal { what: "CPU of connect : of Node", other: Server::Node, of: cpu, bound: "at most 1" },
        Goal {
            what: "requests/s of connect : of one commit each",
            other: Server::Each,
            of: rate,
            bound: "at least 2",
        },
    ];
    for Goal { what, other, of, bound } in goals {
        let measured = match (find(Server::Group), find(other)) {
            (Some(ours), Some(theirs)) => {
                let ratios =
                    ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| of(ours) / of(theirs));
                format!("{:.2}", Spread::of(ratios))
            }
            _ => "not measured".to_owned(),
        };
        writeln!(text, "| {what} | {measured} | {bound} |")?;
    }
    writeln!(text, "\n{circumstances}")?;
    Ok(text)
}
