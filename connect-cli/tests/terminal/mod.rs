//! A terminal with an environment, standard input, and two outputs that can be read.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::collections::HashMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use connect_cli::{World, run};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Runs a command; the environment is what the pairs say, standard input is `input`.
pub(crate) async fn terminal(vars: &[(&str, &str)], input: &str, words: &[&str]) -> Said {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (out, err) = (Paper::default(), Paper::default());
    let mut world = World {
        vars: Box::new(move |name| vars.get(name).cloned()),
        input: Box::new(Cursor::new(input.to_owned())),
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        has_colours: false,
        now: SystemTime::UNIX_EPOCH,
    };
    let code = run(words.iter().map(Into::into).collect(), &mut world).await;
    let text = |paper: Paper| String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    Said { code, out: text(out), err: text(err) }
}
