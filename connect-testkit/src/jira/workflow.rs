//! The one workflow of the fake: To Do, In Progress, Done, and the two operations on it.
//!
//! It is the shape of Jira's simplest workflow: each status has one transition into it, open from every status,
//! so a repeated transition is accepted and changes nothing. Ids are fixed, and shared with the webhook
//! deliveries.
//! Not for conditions, validators and screens: nothing here can be unavailable.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Failure, Success};
use super::routes::Call;
use super::shape;
use super::state::Site;

/// A status and the transition that leads into it.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) transition: &'static str,
    pub(crate) category: Category,
}

#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) id: u64,
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) color: &'static str,
}

pub(crate) const STATUSES: [Status; 3] = [
    Status {
        id: "10003",
        name: "To Do",
        transition: "11",
        category: Category { id: 2, key: "new", name: "To Do", color: "blue-gray" },
    },
    Status {
        id: "10004",
        name: "In Progress",
        transition: "21",
        category: Category { id: 4, key: "indeterminate", name: "In Progress", color: "yellow" },
    },
    Status {
        id: "10005",
        name: "Done",
        transition: "31",
        category: Category { id: 3, key: "done", name: "Done", color: "green" },
    },
];

/// A status by name, without regard to case, or by id.
pub(crate) fn find(name_or_id: &str) -> Option<&'static Status> {
    STATUSES.iter().find(|status| status.name.eq_ignore_ascii_case(name_or_id) || status.id == name_or_id)
}

/// `getTransitions`
pub(crate) fn get_transitions(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    site.issue(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let wanted = call.query("transitionId");
    let with_fields = call.query_list("expand").iter().any(|name| name == "transitions.fields");
    let transitions: Vec<Value> = STATUSES
        .iter()
        .filter(|status| wanted.as_ref().is_none_or(|id| id == status.transition))
        .map(|status| {
            let mut transition = json!({
                "id": status.transition,
                "name": status.name,
                "to": shape::status(call.base, status.name),
                "hasScreen": false,
                "isGlobal": true,
                "isInitial": false,
                "isAvailable": true,
                "isConditional": false,
                "looped": false,
            });
            if with_fields {
                transition["fields"] = json!({});
            }
            transition
        })
        .collect();
    Ok(Success::ok(json!({ "expand": "transitions", "transitions": transitions })))
}

/// `doTransition`
pub(crate) fn do_transition(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let issue = site.issue_mut(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let body = call.object()?;
    let id = match body.get("transition").map(|transition| &transition["id"]) {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return Err(Failure::bad_request("The body names no transition by its id.")),
    };
    let status = STATUSES
        .iter()
        .find(|status| status.transition == id)
        .ok_or_else(|| Failure::bad_request(format!("This issue has no transition with the id {id}.")))?;
    issue.enter(status.name, call.now);
    Ok(Success::empty(StatusCode::NO_CONTENT))
}
