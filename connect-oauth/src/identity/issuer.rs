//! Which issuer a token has to name: one, or one of Microsoft's many.

use serde_json::{Map, Value};

/// What stands for the tenant in the issuer of Microsoft's common endpoints, and in the issuers of their keys.
const TENANT: &str = "{tenantid}";

/// Longest tenant id that is filled in; a UUID has 36 characters.
const LONGEST_TENANT: usize = 64;

/// Does it stand for the issuers of all tenants?
pub(super) fn is_template(expected: &str) -> bool {
    expected.contains(TENANT)
}

/// Does this token name this issuer? A template names the issuer of the tenant in the token's own `tid`; anybody's
/// tenant is one of them.
pub(super) fn matches(expected: &str, issuer: &str, claims: &Map<String, Value>) -> bool {
    match expected.split_once(TENANT) {
        None => expected == issuer,
        Some((before, after)) => {
            let tenant = claims.get("tid").and_then(Value::as_str).filter(|tenant| is_tenant(tenant));
            let named = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            tenant.is_some() && named == tenant
        }
    }
}

fn is_tenant(text: &str) -> bool {
    (1..=LONGEST_TENANT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_takes_the_tenant_that_the_token_names_and_no_other() {
        let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
        let cases = [
            ("https://login.microsoftonline.com/ab-1/v2.0", json!("ab-1"), true),
            ("https://login.microsoftonline.com/ab-1/v2.0", json!("ab-2"), false),
            ("https://login.microsoftonline.com/ab-1/v2.0", json!(null), false),
            ("https://login.microsoftonline.com//v2.0", json!(""), false),
            ("https://login.microsoftonline.com/{tenantid}/v2.0", json!("{tenantid}"), false),
            ("https://login.microsoftonline.com/a/b/v2.0", json!("a/b"), false),
            ("https://evil.example/ab-1/v2.0", json!("ab-1"), false),
            ("https://login.microsoftonline.com/ab-1/v2.0/", json!("ab-1"), false),
        ];
        for (issuer, tenant, expected) in cases {
            let claims = json!({ "tid": tenant });
            assert_eq!(matches(template, issuer, claims.as_object().unwrap()), expected, "{issuer} {tenant}");
        }
    }

    #[test]
    fn any_other_issuer_is_compared_letter_by_letter() {
        let claims = Map::new();
        assert!(matches("https://accounts.google.com", "https://accounts.google.com", &claims));
        for other in
            ["https://accounts.google.com/", "https://Accounts.google.com", "accounts.google.com", ""]
        {
            assert!(!matches("https://accounts.google.com", other, &claims), "{other}");
        }
    }
}
