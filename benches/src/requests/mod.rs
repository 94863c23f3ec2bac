//! What one request costs on top of raw reqwest: instructions, exactly, and allocations.
//!
//! One issue of 5 KB with 20 headers, over one kept-alive loopback connection without TLS, one request after the other
//! on a current-thread runtime. The server is another process and is not counted.

pub(crate) mod client;
mod instructions;
pub(crate) mod server;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::requests::client::{CLIENTS, Client};
use crate::spread::Spread;

/// Counts of instructions repeat to a fraction of a percent; three rounds show that they did.
const ROUNDS: usize = 3;

/// The first table of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let server = server::start(&program)?;
    let mut instructions = vec![Vec::with_capacity(ROUNDS); CLIENTS.len()];
    for round in 1..=ROUNDS {
        for (client, counts) in CLIENTS.iter().zip(&mut instructions) {
            eprintln!("requests, round {round} of {ROUNDS}: {}", client.label);
            counts.push(instructions::per_request(&program, client.name, server.address())?);
        }
    }
    let mut allocations = Vec::with_capacity(CLIENTS.len());
    for client in &CLIENTS {
        allocations.push(allocations_per_request(&program, client, server.address())?);
    }
    page(&instructions.into_iter().map(Spread::of).collect::<Vec<_>>(), &allocations)
}

fn page(instructions: &[Spread], allocations: &[(f64, f64)]) -> Result<String, Failure> {
    let mut text = format!(
        "## One request: an issue of {} bytes, {} response headers, keep-alive, no TLS\n\n\
         Goals are bounds of the two columns that compare instructions and allocations with raw reqwest's.\n\n\
         | client | instructions | x raw reqwest | allocations | beside raw | bytes allocated | goal: at most |\n\
         |---|---|---|---|---|---|---|\n",
        server::ISSUE.len(),
        server::header_count(),
    );
    let (Some(raw), Some((raw_count, _))) = (instructions.first(), allocations.first()) else {
        return Err("nothing was measured".into());
    };
    for ((client, instructions), (count, bytes)) in CLIENTS.iter().zip(instructions).zip(allocations) {
        writeln!(
            text,
            "| {} | {:.0} | {:.3} | {count:.1} | {:+.1}, {:.2}x | {bytes:.0} | {} |",
            client.label,
            instructions.median,
            instructions.median / raw.median,
            count - raw_count,
            count / raw_count,
            client.goal,
        )?;
    }
    let widest = instructions.iter().map(|spread| spread.percent()).fold(0.0, f64::max);
    writeln!(
        text,
        "\nNoise: instructions differed by at most {widest:.3} % between the {ROUNDS} rounds; the median is shown. \
         They are not time: the kernel's share and all waiting are left out."
    )?;
    Ok(text)
}

/// Count and bytes, as the client's own process counted them.
fn allocations_per_request(program: &Path, client: &Client, address: &str) -> Result<(f64, f64), Failure> {
    const REQUESTS: u32 = 2000;
    let output =
        Command::new(program).args(["client", client.name, address, &REQUESTS.to_string()]).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", client.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (count, bytes) = text.trim().split_once(' ').ok_or("the client printed no counts")?;
    let per_request = |total: &str| Ok::<f64, Failure>(total.parse::<f64>()? / f64::from(REQUESTS));
    Ok((per_request(count)?, per_request(bytes)?))
}
