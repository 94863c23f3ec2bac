//! The states of a breaker and what moves it from one to the next. Pure: time comes in as an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::deadline::after;

/// Into how many parts a rolling window is cut: what is older than the window leaves a tenth at a time.
const PARTS: usize = 10;

/// When a breaker opens, and for how long.
///
/// ```
/// use std::time::Duration;
/// use connect_core::breaker::{BreakerPolicy, Rolling};
/// let policy = BreakerPolicy::default().with_open(Duration::from_secs(30));
/// assert_eq!(policy.failures, 5);
/// // Half of at least 20 attempts within a minute opens it too.
/// let both = policy.with_rolling(Rolling { length: Duration::from_secs(60), attempts: 20, percent: 50 });
/// assert!(both.rolling.is_some());
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it. Default 5; 0 switches this off.
    pub failures: u32,
    /// How long it stays open before a probe. Default 10 s.
    pub open: Duration,
    /// Opens it for a share of failures too. Default `None`.
    pub rolling: Option<Rolling>,
}

/// Opens a breaker for a share of failures within a time.
///
/// For providers that fail now and then, and are only worth leaving alone when they fail often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// Over how long.
    pub length: Duration,
    /// Fewer attempts than this say nothing.
    pub attempts: u32,
    /// The share of failures that opens it, in percent.
    pub percent: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures: 5, open: Duration::from_secs(10), rolling: None }
    }
}

impl BreakerPolicy {
    /// Never opens.
    pub fn never() -> Self {
        Self { failures: 0, ..Self::default() }
    }

    /// Sets how many failures in a row open it.
    #[must_use]
    pub fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long it stays open.
    #[must_use]
    pub fn with_open(mut self, open: Duration) -> Self {
        self.open = open;
        self
    }

    /// Opens it for a share of failures too.
    #[must_use]
    pub fn with_rolling(mut self, rolling: Rolling) -> Self {
        self.rolling = Some(rolling);
        self
    }
}

/// The state of a breaker, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything goes through.
    Closed,
    /// Nothing does.
    Open,
    /// One probe does.
    HalfOpen,
}

impl BreakerState {
    /// The state as a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// May an attempt be made?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; its end is to be told with this ticket.
    Pass(Ticket),
    /// No, and when a probe will be allowed at the soonest.
    Refuse(Duration),
}

/// Which state an attempt was admitted in: what began before a change says nothing about what came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

impl Ticket {
    /// Reads what [`Circuit::calm`] says.
    pub(crate) fn of_calm(calm: u64) -> Option<Self> {
        calm.checked_sub(1).map(Self)
    }
}

/// One breaker's memory.
///
/// ```
/// use connect_core::breaker::{Admission, BreakerPolicy, BreakerState, Circuit};
/// use tokio::time::Instant;
/// let mut circuit = Circuit::new(BreakerPolicy::default().with_failures(1));
/// let Admission::Pass(ticket) = circuit.admit(Instant::now()) else { panic!() };
/// circuit.fail(ticket, Instant::now());
/// assert_eq!(circuit.state(), BreakerState::Open);
/// ```
#[derive(Clone, Debug)]
pub struct Circuit {
    policy: BreakerPolicy,
    state: State,
    /// Rises with every change of state.
    generation: u64,
    in_a_row: u32,
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen,
}

impl Circuit {
    /// Closed.
    pub fn new(policy: BreakerPolicy) -> Self {
        let window = policy.rolling.map(Window::new);
        Self { policy, state: State::Closed, generation: 0, in_a_row: 0, window }
    }

    /// Where it is now.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen => BreakerState::HalfOpen,
        }
    }

    /// The ticket of every attempt plus one while a success would change nothing, else 0.
    pub(crate) fn calm(&self) -> u64 {
        let is_calm = matches!(self.state, State::Closed) && self.in_a_row == 0 && self.window.is_none();
        if is_calm { self.generation.saturating_add(1) } else { 0 }
    }

    /// Asks for an attempt.
    pub fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Pass(Ticket(self.generation)),
            State::Open { until } if now < until => Admission::Refuse(until - now),
            State::Open { .. } => {
                self.enter(State::HalfOpen);
                Admission::Pass(Ticket(self.generation))
            }
            // The probe's own time-out bounds this; nobody knows better when it ends.
            State::HalfOpen => Admission::Refuse(Duration::from_secs(1).min(self.policy.open)),
        }
    }

    /// An attempt was answered.
    pub fn succeed(&mut self, ticket: Ticket, now: Instant) {
        if ticket.0 != self.generation {
            return;
        }
        self.in_a_row = 0;
        match self.state {
            State::Closed => {
                if let Some(window) = &mut self.window {
                    window.count(now, false);
                }
            }
            State::HalfOpen => self.enter(State::Closed),
            State::Open { .. } => {}
        }
    }

    /// An attempt failed.
    pub fn fail(&mut self, ticket: Ticket, now: Instant) {
        if ticket.0 != self.generation {
            return;
        }
        let is_enough = match self.state {
            State::Closed => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                let share = self.window.as_mut().is_some_and(|window| window.count(now, true));
                share || (self.policy.failures > 0 && self.in_a_row >= self.policy.failures)
            }
            State::HalfOpen => true,
            State::Open { .. } => false,
        };
        if is_enough {
            self.enter(State::Open { until: after(now, self.policy.open) });
        }
    }

    /// An attempt ended without a word about the provider: it was dropped, or failed on our side.
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        if ticket.0 == self.generation && matches!(self.state, State::HalfOpen) {
            self.enter(State::Open { until: now });
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
        self.in_a_row = 0;
        if matches!(state, State::Closed) {
            self.window = self.policy.rolling.map(Window::new);
        }
    }
}

/// Attempts and failures of the last while.
#[derive(Clone, Debug)]
struct Window {
    rolling: Rolling,
    /// Attempts and failures of each part, the current one last.
    parts: [(u32, u32); PARTS],
    /// When the current part began.
    since: Option<Instant>,
}

impl Window {
    fn new(rolling: Rolling) -> Self {
        Self { rolling, parts: [(0, 0); PARTS], since: None }
    }

    /// Counts an attempt; yields whether there are too many failures now.
    fn count(&mut self, now: Instant, failed: bool) -> bool {
        let part = (self.rolling.length / PARTS as u32).max(Duration::from_nanos(1));
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_nanos() / part.as_nanos();
        let passed = usize::try_from(passed).unwrap_or(usize::MAX);
        if passed > 0 {
            let gone = passed.min(PARTS);
            self.parts.rotate_left(gone);
            self.parts[PARTS - gone..].fill((0, 0));
            self.since = Some(if passed < PARTS { since + part * gone as u32 } else { now });
        }
        let current = &mut self.parts[PARTS - 1];
        current.0 = current.0.saturating_add(1);
        current.1 = current.1.saturating_add(u32::from(failed));
        let (attempts, failures) = self
            .parts
            .iter()
            .fold((0_u64, 0_u64), |(all, bad), part| (all + u64::from(part.0), bad + u64::from(part.1)));
        attempts >= u64::from(self.rolling.attempts)
            && failures * 100 >= attempts * u64::from(self.rolling.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Duration = Duration::from_secs(10);

    fn pass(circuit: &mut Circuit, now: Instant) -> Ticket {
        match circuit.admit(now) {
            Admission::Pass(ticket) => ticket,
            Admission::Refuse(wait) => panic!("refused for {wait:?}"),
        }
    }

    fn opened(now: Instant) -> Circuit {
        let mut circuit = Circuit::new(BreakerPolicy::default());
        for _ in 0..5 {
            let ticket = pass(&mut circuit, now);
            circuit.fail(ticket, now);
        }
        circuit
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_a_success_between_does_not() {
        let now = Instant::now();
        let mut circuit = Circuit::new(BreakerPolicy::default());
        for number in 1..=20 {
            let ticket = pass(&mut circuit, now);
            if number % 5 == 0 { circuit.succeed(ticket, now) } else { circuit.fail(ticket, now) }
        }
        assert_eq!(circuit.state(), BreakerState::Closed);
        assert_eq!(opened(now).state(), BreakerState::Open);
        assert_eq!(opened(now).admit(now), Admission::Refuse(OPEN));
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_time_one_probe_passes_and_its_success_closes_it() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let probe = pass(&mut circuit, now + OPEN);
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        assert!(matches!(circuit.admit(now + OPEN), Admission::Refuse(_)));
        circuit.succeed(probe, now + OPEN);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_opens_it_for_the_whole_time_again() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let probe = pass(&mut circuit, now + OPEN);
        circuit.fail(probe, now + OPEN);
        assert_eq!(circuit.admit(now + OPEN), Admission::Refuse(OPEN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_leaves_its_place_to_the_next_one() {
        let now = Instant::now();
        let mut circuit = opened(now);
        let probe = pass(&mut circuit, now + OPEN);
        circuit.abandon(probe, now + OPEN);
        assert_eq!(circuit.state(), BreakerState::Open);
        pass(&mut circuit, now + OPEN);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_a_change_says_nothing_about_what_came_after() {
        let now = Instant::now();
        let mut circuit = Circuit::new(BreakerPolicy::default().with_failures(1));
        let (first, late) = (pass(&mut circuit, now), pass(&mut circuit, now));
        circuit.fail(first, now);
        circuit.succeed(late, now);
        assert_eq!(circuit.state(), BreakerState::Open);
        let probe = pass(&mut circuit, now + OPEN);
        circuit.fail(late, now + OPEN);
        circuit.abandon(late, now + OPEN);
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        circuit.succeed(probe, now + OPEN);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_failures_opens_it_and_old_ones_are_forgotten() {
        let rolling = Rolling { length: Duration::from_secs(60), attempts: 20, percent: 50 };
        let policy = BreakerPolicy::never().with_rolling(rolling);
        let start = Instant::now();
        let run = |spacing: Duration| {
            let mut circuit = Circuit::new(policy);
            for number in 0..40_u32 {
                let now = start + spacing * number;
                let Admission::Pass(ticket) = circuit.admit(now) else { break };
                if number % 2 == 0 { circuit.fail(ticket, now) } else { circuit.succeed(ticket, now) }
            }
            circuit.state()
        };
        assert_eq!(run(Duration::from_secs(1)), BreakerState::Open);
        // 20 attempts take longer than the window: too few to judge by.
        assert_eq!(run(Duration::from_secs(10)), BreakerState::Closed);
        assert_eq!(run(Duration::from_secs(100_000)), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn absurd_policies_do_not_overflow() {
        let now = Instant::now();
        let rolling = Rolling { length: Duration::MAX, attempts: 0, percent: 0 };
        let mut circuit =
            Circuit::new(BreakerPolicy::default().with_open(Duration::MAX).with_rolling(rolling));
        let ticket = pass(&mut circuit, now);
        circuit.fail(ticket, now);
        assert!(matches!(circuit.admit(now), Admission::Refuse(_)));
        let nothing = Rolling { length: Duration::ZERO, attempts: u32::MAX, percent: u32::MAX };
        let mut circuit = Circuit::new(BreakerPolicy::never().with_rolling(nothing));
        let ticket = pass(&mut circuit, now);
        circuit.fail(ticket, now + Duration::from_secs(1_000_000_000));
        assert_eq!(circuit.state(), BreakerState::Closed);
    }
}
