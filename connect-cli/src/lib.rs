//! `connect`, the command line of the family, as a function of its arguments and its [`World`], so that tests need no
//! process and no environment.
//!
//! | file | what |
//! |---|---|
//! | `arguments` | options, and what to say about wrong ones |
//! | `output` | tables for people, JSON for programs |
//! | `webhook/` | `connect webhook ..`: verify and sign deliveries, run test vectors |
//! | `api/` | `connect ops`, `call`, `decode`: any operation of a provider by its name |
//! | `auth/` | `connect auth ..`: log in, look at connections, keep them alive, change the key |
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 it worked, 1 it failed or was refused,
//! 2 the command line or the environment must be changed first. Secrets come from the environment or from a login, never
//! from arguments, which every process of the machine can read.

use std::ffi::OsString;
use std::fmt;
use std::io::{Read, Write};
use std::time::SystemTime;

mod api;
mod arguments;
mod auth;
mod output;
mod webhook;

use arguments::Arguments;

const COMMANDS: &[&str] = &["auth", "call", "decode", "help", "ops", "webhook"];

const HELP: &str = "\
connect: GitHub, Jira, Slack and others from a terminal

usage: connect COMMAND [OPTION..]

commands:
  ops PROVIDER      which operations there are, and what each takes
  call PROVIDER OP  call one
  decode PROVIDER   a recorded answer or a webhook's payload, through its typed model
  auth presets      which providers are known
  auth login        log in to one, and store the tokens sealed
  auth status       how the connections are
  auth refresh      refresh what would die unused
  auth new-key      make a key that seals tokens
  auth rewrap       seal everything under the current key
  webhook schemes   whose webhooks are known, and how they sign
  webhook verify    is a captured delivery genuine, and if not, why
  webhook sign      a delivery as the provider would send it
  webhook vectors   run a file of test vectors

`connect auth --help`, `connect call --help` and `connect webhook --help` say more. Exit codes: 0 it worked, 1 it failed, 2 change the command line first.
";

/// Looks up a variable of the environment.
pub type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What the program sees of the world, and what it says to it.
///
/// Tests make one of their own; `main` makes the real one.
pub struct World {
    /// The environment.
    pub vars: Box<Lookup>,
    /// Standard input: what a command reads unless it is given a file.
    pub input: Box<dyn Read + Send + Sync>,
    /// Standard output: results.
    pub out: Box<dyn Write + Send + Sync>,
    /// Standard error: everything else.
    pub err: Box<dyn Write + Send + Sync>,
    /// May there be colours? Only on a terminal.
    pub has_colours: bool,
    /// The time of day when the program began.
    pub now: SystemTime,
}

impl World {
    /// Says a result. Whoever closed the pipe has heard enough.
    fn say(&mut self, text: impl fmt::Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Says something beside the result.
    fn tell(&mut self, text: impl fmt::Display) {
        let _ = writeln!(self.err, "{text}");
        let _ = self.err.flush();
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("has_colours", &self.has_colours).finish_non_exhaustive()
    }
}

/// What went wrong, by who has to act.
#[derive(Debug)]
enum Failure {
    /// The command line or the environment must be changed first.
    Usage(String),
    /// It was tried and failed.
    Failed(String),
}

impl From<connect_core::Error> for Failure {
    fn from(error: connect_core::Error) -> Self {
        Self::Failed(format!("{error:#}"))
    }
}

/// Runs one command and yields the exit code.
///
/// ```
/// use std::time::SystemTime;
/// use connect_cli::{World, run};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut world = World {
///     vars: Box::new(|_| None),
///     input: Box::new(std::io::empty()),
///     out: Box::new(std::io::sink()),
///     err: Box::new(std::io::sink()),
///     has_colours: false,
///     now: SystemTime::UNIX_EPOCH,
/// };
/// assert_eq!(run(vec!["auth".into(), "presets".into()], &mut world).await, 0);
/// assert_eq!(run(vec!["dance".into()], &mut world).await, 2);
/// # });
/// ```
pub async fn run(arguments: Vec<OsString>, world: &mut World) -> u8 {
    match dispatch(arguments, world).await {
        Ok(code) => code,
        Err(Failure::Usage(message)) => {
            world.tell(format_args!("connect: {message}"));
            2
        }
        Err(Failure::Failed(message)) => {
            world.tell(format_args!("connect: {message}"));
            1
        }
    }
}

async fn dispatch(arguments: Vec<OsString>, world: &mut World) -> Result<u8, Failure> {
    let mut arguments = Arguments::parse(arguments)?;
    match arguments.word().as_deref() {
        Some("auth") => auth::run(arguments, world).await,
        Some("call") => api::call(arguments, world).await,
        Some("decode") => api::decode(arguments, world),
        Some("ops") => api::ops(arguments, world),
        Some("webhook") => webhook::run(arguments, world).await,
        None if arguments.flag("version") => {
            arguments.finish()?;
            world.say(concat!("connect ", env!("CARGO_PKG_VERSION")));
            Ok(0)
        }
        None if arguments.flag("help") => {
            arguments.finish()?;
            world.say(HELP.trim_end());
            Ok(0)
        }
        Some("help") => {
            arguments.flag("help");
            let about = arguments.word();
            arguments.finish()?;
            match about.as_deref() {
                Some("auth") => auth::help(world),
                Some("call" | "decode" | "ops") => api::help(world),
                Some("webhook") => webhook::help(world),
                Some(other) => Err(Failure::Usage(arguments::unknown("command", other, COMMANDS))),
                None => {
                    world.say(HELP.trim_end());
                    Ok(0)
                }
            }
        }
        None => Err(Failure::Usage(HELP.trim_end().to_owned())),
        Some(other) => Err(Failure::Usage(arguments::unknown("command", other, COMMANDS))),
    }
}
