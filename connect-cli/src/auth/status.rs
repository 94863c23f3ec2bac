//! `connect auth status`: how the connections are. Opens no token and asks no provider.

use connect_core::auth::store::TokenState;
use connect_oauth::{ConnectionStatus, Connections};
use serde_json::json;

use super::Vault;
use crate::arguments::Arguments;
use crate::output::{alarming, harmless, table, unix_seconds, when};
use crate::{Failure, World};

/// How many are read at once.
const PAGE: usize = 500;

const NEEDS_A_PERSON: &str = "needs a person";

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let vault = Vault::open(&mut arguments, world)?;
    arguments.finish()?;
    let connections = all(&vault.connections(Vec::new()).await?).await?;
    let needs_a_person = connections.iter().any(|status| status.state == TokenState::NeedsReauth);
    if as_json {
        let rows: Vec<_> = connections.iter().map(row_for_programs).collect();
        world.say(json!(rows));
    } else if connections.is_empty() {
        world.tell("no connections; `connect auth login PRESET` makes one");
    } else {
        let head = ["connection", "state", "token expires", "refreshed unused", "key"];
        let rows: Vec<_> = connections.iter().map(|status| row(status, world)).collect();
        // Coloured when the columns stand: a terminal's codes have no width.
        let red = alarming(NEEDS_A_PERSON, world.has_colours);
        world.say(table(&head, &rows).replace(NEEDS_A_PERSON, &red));
    }
    Ok(u8::from(needs_a_person))
}

pub(super) async fn all(connections: &Connections) -> Result<Vec<ConnectionStatus>, Failure> {
    let mut all: Vec<ConnectionStatus> = Vec::new();
    loop {
        let page = connections.list(all.last().map(|status| &status.id), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn row(status: &ConnectionStatus, world: &World) -> Vec<String> {
    let state = match status.state {
        TokenState::NeedsReauth => NEEDS_A_PERSON,
        _ => "active",
    };
    let refresh = match status.refresh_by {
        Some(_) => when(status.refresh_by, world.now),
        None => "-".to_owned(),
    };
    let key = if status.is_sealed_under_current_key { "current" } else { "older" };
    vec![
        harmless(&status.id.to_string()),
        state.to_owned(),
        when(status.expires_at, world.now),
        refresh,
        key.to_owned(),
    ]
}

fn row_for_programs(status: &ConnectionStatus) -> serde_json::Value {
    json!({
        "id": status.id.to_string(),
        "app": status.id.app(),
        "tenant": status.id.tenant(),
        "connection": status.id.connection(),
        "state": if status.state == TokenState::NeedsReauth { "needs_reauth" } else { "active" },
        "expires_at": unix_seconds(status.expires_at),
        "refresh_by": unix_seconds(status.refresh_by),
        "is_sealed_under_current_key": status.is_sealed_under_current_key,
    })
}
