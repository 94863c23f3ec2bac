//! Where a store is: a path, `sqlite:PATH` or `sqlite://PATH`, as people write it into one setting.

use std::path::PathBuf;

use crate::error::Fault;

/// A place for a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// Gone when closed.
    Memory,
    /// A file.
    File(PathBuf),
}

impl Location {
    /// The place a setting names. What follows the scheme is taken as it is: nothing is percent-decoded.
    pub(crate) fn parse(setting: &str) -> Result<Self, Fault> {
        let path = setting.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        if path.is_some_and(|path| path.contains('?')) {
            return Err(Fault::unavailable("a store takes no options after `?`; name only the file"));
        }
        let path = path.unwrap_or(setting);
        if path.is_empty() {
            return Err(Fault::unavailable("no file is named; write `sqlite:PATH`"));
        }
        // Said without the setting: the URL of a server may hold a password.
        if path.contains("://") {
            return Err(Fault::unavailable("this store is a file; write a path or `sqlite:PATH`"));
        }
        Ok(if path == ":memory:" { Self::Memory } else { Self::File(PathBuf::from(path)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_name_the_same_file() {
        for (setting, path) in [
            ("hub.db", "hub.db"),
            ("./data/hub.db", "./data/hub.db"),
            ("/var/hub.db", "/var/hub.db"),
            ("sqlite:hub.db", "hub.db"),
            ("sqlite://hub.db", "hub.db"),
            ("sqlite:/var/hub.db", "/var/hub.db"),
            ("sqlite:///var/hub.db", "/var/hub.db"),
            ("what?.db", "what?.db"),
        ] {
            assert_eq!(Location::parse(setting).unwrap(), Location::File(path.into()), "{setting}");
        }
    }

    #[test]
    fn memory_is_named_as_sqlite_names_it() {
        for setting in [":memory:", "sqlite::memory:", "sqlite://:memory:"] {
            assert_eq!(Location::parse(setting).unwrap(), Location::Memory, "{setting}");
        }
    }

    #[test]
    fn other_services_options_and_nothing_are_refused_without_echo() {
        for setting in ["", "sqlite:", "sqlite://", "postgres://user:secret@host/db", "sqlite:hub.db?mode=ro"]
        {
            let error = Location::parse(setting).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{setting}");
        }
    }
}
