//! The operations on comments: add one, and list those of an issue.
//!
//! The body must be a document, as for descriptions. The list is paged by `startAt` and `maxResults`, which is
//! 100 by default and at most; the answer says what was used, so a client that trusts its own number loses
//! comments here. Oldest first unless `orderBy` says otherwise.
//! Not here: visibility, editing, deleting, rendered bodies.

use serde_json::{Value, json};

use super::answer::{Failure, Success};
use super::document;
use super::routes::Call;
use super::shape;
use super::state::{Comment, Site};

const LARGEST_PAGE: usize = 100;

/// `addComment`
pub(crate) fn add_comment(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    site.issue(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let body = call.object()?.remove("body").unwrap_or_default();
    document::check(&body).map_err(|wrong| Failure::field("comment", format!("The body {wrong}.")))?;
    if body["content"].as_array().is_none_or(Vec::is_empty) {
        return Err(Failure::field("comment", "The body is empty."));
    }

    let added = site.add_comment(call.segment(0), body, &call.account.id, call.now);
    let (issue_id, comment) = added.ok_or_else(Failure::no_issue)?;
    Ok(Success::created(shape::comment(call.base, &issue_id, &comment)))
}

/// `getComments`
pub(crate) fn get_comments(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let issue = site.issue(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let start = call.number("startAt", 0)?;
    let size = call.number("maxResults", LARGEST_PAGE)?.min(LARGEST_PAGE);
    let mut comments: Vec<&Comment> = issue.comments.iter().collect();
    match call.query("orderBy").as_deref() {
        // A plus that was not encoded arrives as a space.
        None | Some("created" | "+created" | " created") => {}
        Some("-created") => comments.reverse(),
        Some(other) => return Err(Failure::bad_request(format!("Comments cannot be ordered by {other}."))),
    }
    let page: Vec<Value> = comments
        .iter()
        .skip(start)
        .take(size)
        .map(|comment| shape::comment(call.base, &issue.id, comment))
        .collect();
    Ok(Success::ok(json!({
        "startAt": start,
        "maxResults": size,
        "total": comments.len(),
        "comments": page,
    })))
}
