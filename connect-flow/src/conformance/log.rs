//! The integration log: what it says at each turn of an event's life, and when it forgets.

use std::time::Duration;

use super::actions::{
    accept, accept_envelope, at, claim, claim_one, end, ended, event, finish, letter, pending, record,
    replay, row,
};
use super::difference::{Difference, exactly, same};
use crate::inbox::{AttemptEnd, Counts, Ended, EventId, Held, Receipt, Repeat, State};
use crate::log::LogRow;
use crate::store::{Slice, Store};

/// Written with the event, as `pending`, and not again for a duplicate; newest event first, in slices, with how many
/// there are.
pub async fn the_log_has_one_row_per_event<S: Store>(store: &S) -> Result<(), Difference> {
    let mut expected = Vec::new();
    // Accepted at times in another order than their numbers.
    for (key, seconds) in [("1", 30), ("2", 10), ("3", 20), ("4", 0)] {
        let mut envelope = event("a", key);
        envelope.source = format!("source {key}").into();
        envelope.event_type = format!("type {key}");
        let id = accept_envelope(store, envelope.clone(), at(seconds)).await?;
        let row = LogRow {
            event: id,
            source: format!("source {key}"),
            target: String::new(),
            event_type: format!("type {key}"),
            status: "pending".to_owned(),
            class: String::new(),
            at: at(seconds),
            duration: Duration::ZERO,
        };
        same("the row of a new event", row_of(store, id).await?, Some(row.clone()))?;
        envelope.event_type = "another type".to_owned();
        same("the key again", store.accept(envelope, at(50)).await?, Receipt::Duplicate(id, Repeat::Same))?;
        same("the row after a duplicate", row_of(store, id).await?, Some(row.clone()))?;
        expected.insert(0, row);
    }
    same("a row of an event that is not there", row_of(store, EventId(i64::MAX)).await?, None)?;
    for (offset, limit, rows) in
        [(0, 50, 0..4), (0, 1, 0..1), (1, 2, 1..3), (3, 2, 3..4), (4, 2, 4..4), (0, 0, 0..0)]
    {
        let listed = store.log("a", Slice { offset, limit }).await?;
        let expected = expected.get(rows).unwrap_or_default().to_vec();
        same(&format!("rows from {offset}, at most {limit}"), (listed.rows, listed.total), (expected, 4))?;
    }
    Ok(())
}

/// Its status, class and target, and how long after the acceptance it was.
pub async fn the_log_says_how_the_last_attempt_ended<S: Store>(store: &S) -> Result<(), Difference> {
    let ends = [
        (Ended::Retry { at: at(0) }, "retry", "busy"),
        (Ended::Done, "ok", ""),
        (Ended::Skipped, "skipped", ""),
        (Ended::Dead, "dead", "broken"),
    ];
    for (number, (ended, status, class)) in ends.iter().enumerate() {
        let id = accept(store, "a", &number.to_string(), at(0)).await?;
        let first = claim_one(store, at(0)).await?;
        let retried = AttemptEnd { class: "other".to_owned(), ..end(at(3), Ended::Retry { at: at(3) }) };
        let retried = AttemptEnd { target: "elsewhere".to_owned(), ..retried };
        same("finish", store.finish(&first.lease, retried).await?, Held::Yes)?;
        let expected = LogRow {
            target: "elsewhere".to_owned(),
            status: "retry".to_owned(),
            class: "other".to_owned(),
            duration: Duration::from_secs(3),
            ..pending(id, at(0))
        };
        same("after the first attempt", row_of(store, id).await?, Some(expected))?;

        // Times are kept to the microsecond, over more than a year.
        let late = at(400 * 86_400) + Duration::from_micros(7);
        let second = claim_one(store, at(3)).await?;
        finish(store, &second, late, ended.clone()).await?;
        let expected = LogRow {
            target: "slack".to_owned(),
            status: (*status).to_owned(),
            class: (*class).to_owned(),
            duration: Duration::from_secs(400 * 86_400) + Duration::from_micros(7),
            ..pending(id, at(0))
        };
        same(&format!("after {ended:?}"), row_of(store, id).await?, Some(expected))?;
        if *status == "retry" {
            let third = claim_one(store, at(3)).await?;
            let nowhere = AttemptEnd { target: String::new(), ..end(at(4), Ended::Done) };
            same("finish", store.finish(&third.lease, nowhere).await?, Held::Yes)?;
            let expected = row(id, at(0), "ok", "", Duration::from_secs(4));
            same("after an attempt without a target", row_of(store, id).await?, Some(expected))?;
        }
    }
    // Clocks of two machines differ.
    let id = accept(store, "a", "early", at(10)).await?;
    let early = claim_one(store, at(10)).await?;
    finish(store, &early, at(9), Ended::Done).await?;
    same(
        "an end before the acceptance",
        row_of(store, id).await?,
        Some(row(id, at(10), "ok", "", Duration::ZERO)),
    )?;
    same("rows", store.log("a", Slice::default()).await?.total, 5)
}

/// A claim, an expiry and a release are no news, whatever the log said before; nor is a duplicate.
pub async fn the_log_never_goes_back_to_pending<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let mut expected = pending(id, at(0));
    let mut now = 0;
    for _ in 0..2 {
        let is_still = |what: &str, found: Option<LogRow>| same(what, found, Some(expected.clone()));
        claim_one(store, at(now)).await?;
        is_still("while it runs", row_of(store, id).await?)?;
        let second = claim_one(store, at(now + 60)).await?;
        is_still("after a lease expired", row_of(store, id).await?)?;
        same("extend", store.extend(&second.lease, at(now + 200)).await?, Held::Yes)?;
        is_still("after a lease was extended", row_of(store, id).await?)?;
        same("release", store.release(&second.lease, at(now + 61)).await?, Held::Yes)?;
        is_still("after the release", row_of(store, id).await?)?;
        same(
            "the key again",
            store.accept(event("a", "1"), at(now + 62)).await?,
            Receipt::Duplicate(id, Repeat::Same),
        )?;
        is_still("after a duplicate", row_of(store, id).await?)?;

        let third = claim_one(store, at(now + 63)).await?;
        now += 100;
        finish(store, &third, at(now), Ended::Retry { at: at(now) }).await?;
        let lasted = Duration::from_secs(now.unsigned_abs());
        expected = row(id, at(0), "retry", "busy", lasted);
        same("after a retry", row_of(store, id).await?, Some(expected.clone()))?;
    }
    same("rows", store.log("a", Slice::default()).await?.total, 1)
}

/// `pending` from the time of the replay; the original's says `dead` as before.
pub async fn a_replay_has_a_row_of_its_own<S: Store>(store: &S) -> Result<(), Difference> {
    let id = ended(store, "a", "1", at(0), Ended::Dead).await?;
    let dead = row(id, at(0), "dead", "broken", Duration::ZERO);
    let copy = replay(store, "a", id, at(10)).await?;
    same("the copy's row", row_of(store, copy).await?, Some(pending(copy, at(10))))?;
    same("the original's row", row_of(store, id).await?, Some(dead.clone()))?;
    store.replay("a", id, at(11)).await?;
    same("rows after a second wish", store.log("a", Slice::default()).await?.total, 2)?;
    let claim = claim_one(store, at(10)).await?;
    finish(store, &claim, at(12), Ended::Done).await?;
    let done = row(copy, at(10), "ok", "", Duration::from_secs(2));
    let log = store.log("a", Slice::default()).await?;
    same("all rows", (log.rows, log.total), (vec![done, dead], 2))
}

/// The log may be kept longer than bodies are.
pub async fn a_row_outlives_its_event<S: Store>(store: &S) -> Result<(), Difference> {
    let id = ended(store, "a", "1", at(0), Ended::Done).await?;
    same("sweep", store.sweep(at(1), 10).await?, 1)?;
    same("the event", store.event("a", id).await?.map(|record| record.id), None)?;
    let old = row(id, at(0), "ok", "", Duration::ZERO);
    same("its row", row_of(store, id).await?, Some(old.clone()))?;

    // The key may come again, as another event with another row.
    let again = accept(store, "a", "1", at(20)).await?;
    let log = store.log("a", Slice::default()).await?;
    same("all rows", (log.rows, log.total), (vec![pending(again, at(20)), old], 2))?;
    same("sweep of the log", store.sweep_log(at(1), 10).await?, 1)?;
    same("the old row", row_of(store, id).await?, None)?;
    same("the new row", row_of(store, again).await?, Some(pending(again, at(20))))
}

/// And rows that are not old enough; of a dead event only the row goes, and of an ended one too.
pub async fn sweeping_the_log_leaves_unfinished_events<S: Store>(store: &S) -> Result<(), Difference> {
    let done = ended(store, "a", "done", at(0), Ended::Done).await?;
    let skipped = ended(store, "b", "skipped", at(1), Ended::Skipped).await?;
    let dead = ended(store, "a", "dead", at(2), Ended::Dead).await?;
    let retried = ended(store, "a", "retried", at(3), Ended::Retry { at: at(1000) }).await?;
    let leased = accept(store, "a", "leased", at(4)).await?;
    claim_one(store, at(4)).await?;
    let waiting = accept(store, "a", "waiting", at(5)).await?;

    same("before any was accepted", store.sweep_log(at(0), 100).await?, 0)?;
    same("exactly before the second", store.sweep_log(at(1), 100).await?, 1)?;
    same("the first", row_of(store, done).await?, None)?;
    same("the second", store.log_row("b", skipped).await?.map(|row| row.status), Some("skipped".to_owned()))?;
    same("at most none", store.sweep_log(at(10_000), 0).await?, 0)?;
    same("the rest", store.sweep_log(at(10_000), 100).await?, 2)?;
    same("the second, later", store.log_row("b", skipped).await?, None)?;
    same("nothing is left", store.sweep_log(at(10_000), 100).await?, 0)?;

    let left = store.log("a", Slice::default()).await?;
    let rows = vec![
        pending(waiting, at(5)),
        pending(leased, at(4)),
        row(retried, at(3), "retry", "busy", Duration::ZERO),
    ];
    same("rows that are left", (left.rows, left.total), (rows, 3))?;
    // Only the log forgot.
    let expected = Counts { pending: 2, leased: 1, done: 1, skipped: 1, dead: 1 };
    same("counts", store.counts().await?, expected)?;
    same("the dead letter", letter(store, "a", dead).await?.event.attempts.len(), 1)?;
    same("the done event", record(store, "a", done).await?.state, State::Done)?;
    same(
        "its key",
        store.accept(event("a", "done"), at(100)).await?,
        Receipt::Duplicate(done, Repeat::Same),
    )?;
    same("a row after a duplicate", row_of(store, done).await?, None)?;

    // What was unfinished goes once it has ended.
    for claim in claim(store, at(2000), 10).await? {
        finish(store, &claim, at(2001), Ended::Done).await?;
    }
    same("the rest, later", store.sweep_log(at(10_000), 100).await?, 3)?;
    same("rows", store.log("a", Slice::default()).await?.total, 0)
}

/// The oldest first, by acceptance, over all tenants.
pub async fn sweeping_the_log_goes_in_small_batches<S: Store>(store: &S) -> Result<(), Difference> {
    let mut accepted = Vec::new();
    for (key, seconds) in [("1", 30), ("2", 10), ("3", 50), ("4", 20), ("5", 40)] {
        let tenant = if seconds == 20 { "b" } else { "a" };
        accepted.push((tenant, key, accept(store, tenant, key, at(seconds)).await?));
    }
    // They end in another order than they came in.
    let claims = claim(store, at(50), 10).await?;
    for (claim, seconds) in exactly::<_, 5>("claims", claims)?.iter().zip([55, 53, 51, 52, 54]) {
        finish(store, claim, at(seconds), Ended::Done).await?;
    }
    let mut left = Vec::new();
    for batch in [2, 2, 1, 0] {
        same("a batch", store.sweep_log(at(100), 2).await?, batch)?;
        let mut keys = Vec::new();
        for (tenant, key, id) in &accepted {
            keys.extend(store.log_row(tenant, *id).await?.map(|_| *key));
        }
        left.push(keys.join(" "));
    }
    same("what was left after each batch", left, ["1 3 5", "3", "", ""].map(str::to_owned).to_vec())
}

async fn row_of<S: Store>(store: &S, id: EventId) -> Result<Option<LogRow>, Difference> {
    Ok(store.log_row("a", id).await?)
}
