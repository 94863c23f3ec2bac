//! Which thing is which.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{MemoryStore, listed};
use crate::mapping::{Linked, Mapping, MappingFilter, Mappings};
use crate::store::{Listed, Slice, StoreError};

/// Tenant, service and id of one thing, service of the other.
type PartnerKey = (String, String, String, String);

/// All tenants' mappings.
#[derive(Default)]
pub(super) struct Links {
    /// In order of arrival; an index into it never changes.
    mappings: Vec<(String, Mapping)>,
    partners_of_sources: HashMap<PartnerKey, usize>,
    partners_of_targets: HashMap<PartnerKey, usize>,
}

impl Links {
    fn link(&mut self, tenant: &str, mapping: Mapping) -> Linked {
        let Mapping { source_service, source_id, target_service, target_id, .. } = mapping.clone();
        let source = (tenant.to_owned(), source_service.clone(), source_id, target_service.clone());
        let target = (tenant.to_owned(), target_service, target_id, source_service);
        let known = self.partners_of_sources.get(&source).or_else(|| self.partners_of_targets.get(&target));
        if let Some((_, known)) = known.and_then(|index| self.mappings.get(*index)) {
            let same = known.source_id == mapping.source_id && known.target_id == mapping.target_id;
            return if same { Linked::Same } else { Linked::Conflict(known.clone()) };
        }
        self.partners_of_sources.insert(source, self.mappings.len());
        self.partners_of_targets.insert(target, self.mappings.len());
        self.mappings.push((tenant.to_owned(), mapping));
        Linked::New
    }
}

#[async_trait]
impl Mappings for MemoryStore {
    async fn link(&self, tenant: &str, mapping: Mapping) -> Result<Linked, StoreError> {
        Ok(self.lock().links.link(tenant, mapping))
    }

    async fn mappings(
        &self,
        tenant: &str,
        filter: &MappingFilter,
        slice: Slice,
    ) -> Result<Listed<Mapping>, StoreError> {
        let contents = self.lock();
        let newest = contents.links.mappings.iter().rev();
        let mut fitting: Vec<_> = newest
            .filter(|(whose, mapping)| whose == tenant && filter.fits(mapping))
            .map(|(_, mapping)| mapping)
            .collect();
        // Stable: of one moment, the one that came last stays first.
        fitting.sort_by_key(|mapping| std::cmp::Reverse(mapping.created_at));
        let Listed { rows, total } = listed(&fitting, slice);
        Ok(Listed { rows: rows.into_iter().map(|mapping| (*mapping).clone()).collect(), total })
    }
}
