//! What one request costs on top of raw reqwest: instructions, exactly, and allocations.
//!
//! One issue of 5 KB with 20 headers, over one kept-alive loopback connection without TLS, one request after the other
//! on a current-thread runtime. The server is another process and is not counted.

pub(crate) mod client;
mod instructions;
pub(crate) mod server;
mod typed;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::requests::client::{CLIENTS, Client};
use crate::spread::Spread;

/// Counts of instructions repeat to a fraction of a percent; three rounds show that they did.
const ROUNDS: usize = 3;

/// The first tables of the page.
pub(crate) fn tables() -> Result<String, Failure> {
    let (size, headers) = (server::ISSUE.len(), server::header_count());
    let one = format!("an issue of {size} bytes, {headers} response headers, keep-alive, no TLS");
    let many = format!("a page of 100 such issues, {} bytes", server::list().len());
    let raw =
        "Goals are bounds of the two columns that compare instructions and allocations with raw reqwest's.";
    let peer =
        "Goals are bounds of the two columns that compare instructions and allocations with octocrab's.";
    Ok([
        table(&format!("One request: {one}"), "raw reqwest", raw, &CLIENTS, 400)?,
        table("The same issue in a type", "octocrab", peer, &typed::ONE, 400)?,
        table(&format!("A list in types: {many}"), "octocrab", peer, &typed::HUNDRED, 20)?,
    ]
    .join("\n"))
}

fn table(
    title: &str,
    yardstick: &str,
    goals: &str,
    clients: &[Client],
    requests: u32,
) -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let server = server::start(&program)?;
    let mut instructions = vec![Vec::with_capacity(ROUNDS); clients.len()];
    for round in 1..=ROUNDS {
        for (client, counts) in clients.iter().zip(&mut instructions) {
            eprintln!("requests, round {round} of {ROUNDS}: {}", client.label);
            counts.push(instructions::per_request(&program, client.name, server.address(), requests)?);
        }
    }
    let mut allocations = Vec::with_capacity(clients.len());
    for client in clients {
        allocations.push(allocations_per_request(&program, client, server.address(), 5 * requests)?);
    }
    let instructions = instructions.into_iter().map(Spread::of).collect::<Vec<_>>();
    page(title, yardstick, goals, clients, &instructions, &allocations)
}

fn page(
    title: &str,
    yardstick: &str,
    goals: &str,
    clients: &[Client],
    instructions: &[Spread],
    allocations: &[(f64, f64)],
) -> Result<String, Failure> {
    let mut text = format!(
        "## {title}\n\n{goals}\n\n\
         | client | instructions | x {yardstick} | allocations | beside {yardstick} | bytes allocated | goal: at most |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let (Some(raw), Some((raw_count, _))) = (instructions.first(), allocations.first()) else {
        return Err("nothing was measured".into());
    };
    for ((client, instructions), (count, bytes)) in clients.iter().zip(instructions).zip(allocations) {
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
fn allocations_per_request(
    program: &Path,
    client: &Client,
    address: &str,
    requests: u32,
) -> Result<(f64, f64), Failure> {
    let output =
        Command::new(program).args(["client", client.name, address, &requests.to_string()]).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", client.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (count, bytes) = text.trim().split_once(' ').ok_or("the client printed no counts")?;
    let per_request = |total: &str| Ok::<f64, Failure>(total.parse::<f64>()? / f64::from(requests));
    Ok((per_request(count)?, per_request(bytes)?))
}
