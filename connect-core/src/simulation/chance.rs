//! What chance decides: the fate of each request when it leaves, and when strangers come.
//!
//! Each request and each stranger has a generator of its own, made from the seed and its number, so that one more request
//! does not change the fate of all later ones.

use std::ops::Range;
use std::time::Duration;

use http::StatusCode;

use super::plan::ProviderPlan;
use super::window::Counter;
use crate::seed;

/// Everything about one request that is random.
pub(super) struct Chance {
    pub(super) refused: bool,
    pub(super) loses_reply: bool,
    pub(super) error: Option<StatusCode>,
    pub(super) error_applies: bool,
    pub(super) cuts_body: bool,
    pub(super) silent: bool,
    /// How old the state is that its headers show.
    pub(super) lag: Duration,
    pub(super) arrives_at: Duration,
    pub(super) leaves_at: Duration,
    pub(super) ends_at: Duration,
}

impl Chance {
    pub(super) fn draw(plan: &ProviderPlan, number: u64, now: Duration) -> Self {
        const ERRORS: [StatusCode; 3] =
            [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE];
        let mut random = seed::generator(plan.seed, number);
        let mut happens = |probability: f64| random.f64() < probability;
        // Always drawn, in this order, so that switching one fault on does not change the others.
        let refused = happens(plan.faults.refused_connection);
        let loses_reply = happens(plan.faults.lost_reply);
        let fails = happens(plan.faults.server_error);
        let error_applies = happens(plan.faults.applied_error);
        let cuts_body = happens(plan.faults.truncated_body);
        let silent = happens(plan.faults.silence);
        let status = random.choice(ERRORS).filter(|_| fails);
        let lag = scaled(plan.header_lag, random.f64());
        let mut later = |from: Duration, range: &Range<Duration>| {
            let spread = scaled(range.end.saturating_sub(range.start), random.f64());
            from.saturating_add(range.start).saturating_add(spread)
        };
        let arrives_at = later(now, &plan.latency.request);
        let leaves_at = later(arrives_at, &plan.latency.work);
        let ends_at = later(leaves_at, &plan.latency.answer);
        Self {
            refused,
            loses_reply,
            error: status,
            error_applies,
            cuts_body,
            silent,
            lag,
            arrives_at,
            leaves_at,
            ends_at,
        }
    }
}

/// When a stranger comes, and with how many requests.
pub(super) struct Visits {
    /// The index of the limit it draws on.
    pub(super) limit: usize,
    /// When it comes next.
    pub(super) next: Duration,
    mean_gap: Duration,
    burst: u32,
    random: fastrand::Rng,
}

impl Visits {
    /// Of all strangers of a plan; those that want nothing, or of a limit that is not there, never come.
    pub(super) fn all(plan: &ProviderPlan, counters: &[Counter]) -> Vec<Self> {
        let visits = plan.strangers.iter().zip(0_u64..).filter_map(|(stranger, number)| {
            let limit = plan.limits.iter().position(|limit| limit.name == stranger.limit)?;
            let counter = counters.get(limit)?;
            let per_window = counter.allowance() as f64 * stranger.share;
            if !(per_window > 0.0 && per_window.is_finite()) {
                return None;
            }
            let mean_gap = scaled(counter.length(), per_window.recip());
            // Not among the seeds of requests, which count up from zero.
            let mut random = seed::generator(plan.seed, u64::MAX - number);
            let next = scaled(mean_gap, 2.0 * random.f64());
            Some(Self { limit, next, mean_gap, burst: stranger.burst.max(1), random })
        });
        visits.collect()
    }

    /// It comes: with how many requests?
    pub(super) fn come(&mut self) -> u32 {
        let burst = self.random.u32(1..=self.burst);
        // Uniform round the mean: simple, and irregular enough.
        let gap = scaled(self.mean_gap, f64::from(burst) * 2.0 * self.random.f64());
        self.next = self.next.saturating_add(gap.max(Duration::from_micros(1)));
        burst
    }
}

/// `Duration::mul_f64` panics when it overflows.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Faults;

    #[test]
    fn one_more_fault_does_not_change_the_others() {
        let calm = ProviderPlan::new(7).with_faults(Faults::none().with_lost_reply(0.5));
        let wild = calm.clone().with_faults(calm.faults.with_server_error(0.5));
        for number in 0..100 {
            let (calm, wild) =
                (Chance::draw(&calm, number, Duration::ZERO), Chance::draw(&wild, number, Duration::ZERO));
            assert_eq!((calm.loses_reply, calm.ends_at), (wild.loses_reply, wild.ends_at));
        }
    }

    #[test]
    fn absurd_durations_do_not_overflow() {
        assert_eq!(scaled(Duration::MAX, 2.0), Duration::MAX);
        assert_eq!(scaled(Duration::from_secs(1), f64::NAN), Duration::MAX);
    }
}
