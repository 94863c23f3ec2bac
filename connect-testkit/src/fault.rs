//! What goes wrong, and when: a list of faults that a fake consumes in order.
//!
//! A client is only as good as its behaviour on a bad day. A plan names an operation and what happens to it;
//! each request takes the first fault that matches it, and a fault is gone once it has happened as often as
//! planned. By default nothing goes wrong, and a planned fault happens once.
//! Plan before you send: a fault planned while requests are in flight meets whichever comes next.
//! Not for load tests; there is no probability here, so a failing test fails again.
//!
//! ```
//! # use std::time::Duration;
//! # let plan = connect_testkit::FaultPlan::default();
//! plan.on("issues/create").status(502).times(2).then().too_many_requests(Duration::from_secs(30));
//! plan.on("chat.postMessage").drop_after_send();
//! plan.on("*").pass().times(10).then().status(503).always();
//! assert_eq!(plan.remaining(), 4 + 10);
//! ```

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::clock::seconds_rounded_up;
use crate::hold::Hold;
use crate::shared::Shared;

/// An answer that says no, in words that each provider translates into its own shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    Status(StatusCode),
    TooManyRequests { retry_after: u64 },
    SecondaryLimit { retry_after: u64 },
    PrimaryLimit { reset_in: u64 },
    Word(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Nothing goes wrong this time.
    Pass,
    Refuse(Refusal),
    /// The connection closes without an answer.
    Drop,
    /// The answer announces its full length, then stops half way.
    Truncate,
}

/// When a request waits, and for what.
#[derive(Clone, Debug)]
pub(crate) enum Wait {
    Not,
    BeforeEffect(Hold),
    BeforeAnswer(Hold),
    Delay(Duration),
}

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) action: Action,
    /// Whether the provider does what it was asked before the fault hides it.
    pub(crate) effect: bool,
    pub(crate) wait: Wait,
}

impl Fault {
    pub(crate) const NONE: Self = Self { action: Action::Pass, effect: true, wait: Wait::Not };
}

#[derive(Debug)]
struct Rule {
    id: u64,
    operation: String,
    fault: Fault,
    /// `None` is for ever.
    left: Option<usize>,
}

#[derive(Debug, Default)]
struct Rules {
    list: Vec<Rule>,
    next_id: u64,
}

/// The faults of one fake, in the order in which they will happen.
///
/// Clones share the plan.
#[derive(Clone)]
pub struct FaultPlan(Shared<Rules>);

impl Default for FaultPlan {
    fn default() -> Self {
        Self(Shared::new(Rules::default()))
    }
}

impl FaultPlan {
    /// Starts a sentence about one operation, by the provider's own name (`issues/create`,
    /// `chat.postMessage`, `createIssue`, `token/refresh_token`); `"*"` is every request, known operation or not.
    #[must_use = "say what goes wrong, for example `.status(500)`"]
    pub fn on(&self, operation: impl Into<String>) -> On<'_> {
        On { plan: self, operation: operation.into() }
    }

    /// How many faults have not happened yet; those planned for ever are not counted.
    ///
    /// A test that ends with 0 knows that each of its faults really took place, and that no name was misspelt.
    pub fn remaining(&self) -> usize {
        self.0.with(|rules| rules.list.iter().filter_map(|rule| rule.left).sum())
    }

    /// Forgets every planned fault.
    pub fn clear(&self) {
        self.0.with(|rules| rules.list.clear());
    }

    pub(crate) fn take(&self, operation: Option<&str>) -> Fault {
        self.0.with(|rules| {
            let found = rules
                .list
                .iter()
                .position(|rule| rule.operation == "*" || Some(rule.operation.as_str()) == operation);
            let Some(rule) = found.and_then(|index| rules.list.get_mut(index)) else { return Fault::NONE };
            let fault = rule.fault.clone();
            if let Some(left) = &mut rule.left {
                *left = left.saturating_sub(1);
            }
            rules.list.retain(|rule| rule.left != Some(0));
            fault
        })
    }

    fn add(&self, operation: String, action: Action, effect: bool) -> Planned<'_> {
        let id = self.0.with(|rules| {
            rules.next_id += 1;
            let id = rules.next_id;
            let fault = Fault { action, effect, wait: Wait::Not };
            rules.list.push(Rule { id, operation: operation.clone(), fault, left: Some(1) });
            id
        });
        Planned { plan: self, operation, id }
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Rule)) {
        self.0.with(|rules| {
            if let Some(rule) = rules.list.iter_mut().find(|rule| rule.id == id) {
                change(rule);
            }
            rules.list.retain(|rule| rule.left != Some(0));
        });
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.with(|rules| f.debug_list().entries(&rules.list).finish())
    }
}

/// The first half of a sentence: an operation, waiting to hear what goes wrong with it.
#[derive(Debug)]
pub struct On<'a> {
    plan: &'a FaultPlan,
    operation: String,
}

impl<'a> On<'a> {
    /// Answers with this status in the provider's error shape, and does nothing.
    ///
    /// A number that is no final HTTP status (200 to 999) is answered as 500.
    pub fn status(self, status: u16) -> Planned<'a> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| !status.is_informational())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.refuse(Refusal::Status(status))
    }

    /// Answers 429 with `Retry-After` in whole seconds, rounded up. In Jira it is the burst limit.
    pub fn too_many_requests(self, retry_after: Duration) -> Planned<'a> {
        self.refuse(Refusal::TooManyRequests { retry_after: seconds_rounded_up(retry_after) })
    }

    /// GitHub's secondary limit: 403, `Retry-After`, and a message that names it.
    /// In Jira it is the limit of writes to one issue, and elsewhere a plain 429.
    pub fn secondary_limit(self, retry_after: Duration) -> Planned<'a> {
        self.refuse(Refusal::SecondaryLimit { retry_after: seconds_rounded_up(retry_after) })
    }

    /// GitHub's primary limit: 403, nothing remaining, a reset this far ahead, no `Retry-After`.
    /// The quota stays used up: until the reset the fake refuses every further request too.
    /// In Jira it is the quota of points, refused once, and elsewhere a plain 429.
    pub fn primary_limit(self, reset_in: Duration) -> Planned<'a> {
        self.refuse(Refusal::PrimaryLimit { reset_in: seconds_rounded_up(reset_in) })
    }

    /// Slack's way to fail: HTTP 200 and `ok: false` with this word, for example `internal_error`.
    /// A provider without such answers says 422 with the word as its message; for
    /// [`FakeAuthorization`](crate::FakeAuthorization) see [`oauth_error`](Self::oauth_error).
    pub fn slack_error(self, error: impl Into<String>) -> Planned<'a> {
        self.refuse(Refusal::Word(error.into()))
    }

    /// An authorization server's way to fail: this `error` in the shape that the server was built with, for
    /// example `temporarily_unavailable`. Elsewhere it is [`slack_error`](Self::slack_error).
    pub fn oauth_error(self, error: impl Into<String>) -> Planned<'a> {
        self.refuse(Refusal::Word(error.into()))
    }

    /// The request is read, recorded and carried out, then the connection closes without an answer.
    ///
    /// The client cannot know whether it was heard; repeating the call repeats its effect.
    pub fn drop_after_send(self) -> Planned<'a> {
        self.plan.add(self.operation, Action::Drop, true)
    }

    /// The request is read and recorded, but never carried out; the connection closes without an answer.
    ///
    /// To the client it looks exactly like [`drop_after_send`](Self::drop_after_send).
    pub fn drop_before_effect(self) -> Planned<'a> {
        self.plan.add(self.operation, Action::Drop, false)
    }

    /// The request is carried out, and the connection closes half way through the body of the answer.
    pub fn truncate_body(self) -> Planned<'a> {
        self.plan.add(self.operation, Action::Truncate, true)
    }

    /// Nothing goes wrong: for "the third call fails", let two pass first.
    pub fn pass(self) -> Planned<'a> {
        self.plan.add(self.operation, Action::Pass, true)
    }

    /// The answer waits at a gate until the test opens it; the request was carried out before.
    ///
    /// A client that gives up meanwhile leaves the effect behind: a token answer that was lost to a time-out.
    pub fn hold_answer(self, hold: &Hold) -> Planned<'a> {
        self.wait(Wait::BeforeAnswer(hold.clone()))
    }

    /// The request waits at a gate until the test opens it; it is carried out and recorded only then, even if
    /// its client has given up meanwhile.
    pub fn hold_request(self, hold: &Hold) -> Planned<'a> {
        self.wait(Wait::BeforeEffect(hold.clone()))
    }

    /// The request is carried out at once and answered so much later, on tokio's timer.
    ///
    /// For tests of whole processes, which need an answer that is really slow; everywhere else
    /// [`hold_answer`](Self::hold_answer) needs no time.
    pub fn delay(self, delay: Duration) -> Planned<'a> {
        self.wait(Wait::Delay(delay))
    }

    fn wait(self, wait: Wait) -> Planned<'a> {
        let planned = self.plan.add(self.operation, Action::Pass, true);
        planned.plan.change(planned.id, |rule| rule.fault.wait = wait);
        planned
    }

    fn refuse(self, refusal: Refusal) -> Planned<'a> {
        self.plan.add(self.operation, Action::Refuse(refusal), false)
    }
}

/// A planned fault; it happens once unless you say more.
#[derive(Debug)]
pub struct Planned<'a> {
    plan: &'a FaultPlan,
    operation: String,
    id: u64,
}

impl<'a> Planned<'a> {
    /// The fault happens this many times.
    pub fn times(self, times: usize) -> Self {
        self.plan.change(self.id, |rule| rule.left = Some(times));
        self
    }

    /// The fault happens until the plan is [cleared](FaultPlan::clear).
    pub fn always(self) -> Self {
        self.plan.change(self.id, |rule| rule.left = None);
        self
    }

    /// The provider does what it was asked first, and then answers with the fault: the 502 of a gateway whose
    /// server finished the work.
    pub fn after_effect(self) -> Self {
        self.plan.change(self.id, |rule| rule.fault.effect = true);
        self
    }

    /// What goes wrong next with the same operation.
    #[must_use = "say what goes wrong, for example `.status(500)`"]
    pub fn then(self) -> On<'a> {
        On { plan: self.plan, operation: self.operation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(plan: &FaultPlan, operation: Option<&str>, requests: usize) -> Vec<Option<u16>> {
        (0..requests)
            .map(|_| match plan.take(operation).action {
                Action::Refuse(Refusal::Status(status)) => Some(status.as_u16()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn faults_happen_in_order_and_then_stop() {
        let plan = FaultPlan::default();
        plan.on("a").status(500).times(2).then().pass().then().status(503);
        assert_eq!(statuses(&plan, Some("a"), 5), [Some(500), Some(500), None, Some(503), None]);
        assert_eq!(plan.remaining(), 0);
    }

    #[test]
    fn a_fault_waits_for_its_own_operation() {
        let plan = FaultPlan::default();
        plan.on("a").status(500);
        assert_eq!(statuses(&plan, Some("b"), 1), [None]);
        assert_eq!(statuses(&plan, None, 1), [None]);
        assert_eq!(plan.remaining(), 1);
    }

    #[test]
    fn a_star_matches_every_request_for_ever() {
        let plan = FaultPlan::default();
        plan.on("*").status(500).always();
        assert_eq!(statuses(&plan, None, 1), [Some(500)]);
        assert_eq!(statuses(&plan, Some("a"), 1), [Some(500)]);
        plan.clear();
        assert_eq!(statuses(&plan, Some("a"), 1), [None]);
    }

    #[test]
    fn a_number_that_is_no_final_status_becomes_500() {
        let plan = FaultPlan::default();
        plan.on("a").status(42).then().status(101);
        assert_eq!(statuses(&plan, Some("a"), 2), [Some(500), Some(500)]);
    }
}
