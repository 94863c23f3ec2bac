//! The name of a connection: app, tenant, and which of the tenant's.

use std::fmt;

/// Which connection: the app's id (that of its preset), the tenant, and which of the tenant's connections.
///
/// ```
/// use connect_oauth::ConnectionId;
/// let id = ConnectionId::new("atlassian", "acme", "jira/eu");
/// assert_eq!(id.to_string(), "atlassian/acme/jira%2Feu");
/// assert_eq!("atlassian/acme/jira%2Feu".parse(), Ok(id));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    app: String,
    tenant: String,
    connection: String,
}

impl ConnectionId {
    /// A connection.
    pub fn new(app: impl Into<String>, tenant: impl Into<String>, connection: impl Into<String>) -> Self {
        Self { app: app.into(), tenant: tenant.into(), connection: connection.into() }
    }

    /// The id of the app's preset.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Whose it is.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Which of the tenant's connections.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Its name in a store: no two ids have the same one.
    pub(crate) fn key(&self) -> String {
        self.to_string()
    }

    pub(crate) fn from_key(key: &str) -> Option<Self> {
        key.parse().ok()
    }

    /// App and connection together, for the place of a sealed value.
    pub(crate) fn sealed_connection(&self) -> String {
        format!("{}/{}", Encoded(&self.app), Encoded(&self.connection))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", Encoded(&self.app), Encoded(&self.tenant), Encoded(&self.connection))
    }
}

/// The text is not the name of a connection: `app/tenant/connection`, each percent-encoded.
///
/// Without what the text was: it may have come from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAConnectionId;

impl fmt::Display for NotAConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a connection: write app/tenant/connection, each percent-encoded")
    }
}

impl std::error::Error for NotAConnectionId {}

impl std::str::FromStr for ConnectionId {
    type Err = NotAConnectionId;

    fn from_str(text: &str) -> Result<Self, NotAConnectionId> {
        let mut parts = text.split('/').map(decode);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(app)), Some(Some(tenant)), Some(Some(connection)), None) => {
                Ok(Self { app, tenant, connection })
            }
            _ => Err(NotAConnectionId),
        }
    }
}

/// What separates and what escapes is escaped, and what breaks a line; the rest stays readable.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '/' | '%' | '\0'..=' ' | '\u{7f}' => write!(f, "%{:02X}", c as u32)?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

fn decode(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let code = u8::from_str_radix(after.get(..2)?, 16).ok()?;
        decoded.push(char::from(code).is_ascii().then(|| char::from(code))?);
        rest = after.get(2..)?;
    }
    decoded.push_str(rest);
    // One name each: a key that is written in another way is somebody else's.
    (Encoded(&decoded).to_string() == text).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unambiguous_and_come_back() {
        let odd = ["", "a", "a/b", "%2F", "a%", "ü\n", "a b", "../x", "\u{7f}", "日本"];
        let mut seen = std::collections::HashSet::new();
        for app in odd {
            for tenant in odd {
                for connection in odd {
                    let id = ConnectionId::new(app, tenant, connection);
                    assert!(seen.insert(id.key()), "{id:?}");
                    assert_eq!(ConnectionId::from_key(&id.key()), Some(id));
                }
            }
        }
        for foreign in [
            "",
            "a",
            "a/b",
            "a/b/c/d",
            "a/b/%",
            "a/b/%zz",
            "a/b/%41",
            "a/b/%2f",
            "a/b/%ff",
            "a/b/ c",
            ".seal-check",
        ] {
            assert_eq!(ConnectionId::from_key(foreign), None, "{foreign}");
        }
    }
}
