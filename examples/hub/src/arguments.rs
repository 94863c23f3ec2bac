//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::Failure;
use crate::settings::FAKES;

/// Loopback only, unless somebody says otherwise.
const DEFAULT_BIND: &str = "127.0.0.1:5001";

pub(crate) const HELP: &str = "\
connect-hub: webhooks of GitHub, Slack and Jira come in, Slack messages go out

  connect-hub --demo        fakes inside, no credentials, no network: plays a story, then stays up
  connect-hub --check       plays the story headless; exits 0 only if every beat holds
  connect-hub               real services, from the environment

options
  --bind ADDRESS:PORT       where to listen (CONNECT_BIND; default 127.0.0.1:5001; port 0 picks a free one)
  --db PATH                 where events are kept (CONNECT_DATABASE_URL, a path or sqlite:PATH); default: in memory
  --fake NAME               swaps one service for its fake: github, slack, jira
  --json                    with --check: the table as JSON
  --help, --version

environment
  GITHUB_WEBHOOK_SECRET     required for GitHub    GITHUB_TOKEN, GITHUB_API_URL    optional
  SLACK_BOT_TOKEN           required for Slack     SLACK_SIGNING_SECRET            optional: Slack's webhooks
  CONNECT_SLACK_CHANNEL     required for Slack     SLACK_API_URL                   optional
  JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN        required for Jira
  JIRA_WEBHOOK_SECRET       optional: Jira's webhooks
  CONNECT_JIRA_PROJECT      optional: where Slack's shortcuts make issues    CONNECT_JIRA_ISSUE_TYPE    default Task
  CONNECT_API_TOKEN         for /api/v1; required unless the address is a loopback one
  CONNECT_RETRY_SECONDS     optional: waits between attempts, 5,30,120,600,1800,7200,21600,54000
  CONNECT_SETTLE_SECONDS    optional: how old an effect of unknown fate must be before \"not found\" counts, 60
  CONNECT_LEASE_SECONDS     optional: how long a claim holds without a heartbeat, 60
  CONNECT_GITHUB_ACTIONS    optional: only these actions, comma-separated (opened,closed)
  CONNECT_GITHUB_REDELIVERY optional: hooks whose failed deliveries are asked for again, comma-separated
                            (repos/OWNER/REPO/hooks/ID, orgs/ORG/hooks/ID); takes GITHUB_TOKEN with \"Webhooks: write\";
                            app: an App's own, takes GITHUB_APP_ID (or GITHUB_APP_CLIENT_ID) and GITHUB_APP_PRIVATE_KEY
                            (or GITHUB_APP_PRIVATE_KEY_PATH)
  CONNECT_GITHUB_REDELIVERY_SECONDS   optional: how often to look, 900
  CONNECT_GITHUB_REDELIVERY_WAITS     optional: waits before each ask, 60,600,3600,14400,43200,86400
  CONNECT_TENANTS           optional: tenants with endpoints /webhooks/TENANT/SERVICE, comma-separated
  CONNECT_LOG               optional: error, warn, info, debug, trace, or target=level,...

exit codes: 0 all is well, 1 it failed, 2 change the command line or the environment first";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    pub(crate) bind: SocketAddr,
    pub(crate) fakes: BTreeSet<String>,
    pub(crate) database: Option<String>,
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Serve,
    Demo,
    Check,
    Help,
    Version,
}

impl Arguments {
    /// Reads the command line; `CONNECT_BIND` stands behind `--bind`.
    pub(crate) fn parse(
        words: impl IntoIterator<Item = OsString>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut parser = lexopt::Parser::from_iter(words);
        let (mut mode, mut bind, mut fakes, mut json) = (Mode::Serve, None, BTreeSet::new(), false);
        let mut database = None;
        let usage = |error: lexopt::Error| Failure::Usage(format!("{error}; see --help"));
        while let Some(argument) = parser.next().map_err(usage)? {
            match argument {
                Long("demo") => mode = chosen(mode, Mode::Demo)?,
                Long("check") => mode = chosen(mode, Mode::Check)?,
                Long("help") | Short('h') => mode = Mode::Help,
                Long("version") | Short('V') => mode = Mode::Version,
                Long("json") => json = true,
                Long("bind") => bind = Some(parser.value().and_then(ValueExt::string).map_err(usage)?),
                Long("db") => database = Some(parser.value().and_then(ValueExt::string).map_err(usage)?),
                Long("fake") => {
                    let name = parser.value().and_then(ValueExt::string).map_err(usage)?;
                    if !FAKES.contains(&name.as_str()) {
                        let known = FAKES.join(", ");
                        return Err(Failure::Usage(format!("there is no fake `{name}`; there are: {known}")));
                    }
                    fakes.insert(name);
                }
                Value(word) => {
                    let word = word.to_string_lossy().into_owned();
                    return Err(Failure::Usage(format!("unexpected argument `{word}`; see --help")));
                }
                other => return Err(usage(other.unexpected())),
            }
            if matches!(mode, Mode::Help | Mode::Version) {
                let bind = SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
                return Ok(Self { mode, bind, fakes, database, json });
            }
        }
        let only =
            |holds: bool, rule: &str| if holds { Ok(()) } else { Err(Failure::Usage(rule.to_owned())) };
        only(
            database.is_none() || mode == Mode::Serve,
            "--db goes with neither --demo nor --check, which bring their own",
        )?;
        only(!json || mode == Mode::Check, "--json goes with --check only")?;
        only(
            fakes.is_empty() || mode == Mode::Serve,
            "--fake goes with neither --demo nor --check: all is fake there",
        )?;
        only(
            bind.is_none() || mode != Mode::Check,
            "--bind does not go with --check, which picks a free port",
        )?;
        let (text, source) = match (bind, lookup("CONNECT_BIND").filter(|text| !text.trim().is_empty())) {
            (Some(text), _) => (text, "--bind"),
            (None, Some(text)) => (text, "CONNECT_BIND"),
            (None, None) => (DEFAULT_BIND.to_owned(), "--bind"),
        };
        let bind = address(text.trim(), source)?;
        Ok(Self { mode, bind, fakes, database, json })
    }
}

fn chosen(before: Mode, now: Mode) -> Result<Mode, Failure> {
    if before == Mode::Serve || before == now {
        return Ok(now);
    }
    Err(Failure::Usage("--demo and --check exclude each other; --check plays the same story and ends".into()))
}

fn address(text: &str, source: &str) -> Result<SocketAddr, Failure> {
    // `localhost:5001` is resolved by the system; everything else is a literal.
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| {
        Failure::Usage(format!("{source}: `{text}` is no address with a port; use one like {DEFAULT_BIND}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        let words = std::iter::once("connect-hub").chain(words.iter().copied()).map(OsString::from);
        Arguments::parse(words, |_| None).map_err(|failure| failure.to_string())
    }

    #[test]
    fn defaults_are_loopback_and_real_services() {
        let arguments = parse(&[]).unwrap();
        assert_eq!((arguments.mode, arguments.bind.to_string().as_str()), (Mode::Serve, DEFAULT_BIND));
    }

    #[test]
    fn the_command_line_wins_over_the_variable() {
        let lookup = |name: &str| (name == "CONNECT_BIND").then(|| "127.0.0.1:7000".to_owned());
        let bind = |words: &[&str]| {
            let words = std::iter::once("hub").chain(words.iter().copied()).map(OsString::from);
            Arguments::parse(words, lookup).unwrap().bind.port()
        };
        assert_eq!(bind(&[]), 7000);
        assert_eq!(bind(&["--bind", "127.0.0.1:8000"]), 8000);
        assert_eq!(bind(&["--bind=127.0.0.1:8000"]), 8000);
    }

    #[test]
    fn help_works_in_a_broken_environment() {
        let lookup = |_: &str| Some("broken".to_owned());
        let words = ["hub", "--help"].map(OsString::from);
        assert_eq!(Arguments::parse(words, lookup).unwrap().mode, Mode::Help);
    }

    #[test]
    fn mistakes_name_the_word_and_the_remedy() {
        let cases: [(&[&str], &str); 11] = [
            (&["--frob"], "--frob"),
            (&["frob"], "`frob`"),
            (&["--bind"], "--bind"),
            (&["--bind", "5001"], "127.0.0.1:5001"),
            (&["--bind", "127.0.0.1:99999"], "127.0.0.1:99999"),
            (&["--fake", "gitlab"], "github, slack, jira"),
            (&["--demo", "--check"], "exclude"),
            (&["--json"], "--check"),
            (&["--check", "--db", "x"], "--db"),
            (&["--demo", "--fake", "slack"], "--fake"),
            (&["--check", "--bind", "127.0.0.1:1"], "--bind"),
        ];
        for (words, part) in cases {
            let message = parse(words).unwrap_err();
            assert!(message.contains(part) && !message.contains('\n'), "{words:?}: {message}");
        }
    }
}
