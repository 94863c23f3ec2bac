//! One key of the ring: its id, its bytes, and how both are written as text.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use connect_core::Secret;
use zeroize::Zeroizing;

/// How many bytes a key has.
pub(super) const LENGTH: usize = 32;

/// What is wrong with a key. Follows the key's position, so it begins with "it" or "its"; repeats nothing of the text,
/// not even the id, because somebody may have swapped the two.
pub(super) type Fault = Cow<'static, str>;

/// A key and its id.
pub(super) struct Key {
    id: Box<str>,
    // On the heap, so that moving the key leaves no copy behind; wiped on drop.
    bytes: Box<Zeroizing<[u8; LENGTH]>>,
}

/// 1 to 32 of letters, digits, dot, underscore, hyphen: safe in errors and on status pages.
pub(super) fn is_key_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl Key {
    pub(super) fn new(id: &str, bytes: &[u8]) -> Result<Self, Fault> {
        if !is_key_id(id) {
            return Err(
                "its id is not 1 to 32 letters, digits, dots, hyphens and underscores; write it like \
                        2026-11:KEY"
                    .into(),
            );
        }
        if bytes.len() != LENGTH {
            let length = bytes.len();
            return Err(format!(
                "it is {length} bytes long instead of {LENGTH}; make one with `openssl rand -base64 32`"
            )
            .into());
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(
                "it is one byte repeated, which anybody can guess; make a random one with `openssl rand \
                        -base64 32`"
                    .into(),
            );
        }
        let mut key = Self { id: id.into(), bytes: Box::default() };
        key.bytes.copy_from_slice(bytes);
        Ok(key)
    }

    /// Reads `ID:BASE64`, in either alphabet, with or without padding.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err("it is empty; remove the comma that is too many".into());
        }
        let Some((id, base64)) = text.split_once(':') else {
            return Err("it has no id; write it as ID:KEY, like 2026-11:KEY".into());
        };
        let (id, base64) = (id.trim(), base64.trim());
        let alphabet =
            if base64.contains(['-', '_']) { URL_SAFE_PAD_INDIFFERENT } else { STANDARD_PAD_INDIFFERENT };
        let mut bytes = Zeroizing::new(Vec::new());
        // The decoder's own error would say which character it met, and where.
        if alphabet.decode_vec(base64, &mut bytes).is_err() {
            return Err(
                "it is not base64: something is missing or was added; paste it again, or make one with \
                        `openssl rand -base64 32`"
                    .into(),
            );
        }
        Self::new(id, &bytes)
    }

    /// Writes `ID:BASE64`.
    pub(super) fn to_text(&self) -> Secret {
        // Room for all of it at once: a string that grows leaves pieces of itself behind.
        let mut text = String::with_capacity(self.id.len() + 1 + LENGTH.div_ceil(3) * 4);
        text.push_str(&self.id);
        text.push(':');
        STANDARD.encode_string(self.bytes(), &mut text);
        Secret::new(text)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }
}
