//! `connect auth ..` against a fake provider, as a person at a terminal meets it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use connect_cli::{World, run};
use connect_core::Method;
use connect_core::auth::store::{Swap, TokenStore};
use connect_store_sqlite::SqliteStore;
use connect_testkit::FakeAuthorization;
use tokio::sync::Notify;

const KEYS: &str = "k1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

const NO_HEADERS: &[(&str, &str)] = &[];

/// What was written, for whoever waits for it.
#[derive(Clone, Default)]
struct Paper {
    text: Arc<Mutex<String>>,
    written: Arc<Notify>,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        self.written.notify_one();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn read(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// The first word that begins so, as soon as it is there.
    async fn word(&self, start: &str) -> String {
        loop {
            let text = self.read();
            let found = text.split_whitespace().find(|word| word.starts_with(start));
            if let Some(word) = found.filter(|_| text.ends_with('\n')) {
                return word.trim_end_matches([';', '.']).to_owned();
            }
            self.written.notified().await;
        }
    }
}

/// A terminal with an environment and a folder of its own.
struct Terminal {
    folder: PathBuf,
    vars: HashMap<String, String>,
    out: Paper,
    err: Paper,
    /// How long ago the program began when it says its results.
    began_ago: Duration,
}

impl Terminal {
    fn new(fake: &FakeAuthorization) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("connect-cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = fake.url();
        let row = format!(
            "[[preset]]\nid = \"fake\"\nname = \"Fake\"\nauthorize-url = \"{url}/authorize\"\ntoken-url = \"{url}/token\"\n\
             device-url = \"{url}/device/code\"\nrotation = \"single-use\"\nprofile.url = \"{url}/userinfo\"\n\
             profile.subject = \"/sub\"\nprofile.account = \"/name\"\nlifetimes.refresh-idle-seconds = 1000\n"
        );
        std::fs::write(folder.join("presets.toml"), row).unwrap();
        let mut terminal = Self {
            folder,
            vars: HashMap::new(),
            out: Paper::default(),
            err: Paper::default(),
            began_ago: Duration::ZERO,
        };
        let file = terminal.folder.join("tokens.db").to_str().unwrap().to_owned();
        for (name, value) in [
            ("CONNECT_SEAL_KEYS", KEYS),
            ("CONNECT_DATABASE_URL", file.as_str()),
            ("FAKE_CLIENT_ID", fake.client_id()),
            ("FAKE_CLIENT_SECRET", fake.client_secret().unwrap()),
        ] {
            terminal.vars.insert(name.to_owned(), value.to_owned());
        }
        terminal
    }

    fn presets(&self) -> String {
        self.folder.join("presets.toml").to_str().unwrap().to_owned()
    }

    async fn run(&self, line: &str) -> u8 {
        let vars = self.vars.clone();
        let mut world = World {
            vars: Box::new(move |name| vars.get(name).cloned()),
            input: Box::new(io::empty()),
            out: Box::new(self.out.clone()),
            err: Box::new(self.err.clone()),
            has_colours: false,
            now: now() - self.began_ago,
        };
        run(line.split_whitespace().map(Into::into).collect(), &mut world).await
    }

    /// Runs a command and yields what it said: code, standard output, standard error.
    async fn said(&self, line: &str) -> (u8, String, String) {
        let (out, err) = (self.out.read().len(), self.err.read().len());
        let code = self.run(line).await;
        (code, self.out.read().split_off(out), self.err.read().split_off(err))
    }

    /// A person logs in with a browser.
    async fn log_in(&self, fake: &FakeAuthorization, more: &str) -> u8 {
        let line = format!("auth login fake --presets {} {more}", self.presets());
        self.err.text.lock().unwrap().clear(); // the address of an earlier login
        let person = async {
            let url = self.err.word("http").await;
            let back = fake.authorize(&url).unwrap();
            let page = connect_testkit::send(Method::GET, &back, NO_HEADERS, "").await.unwrap();
            String::from_utf8_lossy(&page.body).into_owned()
        };
        let (code, page) = tokio::join!(self.run(&line), person);
        assert!(page.contains("Close this page") || code != 0, "{page}");
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The real time: the store and the tokens have it too.
#[allow(clippy::disallowed_methods, reason = "a program at the edge")]
fn now() -> SystemTime {
    SystemTime::now()
}

async fn fake() -> FakeAuthorization {
    let builder = FakeAuthorization::builder().client_secret("canary-client-secret").any_loopback_port();
    let fake = builder.redirect_uri("http://127.0.0.1/callback").require_pkce().start().await.unwrap();
    fake.set_userinfo(serde_json::json!({"sub": "u1", "name": "Ada"}));
    fake
}

/// What the program sent to the token endpoint under these names; each of them once at least.
fn sent(fake: &FakeAuthorization, names: &[&str]) -> Vec<String> {
    let bodies: Vec<String> =
        fake.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    let pairs = || bodies.iter().flat_map(|body| body.split('&')).filter_map(|pair| pair.split_once('='));
    for name in names {
        assert!(pairs().any(|(sent, _)| sent == *name), "{name} was never sent");
    }
    pairs().filter(|(name, _)| names.contains(name)).map(|(_, value)| value.to_owned()).collect()
}

#[tokio::test]
async fn a_person_logs_in_and_the_tokens_are_there_and_nowhere_to_be_read() {
    let fake = fake().await;
    let terminal = Terminal::new(&fake);
    assert_eq!(
        terminal.log_in(&fake, "--tenant acme --name crm --scope read").await,
        0,
        "{}",
        terminal.err.read()
    );
    let said = terminal.out.read();
    assert!(
        said.contains("connected fake/acme/crm") && said.contains("Ada") && said.contains("read"),
        "{said}"
    );

    let (code, table, _) = terminal.said("auth status").await;
    assert_eq!(code, 0);
    assert!(table.contains("fake/acme/crm  active") && table.contains("current"), "{table}");
    let (_, json, _) = terminal.said("auth status --json").await;
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((rows[0]["tenant"].as_str(), rows[0]["state"].as_str()), (Some("acme"), Some("active")));

    let file = std::fs::read(terminal.folder.join("tokens.db")).unwrap();
    let log = std::fs::read(terminal.folder.join("tokens.db-wal")).unwrap_or_default();
    let stored = String::from_utf8_lossy(&[file, log].concat()).into_owned();
    let everything = terminal.out.read() + &terminal.err.read() + &stored;
    for issued in fake.issued() {
        assert!(!everything.contains(&issued.access_token), "an access token can be read");
        assert!(!everything.contains(&issued.refresh_token.unwrap()), "a refresh token can be read");
    }
    assert!(!everything.contains("canary-client-secret") && !everything.contains("AQIDBAUG"));
    for secret in sent(&fake, &["code", "code_verifier"]) {
        assert!(!everything.contains(&secret), "the code or its verifier can be read");
    }
}

#[tokio::test]
async fn a_person_who_says_no_and_a_stranger_who_knocks() {
    let fake = fake().await;
    let terminal = Terminal::new(&fake);
    fake.set_consent(false);
    assert_eq!(terminal.log_in(&fake, "").await, 1);
    assert!(terminal.err.read().contains("access_denied"), "{}", terminal.err.read());

    fake.set_consent(true);
    let terminal = Terminal::new(&fake);
    let line = format!("auth login fake --presets {}", terminal.presets());
    let person = async {
        let url = terminal.err.word("http").await;
        let back = fake.authorize(&url).unwrap();
        let (address, _) = back.split_once('?').unwrap();
        for knock in [format!("{address}?code=x&state=forged"), address.replace("callback", "favicon.ico")] {
            let page = connect_testkit::send(Method::GET, &knock, NO_HEADERS, "").await.unwrap();
            assert!([400, 404].contains(&page.status.as_u16()), "{}", page.status);
        }
        connect_testkit::send(Method::GET, &back, NO_HEADERS, "").await.unwrap();
    };
    let (code, ()) = tokio::join!(terminal.run(&line), person);
    assert_eq!(code, 0, "{}", terminal.err.read());
}

#[tokio::test]
async fn a_connection_is_refreshed_unasked_until_it_needs_a_person() {
    let fake = fake().await;
    let terminal = Terminal::new(&fake);
    assert_eq!(terminal.log_in(&fake, "").await, 0);
    let refresh = format!("auth refresh --presets {}", terminal.presets());
    let (code, out, _) = terminal.said(&refresh).await;
    assert_eq!((code, out.as_str()), (0, ""), "nothing is due yet");

    // As if nobody had used it for a long time.
    let store = SqliteStore::open(&terminal.vars["CONNECT_DATABASE_URL"]).unwrap();
    let due = async || {
        let stored = store.load("fake/default/fake").await.unwrap().unwrap();
        let record = stored.record.with_refresh_by(SystemTime::UNIX_EPOCH);
        let swap = store.compare_and_swap("fake/default/fake", Some(stored.version), record).await.unwrap();
        assert!(matches!(swap, Swap::Stored(_)));
    };
    due().await;
    let (code, out, _) = terminal.said(&refresh).await;
    assert_eq!((code, out.as_str()), (0, "refreshed fake/default/fake\n"));
    assert_eq!(fake.refreshes(), 1);

    fake.withdraw(&fake.issued().pop().unwrap().refresh_token.unwrap());
    due().await;
    let (code, _, err) = terminal.said(&refresh).await;
    assert!(code == 1 && err.contains("log in again"), "{err}");
    let (code, table, _) = terminal.said("auth status").await;
    assert!(code == 1 && table.contains("needs a person"), "{table}");
}

#[tokio::test]
async fn a_refresh_leaves_alone_what_it_has_no_app_for_and_says_what_it_cannot_do() {
    let fake = fake().await;
    let mut terminal = Terminal::new(&fake);
    assert_eq!(terminal.log_in(&fake, "").await, 0);
    assert_eq!(terminal.log_in(&fake, "").await, 0);
    assert!(terminal.out.read().contains("in place of what was there"));
    let refresh = format!("auth refresh --presets {}", terminal.presets());
    terminal.vars.insert("FAKE_VARIABLES".into(), "nothing=there".into());
    let (code, _, err) = terminal.said(&refresh).await;
    assert!(code == 1 && err.contains("nothing"), "{err}");
    terminal.vars.remove("FAKE_VARIABLES");
    terminal.vars.remove("FAKE_CLIENT_ID");
    let (code, _, err) = terminal.said(&refresh).await;
    assert!(code == 0 && err.contains("left alone"), "{err}");

    let (code, _, err) = terminal.said("auth refresh").await;
    assert!(code == 0 && err.contains("fake") && err.contains("--presets"), "{err}");
}

#[tokio::test]
async fn keys_change_while_connections_stay() {
    let fake = fake().await;
    let mut terminal = Terminal::new(&fake);
    assert_eq!(terminal.log_in(&fake, "").await, 0);
    let (code, key, advice) = terminal.said("auth new-key k2").await;
    assert!(code == 0 && key.starts_with("k2:") && advice.contains("CONNECT_SEAL_KEYS"), "{key} {advice}");

    terminal.vars.insert("CONNECT_SEAL_KEYS".into(), key.trim().to_owned());
    let (code, _, err) = terminal.said("auth status").await;
    assert!(code == 1 && err.contains("k1"), "{err}");

    terminal.vars.insert("CONNECT_SEAL_KEYS".into(), format!("{},{KEYS}", key.trim()));
    assert!(terminal.said("auth status").await.1.contains("older"));
    let (code, out, err) = terminal.said("auth rewrap").await;
    assert!(code == 0 && out.contains("1 of 1") && err.contains("take them out"), "{out} {err}");

    terminal.vars.insert("CONNECT_SEAL_KEYS".into(), key.trim().to_owned());
    assert!(terminal.said("auth status").await.1.contains("current"));
}

#[tokio::test]
async fn a_wrong_command_line_is_told_what_to_change() {
    let fake = fake().await;
    let cases: &[(&str, Option<&str>, &str)] = &[
        ("", None, "usage"),
        ("aut", None, "did you mean `auth`"),
        ("auth logn", None, "did you mean `login`"),
        ("auth login", None, "which provider"),
        ("auth login gihtub", None, "did you mean `github`"),
        ("auth login github --token canary-typed", None, "no option --token"),
        ("auth login github --client-secret canary-typed", None, "environment"),
        ("auth login github --client-secret=canary-typed", None, "environment"),
        ("auth login github --device=canary-typed", None, "--device"),
        ("auth login github canary-typed", None, "too many"),
        ("auth login github -xcanary-typed", None, "no option -x"),
        ("auth login github --tennant acme", None, "did you mean --tenant"),
        ("auth status --jsn", None, "did you mean --json"),
        ("auth status --device", None, "--device means nothing"),
        ("auth login fake --device --redirect-uri http://127.0.0.1/", None, "--redirect-uri"),
        ("auth login fake --name=", None, "--name"),
        ("auth login fake --tenant=", None, "--tenant"),
        ("auth help extra", None, "too many"),
        ("help aut", None, "did you mean `auth`"),
        ("help auth extra", None, "too many"),
        ("--version extra", None, "no command `extra`"),
        ("auth login fake --set host", None, "NAME=VALUE"),
        ("auth login fake --set domain=x", None, "domain"),
        ("auth login fake --redirect-uri https://app.example/", None, "127.0.0.1"),
        ("auth login github --name a --name b", None, "more than once"),
        ("auth login github", None, "GITHUB_CLIENT_ID"),
        ("auth login github --presets /nowhere", None, "/nowhere"),
        ("auth status", Some("CONNECT_SEAL_KEYS"), "connect auth new-key"),
        ("auth status", Some("CONNECT_DATABASE_URL"), "--db"),
        ("auth status extra", None, "too many"),
        ("auth new-key bad/id", None, "id"),
    ];
    for (line, missing, expected) in cases {
        let mut terminal = Terminal::new(&fake);
        if let Some(missing) = missing {
            terminal.vars.remove(*missing);
        }
        let line = line.replace("login fake", &format!("login fake --presets {}", terminal.presets()));
        let (code, out, err) = terminal.said(&line).await;
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {err}");
        assert!(err.contains(expected), "{line}: {err}");
        assert!(!err.contains("canary-typed"), "{line}: what was typed by mistake may be a secret: {err}");
    }
    let terminal = Terminal::new(&fake);
    for line in [
        "--help",
        "help",
        "help auth",
        "--version",
        "auth --help",
        "auth login --help",
        "auth presets",
        "auth presets --json",
    ] {
        let (code, out, err) = terminal.said(line).await;
        assert!(code == 0 && !out.is_empty() && err.is_empty(), "{line}: {err}");
    }
}

/// What a device login shows, as soon as it is there.
async fn user_code(terminal: &Terminal) -> String {
    terminal.err.word("http").await;
    let text = terminal.err.read();
    text.split("code ").nth(1).unwrap().split(';').next().unwrap().to_owned()
}

/// Keeps paused time from running on while nothing but sockets and files is waited for: tokio leaves it to
/// `tokio::time::advance` as long as a blocking task runs.
struct Held {
    _until_dropped: std::sync::mpsc::Sender<()>,
}

fn hold_time() -> Held {
    let (_until_dropped, end) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || end.recv());
    tokio::time::pause();
    Held { _until_dropped }
}

#[tokio::test]
async fn a_device_login_shows_its_code_and_waits_for_the_person() {
    let fake = fake().await;
    let terminal = Terminal::new(&fake);
    let _held = hold_time();
    let line = format!("auth login fake --device --name tv --presets {}", terminal.presets());
    let person = async {
        let code = user_code(&terminal).await;
        assert!(fake.approve(&code));
        tokio::time::advance(Duration::from_secs(6)).await; // the program asks every five
    };
    let (code, ()) = tokio::join!(terminal.run(&line), person);
    let said = terminal.out.read();
    assert!(code == 0 && said.contains("connected fake/default/tv"), "{said} {}", terminal.err.read());

    let everything = said + &terminal.err.read();
    for issued in fake.issued() {
        assert!(!everything.contains(&issued.access_token), "an access token can be read");
    }
    for secret in sent(&fake, &["device_code"]) {
        assert!(!everything.contains(&secret), "the device code can be read");
    }
}

#[tokio::test]
async fn a_device_login_that_the_person_refuses_fails() {
    let fake = fake().await;
    let terminal = Terminal::new(&fake);
    let _held = hold_time();
    let line = format!("auth login fake --device --presets {}", terminal.presets());
    let person = async {
        let code = user_code(&terminal).await;
        assert!(fake.deny(&code));
        tokio::time::advance(Duration::from_secs(6)).await;
    };
    let (code, ()) = tokio::join!(terminal.run(&line), person);
    assert!(code == 1 && terminal.err.read().contains("denied"), "{}", terminal.err.read());
}

#[tokio::test]
async fn a_token_is_told_to_expire_from_when_it_came_not_from_when_the_program_began() {
    let fake = fake().await;
    let mut terminal = Terminal::new(&fake);
    terminal.began_ago = Duration::from_secs(600); // a person looked for the second factor
    assert_eq!(terminal.log_in(&fake, "").await, 0);
    let said = terminal.out.read();
    assert!(said.contains("expires      in 60m") || said.contains("expires      in 59m"), "{said}");
}
