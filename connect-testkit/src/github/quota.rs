//! GitHub's primary rate limit: so many requests per hour, counted from the first one.
//!
//! Every answer reports it in the `x-ratelimit-*` headers. By default 5,000 requests with a token and 60
//! without, as documented by GitHub; a builder can lower the first number, and then the fake really refuses.
//! Not the secondary limits, which GitHub does not publish: plan those as faults.

use serde_json::{Value, json};

use crate::server::Answer;

const WINDOW_SECONDS: u64 = 3600;

#[derive(Debug)]
pub(crate) struct Quota {
    limit: u64,
    used: u64,
    reset: u64,
}

impl Quota {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0, reset: 0 }
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
        answer.set("x-ratelimit-resource", "core");
    }

    pub(crate) fn json(&mut self, now: u64) -> Value {
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
            self.reset = now.saturating_add(WINDOW_SECONDS);
        }
    }
}
