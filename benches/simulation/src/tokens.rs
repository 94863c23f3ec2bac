//! A thousand callers find an expired token, and the first of them, who began to fetch another, goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect_core::auth::{Token, TokenCache, TokenOptions, TokenRequest};
use tokio::time::{advance, sleep};

use crate::{Failure, runtime};

const CALLERS: usize = 1_000;

const LIFE: Duration = Duration::from_secs(3600);

/// A line of the page.
pub(crate) fn line() -> Result<String, Failure> {
    eprintln!("simulation: {CALLERS} callers with an expired token");
    let (fetches, served) = runtime()?.block_on(async {
        let fetches = Arc::new(AtomicU32::new(0));
        let cache = tokens(&fetches);
        cache.get().await?;
        advance(2 * LIFE).await;
        fetches.store(0, Ordering::Relaxed);
        let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(cache.get())).collect();
        // All of them ask; then, in the middle of the fetch, the first one goes away.
        sleep(Duration::from_millis(500)).await;
        callers[0].abort();
        let mut served = 0;
        for caller in callers {
            served += usize::from(matches!(caller.await, Ok(Ok(token)) if token.generation() == 2));
        }
        Ok::<_, Failure>((fetches.load(Ordering::Relaxed), served))
    })?;
    Ok(format!(
        "1,000 concurrent callers with an expired token, the first one aborted: {fetches} fetches (goal: 1), {served} \
         served with the new token (goal: 999).\n"
    ))
}

/// Each takes a second to fetch, and lives for an hour.
fn tokens(fetches: &Arc<AtomicU32>) -> TokenCache {
    let counted = Arc::clone(fetches);
    let provider = move |_: TokenRequest| {
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            sleep(Duration::from_secs(1)).await;
            Ok(Token::new(format!("token-{number}")).with_expires_in(LIFE))
        }
    };
    TokenCache::with_options(provider, TokenOptions::default().with_seed(7))
}
