//! The hub: webhooks of GitHub, Slack and Jira come in, Slack messages go out.
//!
//! | file | what |
//! |---|---|
//! | `arguments` | the command line |
//! | `settings` | which services are real, fake or off, from the environment |
//! | `hub` | store, worker and HTTP server, wired together; starts and stops |
//! | `intake` | from a verified delivery to a stored event |
//! | `flow` | what happens on an event |
//! | `redelivery` | deliveries that failed are asked for again |
//! | `api` | the routes for people and programs |
//! | `story` | the story that `--demo` and `--check` play, with fakes and real HTTP |
//! | `table` | what people see |
//!
//! Exit codes: 0 all is well, 1 it failed, 2 the command line or the environment must be changed first.

mod api;
mod arguments;
mod flow;
mod hub;
mod intake;
mod logging;
mod redelivery;
mod settings;
mod story;
mod table;

use std::io::{Write, stderr};
use std::process::ExitCode;

use connect_core::vars::environment;

use crate::arguments::{Arguments, Mode};
use crate::hub::Hub;
use crate::settings::Settings;
use crate::table::say;

/// What went wrong, by who has to act.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or the environment must be changed first.
    #[error("{0}")]
    Usage(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

/// Standard error may be closed too; then the exit code has to do.
fn complain(message: &str) {
    let _ = writeln!(stderr(), "connect-hub: {message}");
}

async fn run() -> Result<(), Failure> {
    let arguments = Arguments::parse(std::env::args_os(), environment)?;
    match arguments.mode {
        Mode::Help => {
            say(arguments::HELP);
            Ok(())
        }
        Mode::Version => {
            say(concat!("connect-hub ", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
        Mode::Check => {
            logging::start("error", environment)?;
            story::check(arguments.json).await
        }
        Mode::Demo => {
            logging::start("error", environment)?;
            story::demo(arguments.bind).await
        }
        Mode::Serve => {
            logging::start("info", environment)?;
            let mut settings = Settings::from_vars(environment, &arguments.fakes).await?;
            settings.database = arguments.database.or(settings.database);
            say(settings.overview());
            let sample = settings.sample_for_fake_github();
            let hub = Hub::start(settings, arguments.bind).await?;
            say(format_args!(
                "listening on {} (stop with Ctrl-C); durability: {}",
                hub.url(),
                hub.durability()
            ));
            if let Some(sample) = sample {
                sample.deliver_to(&hub).await?;
            }
            hub.run_until_stopped().await
        }
    }
}
