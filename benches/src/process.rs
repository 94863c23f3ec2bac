//! A server in a process of its own, as the benchmark sees it: where it listens, what it costs, what it says.
//!
//! A server prints its address first; a peer that serves nothing, any line. What it is asked for comes on its standard input, whose end is its end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// The server's process; ends with this value.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Process {
    /// Starts the command and waits until it is ready, which its first line says.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("the server has no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let mut process = Self { child, input, output, address: String::new() };
        process.address = process.line()?;
        Ok(process)
    }

    /// Host and port, of a process that listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a line; yields the line that comes back.
    pub(crate) fn ask(&mut self, question: &str) -> Result<String, Failure> {
        self.input.write_all(format!("{question}\n").as_bytes())?;
        self.line()
    }

    /// Time on a processor so far, user and kernel, of all its threads that still run.
    ///
    /// By the scheduler's own account, in nanoseconds: the clock ticks in `/proc/*/stat` are too coarse for one round.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let mut nanoseconds = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let account = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let on_processor = account.split(' ').next().unwrap_or_default();
            nanoseconds += on_processor.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the server ended before it answered; see what it printed above".into());
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to tidy up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
