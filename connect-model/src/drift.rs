//! What the provider promised and the answer lacked.
//!
//! Noted while decoding, which is synchronous and stays on its thread, so a list per thread suffices and the happy path
//! pays nothing.

use std::cell::RefCell;

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
    let outer = NOTES.with_borrow_mut(std::mem::take);
    let restore = Restore(Some(outer));
    let value = decode();
    let notes = NOTES.with_borrow_mut(std::mem::take);
    drop(restore);
    (value, notes.into_iter().map(|(model, field)| format!("{model}.{field}")).collect())
}

/// Puts the outer notes back, also when the decoding panics.
struct Restore(Option<Vec<(&'static str, &'static str)>>);

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(outer) = self.0.take() {
            NOTES.with_borrow_mut(|notes| *notes = outer);
        }
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
