//! The sender: 32 kept-alive connections, each with one request on its way at a time.
//!
//! It writes prepared bytes and reads as little as HTTP allows, so that the processor is the servers'.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::ingestion::delivery::{Event, Message};

/// What the goals are stated for.
pub(crate) const CONNECTIONS: usize = 32;

/// More than any server here answers with.
const MOST_ANSWER_BYTES: usize = 4096;

/// Sends the event in deliveries with these numbers; yields how long that took. Any answer but a 2xx is a failure.
pub(crate) fn send(address: &str, event: &Event, numbers: Range<u64>) -> Result<Duration, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let message = Message::new(address, event)?;
        let next = Arc::new(AtomicU64::new(numbers.start));
        let mut streams = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let start = Instant::now();
        let mut senders: JoinSet<Result<(), Failure>> = JoinSet::new();
        for mut stream in streams {
            let (next, mut message) = (Arc::clone(&next), message.clone());
            senders.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return Ok(());
                    }
                    stream.write_all(message.numbered(number)).await?;
                    answer(&mut stream).await?;
                }
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended??;
        }
        Ok(start.elapsed())
    })
}

async fn answer(stream: &mut TcpStream) -> Result<(), Failure> {
    let mut bytes = [0; MOST_ANSWER_BYTES];
    let mut filled = 0;
    loop {
        let free = bytes.get_mut(filled..).unwrap_or_default();
        let read = stream.read(free).await?;
        if read == 0 {
            return Err("an answer was cut off, or is longer than any that was expected".into());
        }
        filled += read;
        if is_whole(bytes.get(..filled).unwrap_or_default())? {
            return Ok(());
        }
    }
}

/// Is all of it there? Fails unless it is a success of known length.
fn is_whole(answer: &[u8]) -> Result<bool, Failure> {
    let text = std::str::from_utf8(answer)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(false) };
    if !head.starts_with("HTTP/1.1 2") {
        return Err(format!("a delivery was refused: {text}").into());
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    Ok(body.len() >= length.ok_or("an answer does not say how long it is")??)
}
