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

/// The region of a host `sns.<region>.amazonaws.com`; those of China, and no others, end in `.cn` too.
pub(crate) fn sns_region(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("sns.")?;
    let (region, in_china) = match rest.strip_suffix(".amazonaws.com.cn") {
        Some(region) => (region, true),
        None => (rest.strip_suffix(".amazonaws.com")?, false),
    };
    (region.len() >= 3 && is_label(region) && region.starts_with("cn-") == in_china).then_some(region)
}

/// What shares a budget of fetches: a host of SNS, because its region is pinned to the topics; else a whole domain,
/// because a sender can name any number of hosts below `paypal.com`.
pub(crate) fn site(url: &str) -> &str {
    let host = split(url).map_or("", |(host, _)| host);
    if sns_region(host).is_some() {
        return host;
    }
    host.rmatch_indices('.').nth(1).and_then(|(dot, _)| host.get(dot + 1..)).unwrap_or(host)
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

    #[test]
    fn a_budget_is_a_region_of_sns_or_a_whole_domain() {
        for (url, expected) in [
            ("https://sns.eu-west-1.amazonaws.com/a.pem", "sns.eu-west-1.amazonaws.com"),
            ("https://sns.cn-north-1.amazonaws.com.cn/a.pem", "sns.cn-north-1.amazonaws.com.cn"),
            ("https://api.paypal.com/a", "paypal.com"),
            ("https://a.b.c.paypal.com/a", "paypal.com"),
            ("https://paypal.com/a", "paypal.com"),
            ("https://localhost/a", "localhost"),
        ] {
            assert_eq!(site(url), expected, "{url}");
        }
    }

    #[test]
    fn regions_of_china_stand_below_cn_and_no_others_do() {
        assert_eq!(sns_region("sns.eu-west-1.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(sns_region("sns.cn-north-1.amazonaws.com.cn"), Some("cn-north-1"));
        for host in
            ["sns.cn-north-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.cn", "sns.eu.west.amazonaws.com"]
        {
            assert_eq!(sns_region(host), None, "{host}");
        }
    }
}
