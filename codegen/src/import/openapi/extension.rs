//! A named object with a few more fields that may be there (`allOf: [issue, {suggestions}]`) is still that object: the
//! fields become the named type's own. Otherwise one operation would answer another type of issue than all others do.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::facts::{Field, Type};

/// The fields that places add to named types.
#[derive(Default)]
pub(super) struct Extensions(RefCell<BTreeMap<String, Vec<Field>>>);

impl Extensions {
    /// Notes what objects add to a named type; `false` if they do more than to add optional fields.
    pub(super) fn note(&self, name: &str, known: &Type, more: &[&Type]) -> bool {
        let Type::Object(known) = known else { return false };
        let mut fields = Vec::new();
        for part in more {
            let Type::Object(part) = part else { return false };
            fields.extend(part);
        }
        let is_new = |field: &&Field| !field.required && known.iter().all(|known| known.name != field.name);
        if !fields.iter().all(is_new) {
            return false;
        }
        let mut all = self.0.borrow_mut();
        let noted = all.entry(name.to_owned()).or_default();
        for field in fields {
            if noted.iter().all(|known| known.name != field.name) {
                noted.push(field.clone());
            }
        }
        true
    }

    /// Adds to the types what was noted.
    pub(super) fn apply(self, types: &mut BTreeMap<String, Type>) {
        for (name, more) in self.0.into_inner() {
            let mut shape = types.get_mut(&name);
            if let Some(Type::Null(inner)) = shape {
                shape = Some(inner);
            }
            if let Some(Type::Object(fields)) = shape {
                fields.extend(more);
            }
        }
    }
}
