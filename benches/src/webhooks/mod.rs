//! Webhook verification: the pure function beside ring and beside Node, then the whole way from the socket to the 202.
//!
//! Whatever is compared takes turns, another one first in each round, so that a slower or busier moment hits all of
//! them; ratios are taken within a round.

mod alternate;
mod receive;
mod ring;
mod router;
mod schemes;
pub(crate) mod server;
mod verify;

use crate::Failure;
use crate::ingestion::delivery::Event;
use crate::ingestion::node;

/// What is received, every value invented: the smallest event there is, and the most frequent one. Neither has a key to
/// order by.
const EVENTS: [Event; 2] = [
    Event { name: "github_app_authorization", body: include_str!("authorization.json") },
    Event { name: "push", body: include_str!("push.json") },
];

/// The webhooks' part of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let node = node::install();
    let mut text = String::from("## Webhook verification, GitHub's scheme\n\n");
    text.push_str(&verify::beside_ring()?);
    text.push_str(&schemes::line()?);
    text.push_str(&verify::beside_node(&node)?);
    text.push_str("## Receiving a webhook: verify it, answer 202, store nothing\n\n");
    text.push_str(&receive::table(&node)?);
    text.push_str(&router::table()?);
    Ok(text)
}
