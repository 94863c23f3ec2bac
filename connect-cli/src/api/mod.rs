//! `connect ops`, `connect call`, `connect decode`: any operation of a provider by its name, out of the catalogue of its
//! client crate.
//!
//! | file | what |
//! |---|---|
//! | `provider` | whose operations there are |
//! | `ops`, `schema` | which there are, and what they take |
//! | `call`, `client`, `given` | one call, with the credentials that are there |
//! | `decode`, `event`, `unmodelled` | a recorded answer through its typed model, and what the two do not share |
//! | `layout` | JSON as it came, laid out |

use crate::arguments::Arguments;
use crate::{Failure, World};

mod call;
mod client;
mod decode;
mod event;
mod given;
mod layout;
mod ops;
mod provider;
mod schema;
mod unmodelled;

const HELP: &str = "\
usage: connect ops PROVIDER [OPERATION | WORD] [--category C] [--json]
       connect call PROVIDER OPERATION [--args JSON | @FILE | -] [--pages N] [--body FILE] [--explain] [--json]
       connect decode PROVIDER --operation OPERATION [--status N] [--body FILE] [--json]
       connect decode github --event EVENT [--body FILE] [--json]

providers: github, slack

`ops` lists the operations, or those with a word in their name; of one it tells what it takes, with --json as JSON Schema.

`call` sends one operation through the client: its retries, limits and time-outs hold. Arguments are one flat JSON object
with the provider's names; a body that is no object is the argument `body`. The answer is the provider's JSON.

`decode` reads an answer from standard input into the typed model of its operation, prints the model, and tells on
standard error what the provider's description promises and the answer lacks, and what the answer has and the model does
not know. With --event it is the payload of a webhook instead: `issues`, or the line `X-GitHub-Event: issues`. Secrets in
it are printed as [redacted].

options:
  --args JSON          the arguments; @FILE reads them from a file, - from standard input: so are secrets given
  --pages N            the items of the first N pages as one array; `all` for every page
  --body FILE          the file that an upload sends (- for standard input); for `decode`, the file with the answer
  --explain            tells on standard error what happened on the way: attempts, waits and their causes
  --status N           the status that the answer came with, where it decides about the model; 200 unless said
  --base-url URL       another server: https, or http on loopback; or GITHUB_API_URL, SLACK_API_URL
  --category C         the operations of one category
  --json               one line of JSON
  --name, --tenant, --db, --presets
                       the connection of `connect auth login` whose token to use

environment:
  GITHUB_TOKEN, SLACK_BOT_TOKEN
                       the token; without it, the connection called as the provider is, if CONNECT_SEAL_KEYS,
                       CONNECT_DATABASE_URL and the app's PROVIDER_CLIENT_ID are set: see `connect auth --help`
  CONNECT_DEADLINE and its like
                       limits and habits of the client

Exit codes: 0 it worked, 1 it failed or was refused, 2 the command line or the environment must be changed first.

  connect call github issues/list-for-repo --args '{\"owner\":\"octo\",\"repo\":\"hello\"}' --pages 3
  connect call slack chat.postMessage --args @message.json --explain
  connect decode github --event pull_request < payload.json
";

pub(crate) fn ops(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    if arguments.flag("help") { help(world) } else { ops::run(arguments, world) }
}

pub(crate) async fn call(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    if arguments.flag("help") { help(world) } else { call::run(arguments, world).await }
}

pub(crate) fn decode(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    if arguments.flag("help") { help(world) } else { decode::run(arguments, world) }
}

pub(crate) fn help(world: &mut World) -> Result<u8, Failure> {
    world.say(HELP.trim_end());
    Ok(0)
}
