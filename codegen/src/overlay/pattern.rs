//! Names with `*` for anything.

use serde::Deserialize;

/// A name in which `*` stands for anything, nothing included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Does it stand for this name?
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else { return false };
        let parts: Vec<_> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_anything() {
        let matches = |pattern: &str, name: &str| Pattern(pattern.to_owned()).matches(name);
        assert!(matches("issues/*", "issues/create"));
        assert!(matches("*.list", "users.list"));
        assert!(matches("a*b*c", "abbc"));
        assert!(matches("same", "same"));
        assert!(!matches("same", "same-not"));
        assert!(!matches("*.list", "users.lists"));
        assert!(!matches("a*b*c", "ac"));
    }
}
