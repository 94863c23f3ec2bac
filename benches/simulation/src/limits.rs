//! How much of an allowance is used, and how often the provider has to refuse: this family's client, and a naive one that
//! sends again after a 429, in the same simulations.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use connect_core::quota::HeaderModel;
use connect_core::simulation::{
    Faults, LimitReport, NaiveClient, ProviderPlan, SimulatedProvider, SimulationReport, Stranger,
};
use connect_core::simulation::{Latency, Limit};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::sky::{Look, Published, client};
use crate::{Failure, runtime};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const SEED: u64 = 7;

/// As many as may call at the same time: the gate is not what is measured.
const CONCURRENCY: u32 = 200;

/// How a limit counts, and who knows.
#[derive(Clone, Copy)]
enum Window {
    /// GitHub's: so many in an hour, and every answer says what is left.
    Fixed,
    /// Slack's: so many in any minute, published, and no answer says anything.
    Sliding,
}

impl Window {
    const NAME: &'static str = "limit";

    fn label(self) -> &'static str {
        match self {
            Self::Fixed => "fixed, 5,000 an hour, shown in headers",
            Self::Sliding => "sliding, 50 in any minute, published",
        }
    }

    fn limit(self) -> Limit {
        match self {
            // It has begun before the client does.
            Self::Fixed => Limit::fixed(Self::NAME, 5_000, HOUR).elapsed(HOUR - MINUTE),
            Self::Sliding => Limit::sliding(Self::NAME, 50, MINUTE),
        }
    }

    /// A few windows of the one, an hour of the other.
    fn lasts(self) -> Duration {
        match self {
            Self::Fixed => 3 * HOUR + MINUTE,
            Self::Sliding => HOUR,
        }
    }
}

/// What makes it hard, beside replies out of order.
#[derive(Clone, Copy)]
struct Trouble {
    label: &'static str,
    skew_secs: i64,
    lost_replies: f64,
    header_lag: Duration,
    stranger: Option<f64>,
}

const CALM: Trouble = Trouble {
    label: "nothing else",
    skew_secs: 0,
    lost_replies: 0.0,
    header_lag: Duration::ZERO,
    stranger: None,
};

const TROUBLES: [Trouble; 4] = [
    CALM,
    Trouble { label: "clock 5 minutes ahead", skew_secs: 300, ..CALM },
    Trouble { label: "1 % of the replies lost", lost_replies: 0.01, ..CALM },
    Trouble {
        label: "both, and headers up to 0.5 s old",
        skew_secs: 300,
        lost_replies: 0.01,
        header_lag: Duration::from_millis(500),
        stranger: None,
    },
];

const STRANGER: Trouble = Trouble {
    label: "a stranger eats half, clock 5 minutes ahead",
    skew_secs: 300,
    stranger: Some(0.5),
    ..CALM
};

/// One line of the table.
struct Case {
    window: Window,
    callers: usize,
    trouble: Trouble,
}

impl Case {
    fn provider(&self) -> SimulatedProvider {
        let trouble = self.trouble;
        let mut plan = ProviderPlan::new(SEED)
            .with_limit(self.window.limit())
            .with_latency(Latency::default())
            .with_faults(Faults::none().with_lost_reply(trouble.lost_replies))
            .with_header_lag(trouble.header_lag)
            .with_skew_secs(trouble.skew_secs);
        if let Some(share) = trouble.stranger {
            plan = plan.with_stranger(Stranger::new(Window::NAME, share));
        }
        SimulatedProvider::new(plan)
    }

    fn ours(&self) -> Result<SimulationReport, Failure> {
        runtime()?.block_on(async {
            let provider = self.provider();
            let client = match self.window {
                Window::Fixed => client(provider.clone(), HeaderModel::default(), CONCURRENCY, SEED)?,
                Window::Sliding => client(provider.clone(), Published(50, MINUTE), CONCURRENCY, SEED)?,
            };
            self.run(&provider, move || {
                let client = client.clone();
                // What is lost is in the provider's report.
                async move { drop(client.send(Look).await) }
            })
            .await
        })
    }

    fn naive(&self) -> Result<SimulationReport, Failure> {
        runtime()?.block_on(async {
            let provider = self.provider();
            let client = NaiveClient::new(Arc::new(provider.clone())).with_backoff(Duration::from_secs(1));
            self.run(&provider, move || {
                let client = client.clone();
                async move { drop(client.send(&Look).await) }
            })
            .await
        })
    }

    /// So many callers, each of whom asks again as soon as it was answered.
    async fn run<F>(
        &self,
        provider: &SimulatedProvider,
        call: impl Fn() -> F + Clone + Send + 'static,
    ) -> Result<SimulationReport, Failure>
    where
        F: Future<Output = ()> + Send,
    {
        let end = Instant::now() + self.window.lasts();
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            let call = call.clone();
            callers.spawn(async move {
                while Instant::now() < end {
                    call().await;
                }
            });
        }
        sleep(self.window.lasts()).await;
        let report = provider.report();
        callers.shutdown().await;
        Ok(report)
    }
}

/// Two tables: the client alone on its account, and with a stranger.
pub(crate) fn tables() -> Result<String, Failure> {
    let mut text = String::from(
        "The naive client sends again after 1, 2 and 4 seconds whatever it was told. Every caller asks again as soon as it \
         was answered; replies arrive out of order. Used: of whole windows, the first and the last left out.\n\n\
         | limit | callers | and | used | goal | refusals | goal | naive: used | refusals |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for window in [Window::Fixed, Window::Sliding] {
        for callers in [20, 200] {
            for trouble in TROUBLES {
                let (ours, naive) = both(&Case { window, callers, trouble })?;
                writeln!(
                    text,
                    "| {} | {callers} | {} | {:.2} % | at least 99 % | {} | 0 | {:.2} % | {} |",
                    window.label(),
                    trouble.label,
                    used(&ours),
                    ours.refusals(),
                    used(&naive),
                    naive.refusals(),
                )?;
            }
        }
    }
    writeln!(
        text,
        "\n| limit | callers | and | used by both | most refusals in a window | goal: at most | naive: most refusals in a \
         window |\n|---|---|---|---|---|---|---|"
    )?;
    for callers in [20, 200] {
        let window = Window::Fixed;
        let (ours, naive) = both(&Case { window, callers, trouble: STRANGER })?;
        writeln!(
            text,
            "| {} | {callers} | {} | {:.2} % | {} | 1 | {} |",
            window.label(),
            STRANGER.label,
            used(&ours),
            ours.most_refusals_in_a_window(),
            naive.most_refusals_in_a_window(),
        )?;
    }
    Ok(text)
}

fn both(case: &Case) -> Result<(LimitReport, LimitReport), Failure> {
    eprintln!("simulation: {}, {} callers, {}", case.window.label(), case.callers, case.trouble.label);
    let of = |report: SimulationReport| {
        report.limit(Window::NAME).cloned().ok_or("the report does not name the limit")
    };
    Ok((of(case.ours()?)?, of(case.naive()?)?))
}

/// In percent, without the window in which it began and the one that the end cuts short.
fn used(report: &LimitReport) -> f64 {
    100.0 * report.share_used(1..report.windows.len().saturating_sub(1))
}
