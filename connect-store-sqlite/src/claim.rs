//! Claims: fair over tenants, however long the queue of one of them is.
//!
//! A recursive query steps from tenant to tenant through the partial index of unfinished events (one seek each, however
//! many events a tenant has) and stops when enough tenants have something; a window function over all events would read
//! them all. It begins after the tenant whose turn was last, so that small claims reach everybody too. That place is kept
//! per process: two processes only go round independently.

use std::collections::VecDeque;

use connect_flow::inbox::{Claim, ClaimRequest, EventId, Lease};

use crate::error::Fault;
use crate::rows::{self, envelope_columns};
use crate::session::Session;

/// Tenants with something to do, and how many leases they have. `$from` says where to begin.
macro_rules! turns {
    ($from:literal) => {
        concat!(
            "WITH RECURSIVE tenants (tenant) AS (
                SELECT min(tenant) FROM events INDEXED BY events_live WHERE due_at IS NOT NULL AND ",
            $from,
            "   UNION ALL
                SELECT (SELECT min(later.tenant) FROM events AS later INDEXED BY events_live
                        WHERE later.due_at IS NOT NULL AND later.tenant > tenants.tenant)
                FROM tenants WHERE tenants.tenant IS NOT NULL
            )
            SELECT tenant,
                   (SELECT count(*) FROM events AS held INDEXED BY events_leased
                    WHERE held.state = 'leased' AND held.tenant = tenants.tenant AND held.due_at > ?2) AS leased
            FROM tenants
            WHERE tenant IS NOT NULL AND leased < ?3 AND EXISTS (
                SELECT 1 FROM events AS due INDEXED BY events_live
                WHERE due.tenant = tenants.tenant AND due.run_at <= ?2 AND due.due_at <= ?2)
            LIMIT ?4"
        )
    };
}

/// After the tenant whose turn was last.
pub(crate) const TURNS_AFTER: &str = turns!("tenant > ?1");
/// From the beginning; ?1 is the empty text, which no tenant comes before.
const TURNS_AGAIN: &str = turns!("tenant >= ?1");

/// The next event of a tenant after a place in its queue.
pub(crate) const NEXT: &str = "
    SELECT run_at, id FROM events INDEXED BY events_live
    WHERE tenant = ?1 AND run_at <= ?2 AND due_at <= ?2 AND (run_at, id) > (?3, ?4)
    ORDER BY run_at, id LIMIT 1";

/// The head of every queue, and the ends of leases.
const NEXT_DUE: &str = "
    WITH RECURSIVE tenants (tenant) AS (
        SELECT min(tenant) FROM events INDEXED BY events_live WHERE due_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(later.tenant) FROM events AS later INDEXED BY events_live
                WHERE later.due_at IS NOT NULL AND later.tenant > tenants.tenant)
        FROM tenants WHERE tenants.tenant IS NOT NULL
    )
    SELECT min(due) FROM (
        SELECT (SELECT head.run_at FROM events AS head INDEXED BY events_live
                WHERE head.tenant = tenants.tenant AND head.due_at = head.run_at
                ORDER BY head.run_at, head.id LIMIT 1) AS due
        FROM tenants
        UNION ALL
        SELECT due_at FROM events INDEXED BY events_leased WHERE state = 'leased'
    )";

struct Turn {
    tenant: String,
    room: i64,
    /// Where in its queue we are.
    place: (i64, i64),
}

/// Leases events; `served` is the tenant whose turn was last, before and after.
pub(crate) fn claim(
    session: &Session<'_>,
    request: &ClaimRequest,
    served: &mut String,
) -> Result<Vec<Claim>, Fault> {
    // Chosen before the first is leased, because a lease that ends at once would be chosen again.
    let chosen = choose(session, request, served)?;
    let mut claims = Vec::with_capacity(chosen.len());
    for id in chosen {
        claims.extend(lease(session, id, request)?);
    }
    if let Some(claim) = claims.last() {
        served.clear();
        served.push_str(&claim.lease.tenant);
    }
    Ok(claims)
}

fn choose(session: &Session<'_>, request: &ClaimRequest, served: &str) -> Result<Vec<i64>, Fault> {
    let now = request.now.as_micros();
    let most = i64::try_from(request.most).unwrap_or(i64::MAX);
    let per_tenant = i64::try_from(request.per_tenant).unwrap_or(i64::MAX);
    let turns_from = |sql, from: &str, most: usize| {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        session.all(sql, (from, now, per_tenant, most), |row| {
            Ok(Turn {
                tenant: row.get(0)?,
                room: per_tenant - row.get::<_, i64>(1)?,
                place: (i64::MIN, i64::MIN),
            })
        })
    };
    if most == 0 {
        return Ok(Vec::new());
    }
    let mut turns = VecDeque::from(turns_from(TURNS_AFTER, served, request.most)?);
    if turns.len() < request.most {
        let again = turns_from(TURNS_AGAIN, "", request.most - turns.len())?;
        turns.extend(again.into_iter().take_while(|turn| turn.tenant.as_str() <= served));
    }
    let mut chosen = Vec::new();
    while chosen.len() < request.most
        && let Some(mut turn) = turns.pop_front()
    {
        let (run_at, after) = turn.place;
        let next = session.one(NEXT, (&turn.tenant, now, run_at, after), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let Some(place) = next else { continue };
        chosen.push(place.1);
        turn.place = place;
        turn.room -= 1;
        if turn.room > 0 {
            turns.push_back(turn);
        }
    }
    Ok(chosen)
}

fn lease(session: &Session<'_>, id: i64, request: &ClaimRequest) -> Result<Option<Claim>, Fault> {
    // An attempt without an outcome here is that of a lease that expired.
    session.run("UPDATE attempts SET outcome = 'expired' WHERE event = ?1 AND outcome = ''", [id])?;
    let (earlier, expiries, panics) = session
        .one(
            "SELECT coalesce(max(number), 0), count(*) FILTER (WHERE outcome = 'expired'),
                    count(*) FILTER (WHERE class = 'panic')
             FROM attempts WHERE event = ?1",
            [id],
            |row| Ok((row.get::<_, u32>(0)?, row.get(1)?, row.get(2)?)),
        )?
        .unwrap_or_default();
    let attempt = earlier.saturating_add(1);
    session.run(
        "INSERT INTO attempts (event, number, started) VALUES (?1, ?2, ?3)",
        (id, attempt, request.now.as_micros()),
    )?;
    let token = session.connection().last_insert_rowid();
    let leased = session.one(
        concat!(
            "UPDATE events SET state = 'leased', due_at = ?2, lease = ?3 WHERE id = ?1 RETURNING ",
            envelope_columns!()
        ),
        (id, request.until.as_micros(), token),
        rows::envelope,
    )?;
    Ok(leased.map(|(envelope, replay_of)| Claim {
        lease: Lease { tenant: envelope.tenant.clone(), event: EventId(id), token },
        envelope,
        attempt,
        expiries,
        panics,
        replay_of,
    }))
}

/// When the next event is due, or the next lease ends.
pub(crate) fn next_due(session: &Session<'_>) -> Result<Option<i64>, Fault> {
    Ok(session.one(NEXT_DUE, (), |row| row.get(0))?.flatten())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use connect_flow::clock::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::schema;

    /// 95,000 events of one tenant and 25 of each of 200 others.
    fn crowded() -> Connection {
        let connection = Connection::open_in_memory().expect("a store");
        schema::set_up(&connection, Duration::ZERO).expect("a store");
        schema::prepare(&connection, true).expect("a store");
        connection
            .execute_batch(
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
                 INSERT INTO events (tenant, source, dedupe_key, schema_version, event_type, body, received_at_seconds, target,
                                     accepted_at, state, run_at, due_at)
                 SELECT iif(i < 95000, 'big', printf('small-%03d', i % 200)), 'github', i, 1, 'push',
                        zeroblob(200), 0, '', i, 'pending', i, i
                 FROM n",
            )
            .expect("a store");
        connection
    }

    fn request(most: usize) -> ClaimRequest {
        let (now, until) = (Timestamp::from_micros(1_000_000), Timestamp::from_micros(2_000_000));
        ClaimRequest { now, until, most, per_tenant: 8 }
    }

    #[test]
    fn a_crowd_of_one_tenant_leaves_room_for_all_others() {
        let connection = crowded();
        let session = Session::new(&connection);
        let mut served = String::new();
        let mut tenants = BTreeSet::new();
        for round in 0..3 {
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            let begun = tokio::time::Instant::now();
            let claims = claim(&session, &request(64), &mut served).unwrap();
            println!("claim of 64 among 100,000 events, round {round}: {:?}", begun.elapsed());
            connection.execute_batch("COMMIT").unwrap();
            let of: BTreeSet<_> = claims.iter().map(|claim| claim.lease.tenant.clone()).collect();
            assert_eq!((claims.len(), of.len()), (64, 64));
            tenants.extend(of);
        }
        assert_eq!(tenants.len(), 3 * 64, "each claim goes on where the last one ended");
        println!("next due: {:?}", {
            let begun = tokio::time::Instant::now();
            next_due(&session).unwrap();
            begun.elapsed()
        });
    }

    #[test]
    fn claims_only_seek_in_the_partial_indexes() {
        let connection = crowded();
        for sql in [TURNS_AFTER, TURNS_AGAIN, NEXT, NEXT_DUE] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            for parameter in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(parameter, 1).unwrap();
            }
            let mut rows = statement.raw_query();
            let mut plan = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                plan.push(row.get::<_, String>(3).unwrap());
            }
            println!("{plan:#?}");
            assert!(plan.iter().any(|line| line.contains("events_live")), "{plan:?}");
            for line in plan {
                // `SCAN` of what is not an event is a walk over the tenants found so far.
                let leases = line.contains("events_leased");
                let scans = line.starts_with("SCAN") && line.contains("INDEX") && !leases;
                assert!(!scans && !line.contains("TEMP B-TREE"), "{line}");
            }
        }
    }
}
