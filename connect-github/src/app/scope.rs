//! What an installation token is for.

use std::collections::{BTreeMap, BTreeSet};

use connect_core::{Error, ErrorKind};
use serde::Serialize;

/// GitHub's limit of names and ids together.
/// Source: <https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app>.
const MOST_REPOSITORIES: usize = 500;

/// Narrows a token down. Sorted, so that the order in which it was written makes no other token; it is the body of the
/// request as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Scope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repositories: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repository_ids: Option<BTreeSet<u64>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) permissions: BTreeMap<String, String>,
}

impl Scope {
    pub(super) fn check(&self) -> Result<(), Error> {
        let names = self.repositories.as_ref().map_or(0, BTreeSet::len);
        let ids = self.repository_ids.as_ref().map_or(0, BTreeSet::len);
        let is_named = self.repositories.is_some() || self.repository_ids.is_some();
        let mistake = if is_named && names + ids == 0 {
            // GitHub reads an empty list as "all of them".
            "an empty list of repositories would give the token all of them: leave the list out if that is meant"
        } else if names + ids > MOST_REPOSITORIES {
            "a token can name 500 repositories at most: leave them out for all, or use several tokens"
        } else if self.repositories.iter().flatten().any(|name| name.trim().is_empty() || name.contains('/'))
        {
            "repositories of an installation are named without their owner: `hello`, not `octo/hello`"
        } else if self.permissions.iter().any(|(name, access)| name.is_empty() || access.is_empty()) {
            "a permission has a name and an access: `issues`, `write`"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Config, mistake))
    }

    /// In words, for the name of an account and for logs.
    pub(super) fn describe(&self) -> String {
        let mut words = String::new();
        for name in self.repositories.iter().flatten() {
            words.push_str(" repository ");
            words.push_str(name);
        }
        for id in self.repository_ids.iter().flatten() {
            words.push_str(&format!(" repository-id {id}"));
        }
        for (name, access) in &self.permissions {
            words.push_str(&format!(" {name}={access}"));
        }
        words
    }
}
