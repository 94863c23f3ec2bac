//! What checks are made of: an expectation that holds, or what differs.

use std::fmt;

use crate::store::StoreError;

/// What a check expected and did not find.
///
/// From the checks; [`run`](super::run) prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference(pub(super) String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Difference {}

impl From<StoreError> for Difference {
    fn from(error: StoreError) -> Self {
        Self(format!("the store failed: {error:?}"))
    }
}

pub(super) type Checked = Result<(), Difference>;

pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Checked {
    if found == expected {
        return Ok(());
    }
    Err(Difference(format!("{what}:\n  found    {found:?}\n  expected {expected:?}")))
}

pub(super) fn holds(what: &str, holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(Difference(format!("not so: {what}"))) }
}

pub(super) fn found<T>(what: &str, value: Option<T>) -> Result<T, Difference> {
    value.ok_or_else(|| Difference(format!("not found: {what}")))
}

pub(super) fn exactly<T, const N: usize>(what: &str, values: Vec<T>) -> Result<[T; N], Difference> {
    values
        .try_into()
        .map_err(|values: Vec<T>| Difference(format!("{what}: found {}, expected {N}", values.len())))
}
