//! Which account a client speaks for, as a key that tells nothing.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::operation::Origin;
use crate::origins::Origins;

/// A fingerprint of credential and host: what quotas and cached answers are kept under. The same credential at the same
/// address gives the same account in every process; another credential never shares answers with it.
///
/// 128 bits of SHA-256, so it does not show the credential. A password short enough to guess can be checked against
/// it, though: keep what is stored under it as private as the answers are. `Debug` shows eight digits.
///
/// ```
/// use connect_core::{Credentials, Origins};
/// let origins = Origins::new("https://api.example.com")?;
/// let account = Credentials::bearer("one").account(&origins);
/// assert_eq!(account, Credentials::bearer("one").account(&origins));
/// assert_ne!(account, Credentials::bearer("two").account(&origins));
/// assert_eq!(account.as_str().len(), 32);
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(Arc<str>);

impl Account {
    /// Of an address, a kind of credential, and what makes it differ from others of that kind.
    pub(crate) fn new(origins: &Origins, kind: &str, parts: [&str; 2]) -> Self {
        let base = origins.base(Origin::Api).map_or("", |url| url.as_str().trim_end_matches('/'));
        let mut hash = Sha256::new();
        // The first part keeps these hashes apart from all others; lengths keep ("ab", "c") apart from ("a", "bc").
        for part in ["connect account 1", base, kind].into_iter().chain(parts) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut digits = hex(&hash.finalize());
        digits.truncate(32);
        Self(digits.into())
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}…)", self.0.get(..8).unwrap_or_default())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::auth::{Credentials, Token, TokenCache, TokenOptions, TokenRequest};
    use http::header::{ACCEPT, AUTHORIZATION};

    #[test]
    fn host_path_kind_and_every_part_of_the_credential_count() {
        let origins = ["https://a.example", "https://a.example/ex/jira/1", "https://b.example"];
        let credentials = [
            Credentials::Anonymous,
            Credentials::bearer("ab:c"),
            Credentials::basic("ab", "c"),
            Credentials::basic("a", "bc"),
            Credentials::basic("ab", "d"),
            Credentials::Header(AUTHORIZATION, "c".into()),
            Credentials::Header(ACCEPT, "c".into()),
        ];
        let mut accounts = HashSet::new();
        for base in origins {
            let origins = Origins::new(base).unwrap();
            accounts.extend(credentials.iter().map(|credentials| credentials.account(&origins)));
        }
        assert_eq!(accounts.len(), origins.len() * credentials.len());
    }

    #[test]
    fn a_closing_slash_makes_no_other_account() {
        let account = |base| Credentials::Anonymous.account(&Origins::new(base).unwrap());
        assert_eq!(account("https://a.example/api/"), account("https://a.example/api"));
    }

    #[test]
    fn renewed_tokens_stay_one_account_which_a_host_can_name() {
        let origins = Origins::new("https://a.example").unwrap();
        let cache =
            |options| TokenCache::with_options(|_: TokenRequest| async { Ok(Token::new("canary")) }, options);
        let unnamed = cache(TokenOptions::default());
        let account = |cache: &TokenCache| Credentials::tokens(cache.clone()).account(&origins);
        assert_eq!(account(&unnamed), account(&unnamed.clone()));
        assert_ne!(account(&unnamed), account(&cache(TokenOptions::default())));
        let named = || cache(TokenOptions::default().with_account("installation 7"));
        assert_eq!(account(&named()), account(&named()));
    }

    #[test]
    fn debug_shows_the_beginning_only() {
        let account = Credentials::bearer("canary").account(&Origins::new("https://a.example").unwrap());
        let shown = format!("{account:?}");
        assert!(!shown.contains("canary") && !shown.contains(account.as_str()), "{shown}");
    }

    #[test]
    fn bytes_become_two_digits_each() {
        assert_eq!(hex(&[0, 0x1f, 0xa0, 0xff]), "001fa0ff");
    }
}
