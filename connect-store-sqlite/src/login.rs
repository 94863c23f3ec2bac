//! Logins that wait for their browser, for `connect-oauth`: whichever process takes one, nobody else gets it.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use connect_core::auth::store::{LoginStore, TakenLogin};
use connect_core::{Error, ErrorKind, RetryAdvice};

use crate::SqliteStore;
use crate::error::{Fault, core_error};
use crate::session::Session;
use crate::token::{micros, whole_micros};

/// How many logins are kept at most: anybody can begin one, so a flood must end before the disk does. At a kilobyte each,
/// 100 MB; counting so many takes 3 ms.
const MOST: i64 = 100_000;

/// How long a used login is remembered after its end, to say that it was used rather than never there.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How many are forgotten with each new one, so that nobody waits for a large clean-up.
const SWEPT: i64 = 100;

const SWEEP: &str = "
    DELETE FROM logins WHERE key IN (
        SELECT key FROM logins INDEXED BY logins_ended WHERE ends_at <= ?1 ORDER BY ends_at LIMIT ?2)";

/// Counts no further than it has to.
const COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM logins INDEXED BY logins_ended LIMIT ?1)";

const FORGET_USED: &str = "
    DELETE FROM logins WHERE key IN (
        SELECT key FROM logins INDEXED BY logins_used WHERE sealed IS NULL ORDER BY ends_at LIMIT ?1)";

enum Begun {
    Yes,
    Conflict,
    Full,
}

fn begin(session: &Session<'_>, key: &str, sealed: &[u8], ends_at: i64, now: i64) -> Result<Begun, Fault> {
    session.run(SWEEP, (now, SWEPT))?;
    // The used ones are only there for a better word, so they make room for new ones.
    if session.number(COUNT, [MOST])? >= MOST && session.run(FORGET_USED, [SWEPT])? == 0 {
        return Ok(Begun::Full);
    }
    let written = session.run(
        "INSERT INTO logins (key, sealed, ends_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET sealed = ?2, ends_at = ?3 WHERE ends_at <= ?4",
        (key, sealed, ends_at, now),
    )?;
    Ok(if written == 1 { Begun::Yes } else { Begun::Conflict })
}

fn take(session: &Session<'_>, key: &str, now: i64) -> Result<TakenLogin, Fault> {
    let found = session.one(
        "SELECT sealed, ends_at FROM logins WHERE key = ?1 AND ends_at > ?2",
        (key, now),
        |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let Some((sealed, expires_at)) = found else { return Ok(TakenLogin::Unknown) };
    let Some(sealed) = sealed else { return Ok(TakenLogin::Used) };
    let forgotten_at = expires_at.saturating_add(whole_micros(REMEMBERED));
    session.run("UPDATE logins SET sealed = NULL, ends_at = ?2 WHERE key = ?1", (key, forgotten_at))?;
    Ok(TakenLogin::Fresh(sealed.into()))
}

#[async_trait]
impl LoginStore for SqliteStore {
    async fn begin(&self, key: &str, sealed: Bytes, expires_at: SystemTime) -> Result<(), Error> {
        let (key, clock) = (key.to_owned(), self.clock());
        let begun = self
            .write(move |session| begin(session, &key, &sealed, micros(expires_at), micros(clock.now())))
            .await
            .map_err(core_error)?;
        match begun {
            Begun::Yes => Ok(()),
            Begun::Conflict => {
                let message = "a login of this key has begun already: draw another state";
                Err(Error::new(ErrorKind::Conflict, message))
            }
            Begun::Full => {
                let message = format!("{MOST} logins have begun and wait: try again when some have ended");
                Err(Error::new(ErrorKind::Unavailable, message).with_retry(RetryAdvice::Later))
            }
        }
    }

    async fn take(&self, key: &str) -> Result<TakenLogin, Error> {
        let (key, clock) = (key.to_owned(), self.clock());
        self.write(move |session| take(session, &key, micros(clock.now()))).await.map_err(core_error)
    }
}
