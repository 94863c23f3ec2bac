//! Which thing of one service is which thing of another: a Slack message and the Jira issue made from it.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::store::{Listed, Slice, StoreError};

/// Two things that belong together. Unique in both directions: a thing of one service has at most one partner in the
/// other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The service of the first thing: `slack`.
    pub source_service: String,
    /// The first thing: `C1/1700000000.000100`.
    pub source_id: String,
    /// The service of the second thing: `jira`.
    pub target_service: String,
    /// The second thing: `OPS-7`.
    pub target_id: String,
    /// When they were linked.
    pub created_at: Timestamp,
}

/// What became of a wish to link two things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// They are linked now.
    New,
    /// They were linked already, with each other.
    Same,
    /// One of them has another partner, by this mapping; if both have, it is either one's.
    Conflict(Mapping),
}

/// Which mappings to list; everything that is set must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingFilter {
    /// The service of the first thing.
    pub source_service: Option<String>,
    /// The first thing.
    pub source_id: Option<String>,
    /// The service of the second thing.
    pub target_service: Option<String>,
    /// The second thing.
    pub target_id: Option<String>,
}

impl MappingFilter {
    /// Does a mapping fit?
    pub fn fits(&self, mapping: &Mapping) -> bool {
        let fits =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        fits(&self.source_service, &mapping.source_service)
            && fits(&self.source_id, &mapping.source_id)
            && fits(&self.target_service, &mapping.target_service)
            && fits(&self.target_id, &mapping.target_id)
    }
}

/// Keeps mappings.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// Links two things. What is linked already keeps its time.
    ///
    /// # Errors
    /// Nothing was linked.
    async fn link(&self, tenant: &str, mapping: Mapping) -> Result<Linked, StoreError>;

    /// Mappings of a tenant, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn mappings(
        &self,
        tenant: &str,
        filter: &MappingFilter,
        slice: Slice,
    ) -> Result<Listed<Mapping>, StoreError>;
}
