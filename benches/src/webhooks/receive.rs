//! From the socket to the 202: connect's receiver, a handler written by hand, and Node.
//!
//! Each server is a process of its own; all run for the whole time and answer the same signed deliveries, under a new
//! id each, over 32 kept-alive loopback connections.

use std::fmt::Write;
use std::process::Command;

use crate::Failure;
use crate::ingestion::delivery::Event;
use crate::ingestion::{load, node};
use crate::process::Process;
use crate::spread::Spread;
use crate::webhooks::EVENTS;

/// Many short ones: the goal beside the bare handler is narrower than what single rounds differ by.
const ROUNDS: usize = 31;

/// Of the fastest server some 60 ms of work: far beyond what the scheduler's account lags behind.
const REQUESTS: u64 = 4000;

/// Enough for Node's compiler to settle.
const WARM_UP: u64 = 10_000;

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Connect,
    Bare,
    Node,
}

impl Server {
    const ALL: [Self; 3] = [Self::Connect, Self::Bare, Self::Node];

    fn label(self) -> Result<String, Failure> {
        Ok(match self {
            Self::Connect => "connect: `axum::router` of a Receiver".to_owned(),
            Self::Bare => "bare axum handler, ring with a key per call".to_owned(),
            Self::Node => format!("Node http + {}", node::package()?),
        })
    }

    fn start(self) -> Result<Process, Failure> {
        let name = match self {
            Self::Connect => "connect",
            Self::Bare => "bare",
            Self::Node => return node::start(),
        };
        Process::start(Command::new(std::env::current_exe()?).args(["receive", name]))
    }

    /// What connect may come to beside it.
    fn goal(self) -> &'static str {
        match self {
            Self::Connect => "",
            Self::Bare => "at most 1.05",
            Self::Node => "at most 0.40",
        }
    }
}

/// A server at work.
struct Run {
    server: Server,
    process: Process,
    sent: u64,
    /// Microseconds of processor time per request, one figure a round.
    rounds: Vec<f64>,
}

impl Run {
    /// Yields microseconds of processor time per request.
    fn send(&mut self, event: &Event, requests: u64) -> Result<f64, Failure> {
        let before = self.process.cpu()?;
        load::send(self.process.address(), event, self.sent..self.sent + requests)?;
        let cpu = self.process.cpu()? - before;
        self.sent += requests;
        Ok(cpu.as_secs_f64() * 1e6 / requests as f64)
    }
}

/// The table of the servers.
pub(crate) fn table(node: &Result<String, String>) -> Result<String, Failure> {
    let mut text = format!(
        "Processor time of the server's process, user and kernel, in microseconds per request: median (10th..90th \
         percentile of {ROUNDS} rounds of {REQUESTS} requests each), {} connections. The ratio is connect's time to that \
         of the row, within each round.\n\n\
         | body | server | CPU | ratio | goal |\n|---|---|---|---|---|\n",
        load::CONNECTIONS,
    );
    let mut runs = Vec::with_capacity(Server::ALL.len());
    for server in Server::ALL {
        if server != Server::Node || node.is_ok() {
            runs.push(Run { server, process: server.start()?, sent: 0, rounds: Vec::new() });
        }
    }
    for event in &EVENTS {
        measure(&mut runs, event)?;
        for server in Server::ALL {
            let (cpu, ratio) = columns(&runs, server);
            writeln!(
                text,
                "| {} bytes, `{}` | {} | {cpu} | {ratio} | {} |",
                event.body.len(),
                event.name,
                server.label()?,
                server.goal(),
            )?;
        }
    }
    if let Err(reason) = node {
        writeln!(text, "\nNode was skipped: {reason}.")?;
    }
    Ok(text)
}

fn measure(runs: &mut [Run], event: &Event) -> Result<(), Failure> {
    for run in &mut *runs {
        eprintln!("receiving `{}`, warm-up: {}", event.name, run.server.label()?);
        run.send(event, WARM_UP)?;
        run.rounds.clear();
    }
    for round in 1..=ROUNDS {
        eprintln!("receiving `{}`, round {round} of {ROUNDS}", event.name);
        for run in &mut *runs {
            let micros = run.send(event, REQUESTS)?;
            run.rounds.push(micros);
        }
        runs.rotate_left(1);
    }
    Ok(())
}

/// A server's own figure, and connect's beside it.
fn columns(runs: &[Run], server: Server) -> (String, String) {
    let find = |server| runs.iter().find(|run| run.server == server);
    let Some(theirs) = find(server) else { return ("skipped".to_owned(), String::new()) };
    let cpu = format!("{:.1}", Spread::of(theirs.rounds.iter().copied()));
    let ratio = match find(Server::Connect) {
        Some(ours) if server != Server::Connect => {
            let ratios = ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| ours / theirs);
            format!("{:.2}", Spread::of(ratios))
        }
        _ => String::new(),
    };
    (cpu, ratio)
}
