//! A warm start: what is left of every resource, before the first answer says so.

use std::collections::HashMap;

use connect_core::{Error, ErrorKind, Raw, hint};
use serde::Deserialize;
use serde_json::Value;

use super::resource;
use crate::GitHub;

/// `GET /rate_limit`, as far as it is needed; the `rate` beside it is gone in newer versions of the API.
#[derive(Deserialize)]
struct Limits {
    #[serde(default)]
    resources: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct Figures {
    limit: Option<u64>,
    remaining: u64,
    reset: Option<u64>,
}

impl GitHub {
    /// Asks GitHub what is left of every resource and tells the quotas of this client, so that a program that starts on a
    /// used-up account waits instead of being refused. Costs nothing of the hourly limits. Yields how many resources it
    /// learned of; none on an Enterprise Server whose limits are off.
    ///
    /// ```no_run
    /// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
    /// github.warm_up().await?;
    /// for bucket in github.quota().status() {
    ///     println!("{} {:?} left of {:?}", bucket.bucket, bucket.remaining, bucket.limit);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As any call. <https://docs.github.com/rest/rate-limit/rate-limit>
    pub async fn warm_up(&self) -> Result<usize, Error> {
        let reply = match self.send(Raw::<_, Limits>::get("/rate_limit")?).response().await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        let mut learned = 0;
        for (name, figures) in reply.value.resources {
            // One odd resource does not spoil the others, and a resource without a name of its own is not drawn on.
            let (Some(bucket), Ok(figures)) =
                (resource::named(&name), serde_json::from_value::<Figures>(figures))
            else {
                continue;
            };
            let resets_in = figures.reset.and_then(|epoch| hint::until_epoch(&reply.headers, epoch));
            self.quota().seed(bucket, figures.limit, figures.remaining, resets_in);
            learned += 1;
        }
        Ok(learned)
    }
}
