//! GitHub's primary rate limits: so many requests per hour and resource, counted from the first one.
//!
//! Every answer reports its resource in the `x-ratelimit-*` headers. By default what GitHub documents, with and without a
//! token; a builder can lower the figures, and then the fake really refuses. Each resource is counted on its own: a used-up
//! search leaves everything else open.
//! Not the secondary limit: see `secondary`.

use serde_json::{Map, Value, json};

use crate::server::Answer;

const HOUR: u64 = 3600;
const MINUTE: u64 = 60;

/// Name, seconds of its window, requests in it with a token, and without.
const RESOURCES: [(&str, u64, u64, u64); 4] = [
    ("core", HOUR, 5000, 60),
    ("search", MINUTE, 30, 10),
    ("code_search", MINUTE, 10, 10),
    ("graphql", HOUR, 5000, 0),
];

/// Which resource serves a path.
const PATHS: [(&str, &str); 3] =
    [("/search/code", "code_search"), ("/search/", "search"), ("/graphql", "graphql")];

pub(super) fn resource(path: &str) -> &'static str {
    PATHS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("core", |(_, resource)| resource)
}

/// The quotas of one account.
#[derive(Debug)]
pub(super) struct Quotas(Vec<Quota>);

impl Quotas {
    pub(super) fn with_token() -> Self {
        Self(RESOURCES.iter().map(|&(name, window, limit, _)| Quota::new(name, window, limit)).collect())
    }

    pub(super) fn without_token() -> Self {
        Self(RESOURCES.iter().map(|&(name, window, _, limit)| Quota::new(name, window, limit)).collect())
    }

    /// Sets the limit of a resource; one that the fake does not know is added and never drawn on.
    pub(super) fn set_limit(&mut self, resource: &'static str, limit: u64) {
        match self.0.iter_mut().find(|quota| quota.resource == resource) {
            Some(quota) => quota.limit = limit,
            None => self.0.push(Quota::new(resource, HOUR, limit)),
        }
    }

    /// The quota of a resource; `core` where there is no such.
    pub(super) fn of(&mut self, resource: &str) -> &mut Quota {
        let index = self.0.iter().position(|quota| quota.resource == resource).unwrap_or(0);
        &mut self.0[index]
    }

    pub(super) fn json(&mut self, now: u64) -> Value {
        let resources: Map<String, Value> =
            self.0.iter_mut().map(|quota| (quota.resource.to_owned(), quota.json(now))).collect();
        Value::Object(resources)
    }
}

#[derive(Debug)]
pub(crate) struct Quota {
    resource: &'static str,
    window: u64,
    limit: u64,
    used: u64,
    reset: u64,
}

impl Quota {
    fn new(resource: &'static str, window: u64, limit: u64) -> Self {
        Self { resource, window, limit, used: 0, reset: 0 }
    }

    pub(crate) fn is_exhausted(&mut self, now: u64) -> bool {
        self.roll(now);
        self.used >= self.limit
    }

    pub(crate) fn charge(&mut self) {
        self.used = (self.used + 1).min(self.limit);
    }

    /// Uses up what is left until a moment this far ahead.
    pub(crate) fn exhaust(&mut self, now: u64, reset_in: u64) {
        self.used = self.limit;
        self.reset = now.saturating_add(reset_in);
    }

    pub(crate) fn report(&mut self, now: u64, answer: &mut Answer) {
        self.roll(now);
        answer.set("x-ratelimit-limit", self.limit.to_string());
        answer.set("x-ratelimit-remaining", (self.limit - self.used).to_string());
        answer.set("x-ratelimit-used", self.used.to_string());
        answer.set("x-ratelimit-reset", self.reset.to_string());
        answer.set("x-ratelimit-resource", self.resource);
    }

    fn json(&mut self, now: u64) -> Value {
        self.roll(now);
        json!({
            "limit": self.limit,
            "used": self.used,
            "remaining": self.limit - self.used,
            "reset": self.reset,
        })
    }

    /// Starts a new window when the old one is over.
    fn roll(&mut self, now: u64) {
        if now >= self.reset {
            self.used = 0;
            self.reset = now.saturating_add(self.window);
        }
    }
}
