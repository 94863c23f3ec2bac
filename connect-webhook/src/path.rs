//! Which endpoint a URL names: the one place where [`Receiver::receive_at_path`](crate::Receiver::receive_at_path)
//! and the adapters read paths.
//!
//! `/webhooks/{source}` is an endpoint of tenant [`DEFAULT_TENANT`], `/webhooks/{tenant}/{source}` one of that
//! tenant. Both names are percent-decoded; a path of any other shape names nothing.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The tenant of `/webhooks/{source}`.
pub(crate) const DEFAULT_TENANT: &str = "default";

/// Tenant and source of a path, as it stands in the request line.
pub(crate) fn endpoint(path: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let rest = path.strip_prefix("/webhooks/")?;
    match rest.split_once('/') {
        None => Some((Cow::Borrowed(DEFAULT_TENANT), name(rest)?)),
        Some((_, source)) if source.contains('/') => None,
        Some((tenant, source)) => Some((name(tenant)?, name(source)?)),
    }
}

/// Whether a name stands in a path, and in a pattern of paths, as it is.
#[cfg(feature = "axum")]
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn name(segment: &str) -> Option<Cow<'_, str>> {
    if segment.is_empty() {
        return None;
    }
    percent_decode_str(segment).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_an_endpoint_and_nothing_else_does() {
        let cases = [
            ("/webhooks/github", Some(("default", "github"))),
            ("/webhooks/acme/github", Some(("acme", "github"))),
            ("/webhooks/acme%20%26%20co/github%2Dtest", Some(("acme & co", "github-test"))),
            // An encoded slash belongs to the name.
            ("/webhooks/a%2Fb", Some(("default", "a/b"))),
            ("/webhooks/%FF", None),
            ("/webhooks/", None),
            ("/webhooks", None),
            ("/webhooks/github/", None),
            ("/webhooks//github", None),
            ("/webhooks/a/b/c", None),
            ("/other/github", None),
            ("", None),
        ];
        for (path, expected) in cases {
            let found = endpoint(path);
            assert_eq!(found.as_ref().map(|(tenant, source)| (&**tenant, &**source)), expected, "{path}");
        }
    }
}
