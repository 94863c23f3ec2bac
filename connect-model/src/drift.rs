//! What the provider promised and the answer lacked.
//!
//! Noted while decoding, which is synchronous and stays on its thread, so a list per thread suffices and the happy path
//! pays nothing.

use std::cell::RefCell;
use std::marker::PhantomData;

/// More kinds of drift in one answer than anybody reads. The last place says that there are more.
const MOST: usize = 64;
const MORE: (&str, &str) = ("and", "more");

thread_local! {
    static NOTES: RefCell<Vec<(&'static str, &'static str)>> = const { RefCell::new(Vec::new()) };
}

/// Runs a decoding and says which fields were missing in it, as `Type.field`, each once, in the order they were noticed; after 63 of them,
/// `and.more`.
///
/// The front page has an example. Calls may be nested; the inner one's drift is its own.
pub fn watch<T>(decode: impl FnOnce() -> T) -> (T, Vec<String>) {
    let watch = Watch::begin();
    let value = decode();
    (value, watch.end())
}

/// The same for whoever does not want the value moved: what is missing between [`Watch::begin`] and [`Watch::end`] on this
/// thread.
///
/// ```
/// use connect_model::drift::Watch;
/// let watch = Watch::begin();
/// // decode
/// assert!(watch.end().is_empty());
/// ```
#[derive(Debug)]
#[must_use = "what is missing is told by `end`"]
pub struct Watch {
    outer: Vec<(&'static str, &'static str)>,
    // Notes are a thread's.
    here: PhantomData<*const ()>,
}

impl Watch {
    /// From here on.
    pub fn begin() -> Self {
        Self { outer: NOTES.with_borrow_mut(std::mem::take), here: PhantomData }
    }

    /// Which fields were missing.
    pub fn end(self) -> Vec<String> {
        let notes = NOTES.with_borrow_mut(std::mem::take);
        notes.into_iter().map(|(model, field)| format!("{model}.{field}")).collect()
    }
}

/// Puts the outer notes back, also when the decoding panics.
impl Drop for Watch {
    fn drop(&mut self) {
        let outer = std::mem::take(&mut self.outer);
        NOTES.with_borrow_mut(|notes| *notes = outer);
    }
}

/// Notes a missing field.
pub(crate) fn note(model: &'static str, field: &'static str) {
    NOTES.with_borrow_mut(|notes| {
        if notes.len() < MOST && !notes.contains(&(model, field)) {
            notes.push(if notes.len() == MOST - 1 { MORE } else { (model, field) });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_watch_keeps_its_drift_to_itself() {
        let ((), outer) = watch(|| {
            note("A", "before");
            let ((), inner) = watch(|| note("B", "inside"));
            assert_eq!(inner, ["B.inside"]);
            note("A", "after");
            note("A", "after");
        });
        assert_eq!(outer, ["A.before", "A.after"]);
    }
}
