//! Which thing is which.

use super::actions::at;
use super::difference::{Difference, holds, same};
use crate::clock::Timestamp;
use crate::mapping::{Linked, Mapping, MappingFilter};
use crate::store::{Slice, Store};

pub(super) fn mapping(source: (&str, &str), target: (&str, &str), created: Timestamp) -> Mapping {
    Mapping {
        source_service: source.0.to_owned(),
        source_id: source.1.to_owned(),
        target_service: target.0.to_owned(),
        target_id: target.1.to_owned(),
        created_at: created,
    }
}

/// A thing has one partner per service; who asks for another is told of the one.
pub async fn mappings_are_unique_in_both_directions<S: Store>(store: &S) -> Result<(), Difference> {
    let first = mapping(("slack", "C1"), ("jira", "OPS-7"), at(1));
    same("new", store.link("a", first.clone()).await?, Linked::New)?;
    let later = Mapping { created_at: at(2), ..first.clone() };
    same("the same again", store.link("a", later).await?, Linked::Same)?;

    let source_taken = mapping(("slack", "C1"), ("jira", "OPS-8"), at(3));
    same("the source is taken", store.link("a", source_taken).await?, Linked::Conflict(first.clone()))?;
    let target_taken = mapping(("slack", "C2"), ("jira", "OPS-7"), at(4));
    same("the target is taken", store.link("a", target_taken).await?, Linked::Conflict(first.clone()))?;

    let free = [
        mapping(("slack", "C2"), ("jira", "OPS-8"), at(5)),
        mapping(("slack", "C1"), ("github", "7"), at(6)),
        mapping(("teams", "C1"), ("jira", "OPS-7"), at(7)),
        mapping(("slack", "c1"), ("jira", "ops-7"), at(8)),
    ];
    for mapping in &free {
        same(&format!("{mapping:?}"), store.link("a", mapping.clone()).await?, Linked::New)?;
    }
    let both_taken = store.link("a", mapping(("slack", "C1"), ("jira", "OPS-8"), at(9))).await?;
    holds("a conflict with two is a conflict", matches!(both_taken, Linked::Conflict(_)))?;
    same("another tenant's", store.link("b", first.clone()).await?, Linked::New)?;

    let listed = store.mappings("a", &MappingFilter::default(), Slice::default()).await?;
    let expected: Vec<_> = free.into_iter().rev().chain([first]).collect();
    same("all of them", listed.rows, expected)?;
    same("how many", listed.total, 5)
}

/// Everything that is set must fit; newest first, in slices, with how many fit.
pub async fn mappings_are_listed_by_filter<S: Store>(store: &S) -> Result<(), Difference> {
    for number in 0..6_i64 {
        let (source, target) = if number % 2 == 0 { ("slack", "jira") } else { ("github", "slack") };
        let id = format!("x{number}");
        same("link", store.link("a", mapping((source, &id), (target, &id), at(number))).await?, Linked::New)?;
    }
    let filter = |source_service: Option<&str>,
                  source_id: Option<&str>,
                  target_service: Option<&str>,
                  target_id: Option<&str>| {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        MappingFilter {
            source_service: owned(source_service),
            source_id: owned(source_id),
            target_service: owned(target_service),
            target_id: owned(target_id),
        }
    };
    let cases: [(MappingFilter, u64, u32, &[&str], u64); 13] = [
        (filter(None, None, None, None), 0, 50, &["x5", "x4", "x3", "x2", "x1", "x0"], 6),
        (filter(None, None, None, None), 1, 2, &["x4", "x3"], 6),
        (filter(None, None, None, None), 5, 2, &["x0"], 6),
        (filter(None, None, None, None), 6, 2, &[], 6),
        (filter(None, None, None, None), 0, 0, &[], 6),
        (filter(Some("slack"), None, None, None), 0, 50, &["x4", "x2", "x0"], 3),
        (filter(Some("slack"), None, None, None), 1, 1, &["x2"], 3),
        (filter(None, None, Some("slack"), None), 0, 50, &["x5", "x3", "x1"], 3),
        (filter(None, Some("x3"), None, None), 0, 50, &["x3"], 1),
        (filter(None, None, None, Some("x4")), 0, 50, &["x4"], 1),
        (filter(Some("slack"), Some("x2"), Some("jira"), Some("x2")), 0, 50, &["x2"], 1),
        (filter(Some("slack"), Some("x3"), None, None), 0, 50, &[], 0),
        (filter(Some("SLACK"), None, None, None), 0, 50, &[], 0),
    ];
    for (filter, offset, limit, expected, total) in cases {
        let listed = store.mappings("a", &filter, Slice { offset, limit }).await?;
        let found: Vec<_> = listed.rows.iter().map(|mapping| &*mapping.target_id).collect();
        same(
            &format!("{filter:?} from {offset}, at most {limit}"),
            (found, listed.total),
            (expected.to_vec(), total),
        )?;
    }
    Ok(())
}
