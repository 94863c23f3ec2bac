//! The journal of effects. Everything in it demands that the lease is held: whoever lost it writes nothing.

use async_trait::async_trait;
use bytes::Bytes;
use connect_flow::clock::Timestamp;
use connect_flow::effect::{Begun, Effects};
use connect_flow::inbox::{Held, Lease};
use connect_flow::store::StoreError;

use crate::SqliteStore;
use crate::error::Fault;
use crate::inbox::holds;
use crate::rows;
use crate::session::Session;

/// A step of a lease's event, as a job owns it.
struct Step {
    lease: Lease,
    step: String,
    key: String,
}

/// What is known of an effect.
struct Known {
    id: i64,
    since: Timestamp,
    called: Timestamp,
    result: Option<Bytes>,
}

impl Step {
    fn new(lease: &Lease, step: &str, key: &str) -> Self {
        Self { lease: lease.clone(), step: step.to_owned(), key: key.to_owned() }
    }

    fn known(&self, session: &Session<'_>) -> Result<Option<Known>, Fault> {
        Ok(session.one(
            "SELECT id, begun_at, result, called_at FROM effects WHERE tenant = ?1 AND step = ?2 AND key = ?3",
            (&*self.lease.tenant, &self.step, &self.key),
            |row| {
                let result = row.get::<_, Option<Vec<u8>>>(2)?.map(Bytes::from);
                Ok(Known { id: row.get(0)?, since: rows::time(row, 1)?, called: rows::time(row, 3)?, result })
            },
        )?)
    }

    /// Stores the intent unless the effect is known, and notes that this event knows of it.
    fn ensure(&self, session: &Session<'_>, now: Timestamp) -> Result<(i64, Option<Known>), Fault> {
        let known = self.known(session)?;
        let id = match &known {
            Some(known) => known.id,
            None => {
                session.run(
                    "INSERT INTO effects (tenant, step, key, begun_at, called_at) VALUES (?1, ?2, ?3, ?4, ?4)",
                    (&*self.lease.tenant, &self.step, &self.key, now.as_micros()),
                )?;
                session.connection().last_insert_rowid()
            }
        };
        session.run(
            "INSERT OR IGNORE INTO effect_events (event, effect) VALUES (?1, ?2)",
            (self.lease.event.0, id),
        )?;
        Ok((id, known))
    }
}

#[async_trait]
impl Effects for SqliteStore {
    async fn begin(&self, lease: &Lease, step: &str, key: &str, now: Timestamp) -> Result<Begun, StoreError> {
        let step = Step::new(lease, step, key);
        self.write(move |session| {
            if !holds(session, &step.lease)? {
                return Ok(Begun::Lost);
            }
            Ok(match step.ensure(session, now)?.1 {
                None => Begun::First,
                Some(Known { result: Some(result), .. }) => Begun::Done(result),
                Some(Known { since, called, .. }) => Begun::Again { since, called },
            })
        })
        .await
    }

    async fn call_again(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let step = Step::new(lease, step, key);
        self.write(move |session| {
            if !holds(session, &step.lease)? {
                return Ok(Held::Lost);
            }
            let (id, _) = step.ensure(session, now)?;
            session.run("UPDATE effects SET called_at = ?2 WHERE id = ?1", (id, now.as_micros()))?;
            Ok(Held::Yes)
        })
        .await
    }

    async fn complete(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        result: Bytes,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let step = Step::new(lease, step, key);
        self.write(move |session| {
            if !holds(session, &step.lease)? {
                return Ok(Held::Lost);
            }
            let (id, _) = step.ensure(session, now)?;
            session.run(
                "UPDATE effects SET result = ?2, completed_at = ?3 WHERE id = ?1",
                (id, &*result, now.as_micros()),
            )?;
            Ok(Held::Yes)
        })
        .await
    }

    async fn withdraw(&self, lease: &Lease, step: &str, key: &str) -> Result<Held, StoreError> {
        let step = Step::new(lease, step, key);
        self.write(move |session| {
            if !holds(session, &step.lease)? {
                return Ok(Held::Lost);
            }
            // A result is a fact and stays.
            session.run(
                "DELETE FROM effects WHERE tenant = ?1 AND step = ?2 AND key = ?3 AND result IS NULL",
                (&*step.lease.tenant, &step.step, &step.key),
            )?;
            Ok(Held::Yes)
        })
        .await
    }
}
