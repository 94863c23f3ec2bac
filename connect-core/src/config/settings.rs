//! The table of settings: one row gives a setting its name in files and variables, its unit and its check.

use std::time::Duration;

use super::Config;
use super::units::{self, parse_bytes, parse_duration};
use crate::error::{Error, ErrorKind};
use crate::network::Proxy;
use crate::vars::Vars;

/// A row of the table.
pub(super) struct Setting {
    /// Dotted, as nested in files: `retry.attempts`.
    pub(super) name: &'static str,
    place: Place,
    /// Zero of it could never work.
    is_positive: bool,
}

/// Where a setting is kept, and with it how it is written.
#[derive(Clone, Copy)]
enum Place {
    Duration(fn(&mut Config) -> &mut Duration),
    Bytes(fn(&mut Config) -> &mut usize),
    Count(fn(&mut Config) -> &mut u32),
    Number(fn(&mut Config) -> &mut Option<u64>),
    Text(fn(&mut Config) -> &mut Option<String>),
    Limit(fn(&mut Config) -> &mut Option<u64>),
    Proxy(fn(&mut Config) -> &mut Option<Proxy>),
    Switch(fn(&mut Config) -> &mut bool),
}

const fn positive(name: &'static str, place: Place) -> Setting {
    Setting { name, place, is_positive: true }
}

const fn any(name: &'static str, place: Place) -> Setting {
    Setting { name, place, is_positive: false }
}

/// A new setting is a field, its default, and a row here.
pub(super) const SETTINGS: &[Setting] = &[
    positive("deadline", Place::Duration(|config| &mut config.deadline)),
    positive("attempt_timeout", Place::Duration(|config| &mut config.attempt_timeout)),
    positive("connect_timeout", Place::Duration(|config| &mut config.connect_timeout)),
    positive("read_timeout", Place::Duration(|config| &mut config.read_timeout)),
    positive("retry.attempts", Place::Count(|config| &mut config.retry.attempts)),
    any("retry.base", Place::Duration(|config| &mut config.retry.base)),
    any("retry.cap", Place::Duration(|config| &mut config.retry.cap)),
    any("retry.longest_wait", Place::Duration(|config| &mut config.retry.longest_wait)),
    any("retry.budget_percent", Place::Count(|config| &mut config.retry_budget.percent)),
    any("retry.budget_reserve", Place::Count(|config| &mut config.retry_budget.reserve)),
    positive("quota.concurrency", Place::Count(|config| &mut config.quota.concurrency)),
    any("quota.longest_wait", Place::Duration(|config| &mut config.quota.longest_wait)),
    any("breaker.failures", Place::Count(|config| &mut config.breaker.failures)),
    any("breaker.open", Place::Duration(|config| &mut config.breaker.open)),
    positive("body_limit", Place::Bytes(|config| &mut config.body_limit_bytes)),
    any("download_limit", Place::Limit(|config| &mut config.download_limit_bytes)),
    any("proxy", Place::Proxy(|config| &mut config.proxy)),
    any("proxy_from_env", Place::Switch(|config| &mut config.proxy_from_env)),
    any("user_agent", Place::Text(|config| &mut config.user_agent)),
    any("seed", Place::Number(|config| &mut config.seed)),
];

impl Setting {
    /// Takes a value as it is written.
    ///
    /// # Errors
    /// What belongs there instead.
    pub(super) fn set(&self, config: &mut Config, text: &str) -> Result<(), &'static str> {
        let text = text.trim();
        match self.place {
            Place::Duration(place) => *place(config) = parse_duration(text).ok_or(units::DURATION)?,
            Place::Bytes(place) => *place(config) = parse_bytes(text).ok_or(units::BYTES)?,
            Place::Count(place) => *place(config) = text.parse().map_err(|_| "a whole number")?,
            Place::Number(place) => *place(config) = Some(text.parse().map_err(|_| "a whole number")?),
            Place::Text(place) => *place(config) = Some(text.to_owned()),
            Place::Limit(place) => *place(config) = Some(parse_bytes(text).ok_or(units::BYTES)? as u64),
            // The URL may hold a password, so its own error, which does not repeat it, is not needed to say what is wrong.
            Place::Proxy(place) => {
                *place(config) =
                    Some(Proxy::new(text).map_err(|_| "a URL like http://proxy.example.com:3128")?);
            }
            Place::Switch(place) => *place(config) = text.parse().map_err(|_| "`true` or `false`")?,
        }
        Ok(())
    }

    fn is_zero(&self, config: &mut Config) -> bool {
        match self.place {
            Place::Duration(place) => place(config).is_zero(),
            Place::Bytes(place) => *place(config) == 0,
            Place::Count(place) => *place(config) == 0,
            _ => false,
        }
    }

    fn variable(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

pub(super) fn check(config: &Config) -> Result<(), Error> {
    let mut config = config.clone(); // the table's places are for writing
    match SETTINGS.iter().find(|setting| setting.is_positive && setting.is_zero(&mut config)) {
        None => Ok(()),
        Some(setting) => Err(Error::new(
            ErrorKind::Config,
            format!("`{}` is zero, so no call could ever succeed: raise it", setting.name),
        )),
    }
}

pub(super) fn from_vars(prefix: &str, vars: Vars<'_>) -> Result<Config, Error> {
    let mut config = Config::default();
    for setting in SETTINGS {
        let variable = setting.variable(prefix);
        if let Some(text) = vars.optional(&variable) {
            setting.set(&mut config, &text).map_err(|expected| {
                Error::new(ErrorKind::Config, format!("{variable} is not understood: give it {expected}"))
            })?;
        }
    }
    Ok(config)
}

pub(super) fn variables(prefix: &str) -> impl Iterator<Item = String> {
    SETTINGS.iter().map(|setting| setting.variable(prefix)).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_never_work_are_refused_by_name() {
        assert!(check(&Config::default()).is_ok());
        for setting in SETTINGS.iter().filter(|setting| setting.is_positive) {
            let mut config = Config::default();
            let zero = if matches!(setting.place, Place::Duration(_)) { "0s" } else { "0" };
            setting.set(&mut config, zero).unwrap();
            let error = check(&config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(setting.name), "{error}");
        }
    }

    #[test]
    fn the_table_in_the_docs_is_this_table() {
        let docs = include_str!("mod.rs");
        for setting in SETTINGS {
            let row = format!("//! | `{}` | `{}` | ", setting.name, setting.variable("CONNECT"));
            assert!(docs.contains(&row), "{row}");
        }
    }

    #[test]
    fn variables_change_the_defaults_and_a_malformed_one_is_named_without_its_value() {
        let read = |known: &'static str, value: &'static str| {
            let lookup = move |name: &str| (name == known).then(|| value.to_owned());
            from_vars("CONNECT", Vars::new(&lookup))
        };
        assert_eq!(read("CONNECT_DEADLINE", "5m").unwrap().deadline, Duration::from_secs(300));
        assert_eq!(read("CONNECT_BODY_LIMIT", " 1 KiB ").unwrap().body_limit_bytes, 1024);
        assert_eq!(read("CONNECT_USER_AGENT", "acme/1").unwrap().user_agent.as_deref(), Some("acme/1"));
        assert_eq!(read("CONNECT_SEED", "7").unwrap().seed, Some(7));
        assert_eq!(read("CONNECT_DEADLINE", "").unwrap().deadline, Config::default().deadline);
        for (name, value) in [
            ("CONNECT_DEADLINE", "canary"),
            ("CONNECT_DEADLINE", "30"),
            ("CONNECT_RETRY_ATTEMPTS", "-1"),
            ("CONNECT_BODY_LIMIT", "1 canary"),
            ("CONNECT_SEED", "99999999999999999999999"),
        ] {
            let text = read(name, value).unwrap_err().to_string();
            assert!(text.starts_with(name) && !text.contains("canary"), "{text}");
        }
    }
}
