//! Which addresses of keys are looked at before anything is fetched.
//!
//! A delivery that names the address of its own key could name the attacker's, so each scheme pins the host. URLs
//! have many corners in which one reader sees another host than the next (user info, ports, escapes, backslashes,
//! capitals); none of them occurs in a provider's address, so all are refused instead of interpreted. A query is
//! refused too: some hosts answer with text of the caller's choice when asked for it.

/// Providers' addresses have below 150 characters.
const MAX_BYTES: usize = 300;

/// Host and path of an https URL that consists of plain characters only; `None` for every other.
pub(crate) fn split(url: &str) -> Option<(&str, &str)> {
    if url.len() > MAX_BYTES {
        return None;
    }
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_at_checked(rest.find('/')?)?;
    let is_segment = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !segment.is_empty() && segment.bytes().all(plain) && !segment.contains("..")
    };
    let plain = host.split('.').all(is_label) && path.split('/').skip(1).all(is_segment);
    plain.then_some((host, path))
}

fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(plain)
}

/// Whether a host is `sns.<region>.amazonaws.com`, or its sister in China.
pub(crate) fn is_sns(host: &str) -> bool {
    let region = |host: &str| {
        let rest = host.strip_prefix("sns.")?;
        let region =
            rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
        Some(region.len() >= 3 && is_label(region))
    };
    region(host).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_corner_is_refused() {
        assert_eq!(split("https://a-1.example/b/c.pem"), Some(("a-1.example", "/b/c.pem")));
        for url in [
            "http://a.example/c.pem",
            "HTTPS://a.example/c.pem",
            "https:/a.example/c.pem",
            "https:///c.pem",
            "https://a.example",
            "https://a.example/",
            "https://A.example/c.pem",
            "https://a..example/c.pem",
            "https://a.example./c.pem",
            "https://a.example:443/c.pem",
            "https://u@a.example/c.pem",
            "https://a.example@b.example/c.pem",
            "https://a.example\\@b.example/c.pem",
            "https://a.example?x=/c.pem",
            "https://a.example#/c.pem",
            "https://a.example//c.pem",
            "https://a.example/../c.pem",
            "https://a.example/b/..%2fc.pem",
            "https://a.example/b%2fc.pem",
            "https://a.example/c.pem?x",
            "https://a.example/c.pem#x",
            "https://a.example/c.pem\n",
            " https://a.example/c.pem",
            "https://\u{430}.example/c.pem",
            "",
        ] {
            assert_eq!(split(url), None, "{url}");
        }
        assert_eq!(split(&format!("https://a.example/{}.pem", "x".repeat(MAX_BYTES))), None);
    }
}
