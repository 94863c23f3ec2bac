//! A hundred thousand calls in line before one published limit: what it costs in real time that none of them is woken
//! for nothing.

use std::time::{Duration, Instant};

use connect_core::simulation::{Answer, Scripted};
use tokio::task::JoinSet;

use crate::sky::{Look, Published, client};
use crate::{Failure, runtime};

const WAITERS: usize = 100_000;

const LIMIT: u32 = 1_000;

const ROUNDS: usize = 5;

/// A line of the page.
pub(crate) fn line() -> Result<String, Failure> {
    let mut rounds = (0..ROUNDS).map(|_| seconds()).collect::<Result<Vec<_>, _>>()?;
    rounds.sort_by(f64::total_cmp);
    let (lowest, median, highest) = (rounds[0], rounds[ROUNDS / 2], rounds[ROUNDS - 1]);
    Ok(format!(
        "100,000 waiters before a published limit of {LIMIT} in any second: {median:.2} ({lowest:.2}..{highest:.2}) s of \
         real time to make, queue and serve all of them, median (lowest..highest of {ROUNDS} rounds); goal: less than 1 \
         s.\n"
    ))
}

fn seconds() -> Result<f64, Failure> {
    eprintln!("simulation: {WAITERS} waiters");
    let transport = Scripted::new((0..WAITERS).map(|_| Answer::json(200, "{}")));
    runtime()?.block_on(async {
        let client = client(transport, Published(LIMIT, Duration::from_secs(1)), u32::MAX, 7)?;
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..WAITERS {
            tasks.spawn(client.send(Look).into_future());
        }
        while let Some(result) = tasks.join_next().await {
            result??;
        }
        Ok(start.elapsed().as_secs_f64())
    })
}
