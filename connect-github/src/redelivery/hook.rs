//! Whose deliveries: GitHub has the same two operations in three places.

use std::pin::Pin;

use connect_core::{Context, Cursor, Error, ErrorKind, Page, Paged, Priority};
use futures_core::Stream;

use crate::model::HookDeliveryItem;
use crate::{GitHub, GitHubApi, apps, repos};

/// Whose deliveries.
#[derive(Clone, Debug)]
pub(super) enum Hook {
    App,
    Repo {
        owner: String,
        repo: String,
        id: i64,
    },
    #[cfg(feature = "orgs")]
    Org {
        org: String,
        id: i64,
    },
}

type Pages = Pin<Box<dyn Stream<Item = Result<Page<HookDeliveryItem>, Error>> + Send>>;

impl Hook {
    /// Under which its watermark is kept, unless the host says otherwise.
    pub(super) fn key(&self) -> String {
        match self {
            Self::App => "app".to_owned(),
            Self::Repo { owner, repo, id } => format!("repos/{owner}/{repo}/hooks/{id}"),
            #[cfg(feature = "orgs")]
            Self::Org { org, id } => format!("orgs/{org}/hooks/{id}"),
        }
    }

    /// The attempts, newest first, successes included: they tell what need not be asked for.
    pub(super) fn pages(&self, github: &GitHub, from: Option<Cursor>) -> Pages {
        match self.clone() {
            Self::App => paged(github, apps::ListWebhookDeliveries::new(), from),
            Self::Repo { owner, repo, id } => {
                paged(github, repos::ListWebhookDeliveries::new(owner, repo, id), from)
            }
            #[cfg(feature = "orgs")]
            Self::Org { org, id } => paged(github, crate::orgs::ListWebhookDeliveries::new(org, id), from),
        }
    }

    /// Asks for one delivery again.
    ///
    /// The operation's row says `Unsafe`, as of every POST without an idempotency key, so a client does not repeat it after
    /// an answer that was lost. That is right here too: whether it was heard shows in the next listing, and the schedule
    /// asks again if it was not.
    pub(super) async fn ask(&self, github: &GitHub, delivery_id: i64) -> Result<(), Error> {
        let answered = match self.clone() {
            Self::App => {
                github.send(apps::RedeliverWebhookDelivery::new(delivery_id)).context(&context()).await
            }
            Self::Repo { owner, repo, id } => {
                let ask = repos::RedeliverWebhookDelivery::new(owner, repo, id, delivery_id);
                github.send(ask).context(&context()).await
            }
            #[cfg(feature = "orgs")]
            Self::Org { org, id } => {
                let ask = crate::orgs::RedeliverWebhookDelivery::new(org, id, delivery_id);
                github.send(ask).context(&context()).await
            }
        };
        match answered {
            Ok(_) => Ok(()),
            // Accepted is accepted: GitHub's description leaves open what stands beside the status.
            Err(error) if error.kind() == ErrorKind::Decode => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn paged<E>(github: &GitHub, endpoint: E, from: Option<Cursor>) -> Pages
where
    E: Paged<Api = GitHubApi, Item = HookDeliveryItem>,
{
    let pages = github.pages(endpoint).context(&context());
    Box::pin(match from {
        Some(cursor) => pages.resume_from(cursor),
        None => pages,
    })
}

fn context() -> Context {
    Context::default().with_priority(Priority::Background)
}
