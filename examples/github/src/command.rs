//! A program on the command line: flags and words, help, and exit codes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write, stderr, stdout};
use std::process::ExitCode;

use connect_github::{Error, ErrorKind};
use lexopt::prelude::{Long, Short, Value};

/// What went wrong, by who has to act. The exit code is 2 for the first and 1 for the second.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or the environment must be changed first.
    #[error("{0}")]
    Usage(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for Failure {
    /// With the chain of causes.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage(format!("{error:#}")),
            _ => Self::Failed(format!("{error:#}")),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A program's name, what `--help` prints, and the flags it knows.
///
/// Every program here is one: see `src/bin`.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// As it is called.
    pub name: &'static str,
    /// All about it.
    pub help: &'static str,
    /// Such as `dry-run`, without the hyphens before it.
    pub flags: &'static [&'static str],
}

/// What stood on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Which of the program's flags.
    pub flags: BTreeSet<&'static str>,
    /// The words without hyphens, in their order.
    pub words: Vec<String>,
}

impl Program {
    /// Reads the command line; `None` if help was asked for, and given.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the word that is not understood.
    pub fn parse(&self, line: impl IntoIterator<Item = OsString>) -> Result<Option<Arguments>, Failure> {
        let usage = |error: lexopt::Error| Failure::Usage(format!("{error}; see --help"));
        let mut parser = lexopt::Parser::from_iter(line);
        let mut arguments = Arguments::default();
        while let Some(argument) = parser.next().map_err(usage)? {
            match argument {
                Long("help") | Short('h') => {
                    say(self.help);
                    return Ok(None);
                }
                Long(name) => match self.flags.iter().find(|flag| **flag == name) {
                    Some(flag) => arguments.flags.insert(flag),
                    None => return Err(usage(argument.unexpected())),
                },
                Value(word) => {
                    arguments.words.push(word.to_string_lossy().into_owned());
                    true
                }
                Short(_) => return Err(usage(argument.unexpected())),
            };
        }
        Ok(Some(arguments))
    }

    /// Runs the program with the command line of this process.
    pub async fn run(self, work: impl AsyncFnOnce(Arguments) -> Result<(), Failure>) -> ExitCode {
        let done = match self.parse(std::env::args_os()) {
            Ok(Some(arguments)) => work(arguments).await,
            Ok(None) => Ok(()),
            Err(failure) => Err(failure),
        };
        let (code, message) = match done {
            Ok(()) => return ExitCode::SUCCESS,
            Err(Failure::Usage(message)) => (ExitCode::from(2), message),
            Err(Failure::Failed(message)) => (ExitCode::FAILURE, message),
        };
        complain(format_args!("{}: {message}", self.name));
        code
    }
}

/// Prints a line. A reader that has gone away (`| head`) is no reason to fail.
pub fn say(line: impl fmt::Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// Prints a line to standard error, which may be closed too; then the exit code has to do.
pub fn complain(line: impl fmt::Display) {
    let _ = writeln!(stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program { name: "test", help: "test: tests", flags: &["dry-run"] };

    fn parse(words: &[&str]) -> Result<Option<Arguments>, String> {
        let line = std::iter::once("test").chain(words.iter().copied()).map(OsString::from);
        PROGRAM.parse(line).map_err(|failure| failure.to_string())
    }

    #[test]
    fn flags_and_words_may_be_mixed() {
        let arguments = parse(&["a", "--dry-run", "b"]).unwrap().unwrap();
        assert!(arguments.flags.contains("dry-run"));
        assert_eq!(arguments.words, ["a", "b"]);
        assert_eq!(parse(&["--frob", "--help"]).unwrap_err(), "invalid option '--frob'; see --help");
        assert_eq!(parse(&["--help", "--frob"]), Ok(None));
    }

    #[test]
    fn who_has_to_act_is_told_apart() {
        let failure = |kind| Failure::from(Error::new(kind, "x"));
        assert!(matches!(failure(ErrorKind::Config), Failure::Usage(_)));
        assert!(matches!(failure(ErrorKind::NotFound), Failure::Failed(_)));
    }
}
