//! The nearest right name: what to say about a name that nobody knows.

/// The nearest of these, if it is near enough to have been meant: two letters off, or a third of a long name.
///
/// ```
/// use connect_core::by_name::nearest;
/// assert_eq!(nearest("issue/create", ["issues/create", "issues/get"]), Some("issues/create"));
/// assert_eq!(nearest("dance", ["issues/create", "issues/get"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(2, 8);
    let near = known
        .into_iter()
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= limit);
    near.min().map(|(_, known)| known)
}

/// How many letters must change (Levenshtein), upper and lower case being the same. What is far too long is as far as that.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 80;
    let letters =
        |text: &str| -> Vec<char> { text.chars().take(LONGEST).flat_map(char::to_lowercase).collect() };
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_small_slips_do_not_hide_what_was_meant() {
        let known = ["chat.postMessage", "chat.postEphemeral", "chat.update"];
        assert_eq!(nearest("chat.postmessage", known), Some("chat.postMessage"));
        assert_eq!(nearest("chat.post_message", known), Some("chat.postMessage"));
        assert_eq!(nearest("titel", ["title", "body"]), Some("title"));
        assert_eq!(nearest("x", ["title", "body"]), None);
        assert_eq!(nearest("", ["title"]), None);
    }
}
