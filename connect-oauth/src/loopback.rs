//! The browser's way back to a command-line program: a listener on loopback for one answer (RFC 8252 7.3).
//!
//! Most providers accept any port for `http://127.0.0.1` or `http://localhost`; for the others register one and listen on
//! it. A machine without a browser uses [`OAuth::device_login`](crate::OAuth::device_login).

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use connect_core::{Error, ErrorKind, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::login::{BegunLogin, Callback, FinishedLogin, Login, LoginRefusal, Logins};
use crate::problem::Problem;

/// Longest request head that is read. Codes are short, cookies of other programs on `localhost` are not.
const LONGEST_HEAD: usize = 64 * 1024;

/// How long one browser connection may take to say what it wants; browsers open some that never do.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections are read at a time: more is not a browser.
const MOST_CONNECTIONS: usize = 100;

/// A listener that waits for one browser to come back.
///
/// ```no_run
/// use connect_oauth::{Login, LoopbackListener, OAuth, Preset};
/// # async fn login(oauth: OAuth) -> Result<(), connect_core::Error> {
/// let listener = LoopbackListener::bind(0, "/callback").await?;
/// let finished = listener
///     .login(&oauth.logins(), Login::new("me", "github"), |begun| println!("Open {}", begun.url))
///     .await?;
/// # drop(finished); Ok(()) }
/// ```
pub struct LoopbackListener {
    listener: Arc<TcpListener>,
    redirect_uri: Url,
}

impl LoopbackListener {
    /// Listens on 127.0.0.1; port 0 takes a free one. The path is that of the redirect URI.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the port is taken or the path is none.
    pub async fn bind(port: u16, path: &str) -> Result<Self, Error> {
        let config = |message: String| Error::new(ErrorKind::Config, message);
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(config(
                "the path of the redirect URI must start with a slash and have no query".into(),
            ));
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|error| {
            config(format!("cannot listen on port {port}: another program may; choose another port"))
                .with_source(error)
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| config("the listener has no address".into()).with_source(error))?;
        let redirect_uri = Url::parse(&format!("http://{address}{path}"))
            .map_err(|_| config("the path of the redirect URI is not one".into()))?;
        Ok(Self { listener: Arc::new(listener), redirect_uri })
    }

    /// Listens where this redirect URI leads: `http://127.0.0.1/callback` (any free port), `http://localhost:4000/callback`
    /// for a provider that wants the name and the port registered.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it does not lead to this machine, or the port is taken.
    pub async fn at(redirect_uri: &Url) -> Result<Self, Error> {
        let host = redirect_uri.host_str().unwrap_or_default();
        if redirect_uri.scheme() != "http" || !matches!(host, "localhost" | "127.0.0.1") {
            let message =
                "the redirect URI does not lead to this machine: use one like http://127.0.0.1/callback";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if redirect_uri.query().is_some() {
            let message = "a redirect URI with a query cannot be listened at: register one without";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut bound = Self::bind(redirect_uri.port().unwrap_or(0), redirect_uri.path()).await?;
        if bound.redirect_uri.set_host(Some(host)).is_err() {
            return Err(Error::new(ErrorKind::Config, "the redirect URI has no host"));
        }
        Ok(bound)
    }

    /// What to give the provider.
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// A whole login: begins it, tells `show` where the browser must go, waits for its return, and exchanges the code.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if nobody comes back in time; what [`Logins::begin`] and [`Logins::finish`] refuse.
    pub async fn login(
        self,
        logins: &Logins,
        login: Login,
        show: impl FnOnce(&BegunLogin),
    ) -> Result<FinishedLogin, Error> {
        let begun = logins.begin(login.redirect_uri(self.redirect_uri.clone())).await?;
        show(&begun);
        let in_time = timeout(begun.expires_in, self.serve(logins)).await;
        in_time.unwrap_or_else(|_| {
            let message = "nobody came back from the provider's page in time: begin the login again";
            Err(Error::new(ErrorKind::Timeout, message))
        })
    }

    async fn serve(&self, logins: &Logins) -> Result<FinishedLogin, Error> {
        let (sender, mut arrivals) = mpsc::channel(1);
        let mut acceptor = JoinSet::new(); // which ends with this login
        acceptor.spawn(accept(Arc::clone(&self.listener), sender));
        while let Some((mut stream, target)) = arrivals.recv().await {
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            if path != self.redirect_uri.path() {
                // `/favicon.ico`, for one.
                answer(&mut stream, "404 Not Found", "Nothing is here.").await;
                continue;
            }
            let mut callback = self.redirect_uri.clone();
            callback.set_query(Some(query));
            match logins.finish(Callback::url(callback.as_str())).await {
                Ok(finished) => {
                    answer(
                        &mut stream,
                        "200 OK",
                        "The provider let you in. Close this page and return to the terminal.",
                    )
                    .await;
                    return Ok(finished);
                }
                // Somebody else on this machine may knock with a state of their own; the login still waits.
                Err(error) if is_a_strangers(&error) => {
                    answer(&mut stream, "400 Bad Request", "This is not the login that is waited for.").await;
                }
                Err(error) => {
                    let refused = error.details::<Problem>().is_some();
                    let text = if refused {
                        "The login was refused. The program says why."
                    } else {
                        "The login failed. The program says why."
                    };
                    answer(&mut stream, "400 Bad Request", text).await;
                    return Err(error);
                }
            }
        }
        Err(Error::new(ErrorKind::Transport, "the listener failed: begin the login again"))
    }
}

/// Reads each connection on its own: browsers open some ahead of need and say nothing on them.
async fn accept(listener: Arc<TcpListener>, arrivals: mpsc::Sender<(TcpStream, String)>) {
    let mut readers = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        while readers.try_join_next().is_some() {}
        if readers.len() >= MOST_CONNECTIONS {
            continue;
        }
        let arrivals = arrivals.clone();
        readers.spawn(async move {
            if let Ok(Some(target)) = timeout(PATIENCE, read_target(&mut stream)).await {
                // Nobody listens any more once the login has ended.
                let _ = arrivals.send((stream, target)).await;
            }
        });
    }
}

fn is_a_strangers(error: &Error) -> bool {
    matches!(
        error.details(),
        Some(LoginRefusal::Malformed | LoginRefusal::StateUnknown | LoginRefusal::StateUsed)
    )
}

/// The target of a GET; `None` for whatever else comes.
async fn read_target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 || head.len() + read > LONGEST_HEAD {
            return None;
        }
        head.extend_from_slice(piece.get(..read)?);
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    match (words.next()?, words.next()?, words.next()?) {
        ("GET", target, "HTTP/1.1" | "HTTP/1.0") if target.starts_with('/') => Some(target.to_owned()),
        _ => None,
    }
}

/// A page without scripts, pictures or a referrer: the address has the code in it.
async fn answer(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!("<!doctype html><meta charset=utf-8><title>Login</title><p>{text}</p>\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
         content-security-policy: default-src 'none'\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // The browser may have gone; the login is none the worse.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

impl fmt::Debug for LoopbackListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackListener")
            .field("redirect_uri", &self.redirect_uri.as_str())
            .finish_non_exhaustive()
    }
}
