//! An App's overview: its installations, the repositories of each, and what is left of their limits.
//!
//! Each installation has a token and limits of its own; a suspended one has none, and is only named.

use connect_core::quota::QuotaStatus;
use connect_github::app::App;
use connect_github::{Context, Error, GitHub, apps};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// One installation.
///
/// [`overview`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The installation's id.
    pub id: i64,
    /// Where it is installed: the login of a user or an organisation.
    pub account: String,
    /// Is it suspended? Then nothing else is known.
    pub suspended: bool,
    /// Full names.
    pub repositories: Vec<String>,
    /// Calls left in this hour, and how many there are; `None` where GitHub does not count.
    pub left: Option<(u64, u64)>,
}

/// Asks for all installations, one after the other.
///
/// # Errors
/// The first call that failed; `connect_github::app::AppRefusal` in the details if the App is refused.
pub async fn overview(app: &App) -> Result<Vec<Row>, Error> {
    let client = app.client();
    // First of all who it is: if the App itself is refused, this says why.
    connect_github::Connector::validate_credentials(&client, &Context::default()).await?;
    let mut rows = Vec::new();
    let mut installations = client.stream(apps::ListInstallations::new());
    while let Some(found) = installations.try_next().await? {
        let account = found.account.map(|account| account.login).unwrap_or_default();
        let suspended = found.suspended_at.is_some();
        let mut row = Row { id: found.id, account, suspended, repositories: Vec::new(), left: None };
        if let (false, Ok(id)) = (suspended, u64::try_from(found.id)) {
            let client = app.installation(id).client()?;
            row.repositories = repositories(&client).await?;
            row.left = left(&client.quota().status());
        }
        rows.push(row);
    }
    Ok(rows)
}

async fn repositories(client: &GitHub) -> Result<Vec<String>, Error> {
    let list = client.stream(apps::ListReposAccessibleToInstallation::new());
    list.map_ok(|repository| repository.full_name).try_collect().await
}

/// The answers have told it: nobody is asked again.
fn left(buckets: &[QuotaStatus]) -> Option<(u64, u64)> {
    let core = buckets.iter().find(|bucket| bucket.bucket == "core")?;
    Some((core.remaining?, core.limit?))
}

/// For people: a line for each installation, and its repositories below.
pub fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "the App is installed nowhere".to_owned();
    }
    let width = rows.iter().map(|row| row.account.chars().count()).max().unwrap_or_default().max(7);
    let mut lines =
        vec![format!("{:>12}  {:<width$}  {:>12}  repositories", "installation", "account", "left")];
    for row in rows {
        let left = match row.left {
            _ if row.suspended => "suspended".to_owned(),
            Some((remaining, limit)) => format!("{remaining}/{limit}"),
            None => "no limit".to_owned(),
        };
        let count = row.repositories.len();
        lines.push(format!("{:>12}  {:<width$}  {left:>12}  {count}", row.id, row.account));
        lines.extend(row.repositories.iter().map(|name| format!("{:>12}  {name}", "")));
    }
    lines.join("\n")
}

/// For programs: the same.
pub fn as_json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "id": row.id,
            "account": row.account,
            "suspended": row.suspended,
            "repositories": row.repositories,
            "remaining": row.left.map(|(remaining, _)| remaining),
            "limit": row.left.map(|(_, limit)| limit),
        })
    };
    rows.iter().map(row).collect()
}
