//! Where a browser may be sent after a login: an open redirect here would lend the host's name to every phisher.

use connect_core::Url;

/// A path of the host's own, or below one of the allowed addresses.
pub(super) fn is_allowed(place: &str, allowed: &[String]) -> bool {
    // Browsers drop tabs and line breaks and read `\` as `/`.
    if place.chars().any(|c| c.is_control() || c == '\\') {
        return false;
    }
    if place.starts_with('/') {
        return !place.starts_with("//");
    }
    let Ok(place) = Url::parse(place) else { return false };
    let has_user = !place.username().is_empty() || place.password().is_some();
    !has_user
        && allowed.iter().filter_map(|allowed| Url::parse(allowed).ok()).any(|allowed| {
            let below = allowed.path().trim_end_matches('/');
            let rest = place.path().strip_prefix(below);
            place.origin().is_tuple()
                && place.origin() == allowed.origin()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_and_allowed_addresses() {
        let allowed = ["https://app.example/settings".to_owned(), "not a url".to_owned()];
        for good in
            ["/", "/settings?x=//evil", "https://app.example/settings", "https://app.example/settings/a?b"]
        {
            assert!(is_allowed(good, &allowed), "{good}");
        }
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "settings",
            "https://app.example/settings-evil",
            "https://app.example/",
            "https://app.example/settings/../admin",
            "https://app.example@evil.example/settings",
            "https://user@app.example/settings",
            "http://app.example/settings",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
        ] {
            assert!(!is_allowed(bad, &allowed), "{bad}");
        }
    }
}
