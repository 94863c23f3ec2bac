//! Signatures and secrets as text: hexadecimal and base64.
//!
//! A presented signature is decoded onto the stack before it is compared, so two spellings of one signature
//! are equal and nothing is allocated.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::scheme::Encoding;

/// The longest signature of any algorithm that is not RSA: ECDSA on P-256 in DER takes up to 72 bytes.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 80;

/// Padding is written, and may be missing when read: some senders cut it off.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);

/// The alphabet of JWTs.
pub(crate) const BASE64_URL: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, LENIENT.with_encode_padding(false));

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Signature bytes on the stack: presented by a sender, or computed by us.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    bytes: [u8; MAX_SIGNATURE_BYTES],
    length: usize,
}

impl Signature {
    /// No signature is empty, so this one never matches.
    pub(crate) const NEVER: Self = Self { bytes: [0; MAX_SIGNATURE_BYTES], length: 0 };

    /// Bytes that are longer than any signature become one that never matches.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut signature = Self { length: bytes.len(), ..Self::NEVER };
        match signature.bytes.get_mut(..bytes.len()) {
            Some(slot) => {
                slot.copy_from_slice(bytes);
                signature
            }
            None => Self::NEVER,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// `None` if the text is not of this encoding. Text that is too long for any signature gives one that
    /// never matches.
    pub(crate) fn decode(encoding: Encoding, text: &[u8]) -> Option<Self> {
        match encoding {
            Encoding::Hex => unhex(text),
            Encoding::Base64 => unbase64(text),
            Encoding::Text => Some(Self::new(text)),
        }
    }

    pub(crate) fn encode(&self, encoding: Encoding) -> String {
        match encoding {
            Encoding::Hex => hex(self.as_bytes()),
            Encoding::Base64 => BASE64.encode(self.as_bytes()),
            Encoding::Text => String::from_utf8_lossy(self.as_bytes()).into_owned(),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes behind hexadecimal text of any length.
pub(crate) fn bytes_of_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(byte).collect()
}

fn unhex(text: &[u8]) -> Option<Signature> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut signature = Signature { length: pairs.len(), ..Signature::NEVER };
    let Some(slots) = signature.bytes.get_mut(..pairs.len()) else {
        return pairs.iter().all(|pair| byte(pair).is_some()).then_some(Signature::NEVER);
    };
    // No early return: what is no digit sets a bit that no digit has.
    let mut wrong = 0;
    for (slot, [high, low]) in slots.iter_mut().zip(pairs) {
        let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
        wrong |= high | low;
        *slot = high << 4 | low;
    }
    (wrong <= 15).then_some(signature)
}

/// The value of each digit; for anything else, more than any has.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[b"0123456789abcdef"[value] as usize] = value as u8;
        nibbles[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    nibbles
};

fn byte([high, low]: &[u8; 2]) -> Option<u8> {
    let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
    (high | low <= 15).then_some(high << 4 | low)
}

fn unbase64(text: &[u8]) -> Option<Signature> {
    // Room for what a signature's text can hold at most, rounded up to what the decoder asks for.
    let mut bytes = [0; MAX_SIGNATURE_BYTES + 16];
    match BASE64.decode_slice(text, &mut bytes) {
        Ok(length) => Some(bytes.get(..length).map_or(Signature::NEVER, Signature::new)),
        Err(base64::DecodeSliceError::OutputSliceTooSmall) => Some(Signature::NEVER),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_survives_a_round_trip_in_both_cases() {
        let bytes: Vec<u8> = (0..32).map(|byte| byte * 8 + 7).collect();
        let text = hex(&bytes);
        for text in [text.to_uppercase(), text] {
            assert_eq!(unhex(text.as_bytes()).unwrap().as_bytes(), bytes);
            assert_eq!(bytes_of_hex(text.as_bytes()).unwrap(), bytes);
        }
        for text in ["0", "0g", "+1", " 1", "\u{ff11}"] {
            assert!(unhex(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(unhex("00".repeat(MAX_SIGNATURE_BYTES + 1).as_bytes()).unwrap().as_bytes().is_empty());
    }

    #[test]
    fn base64_survives_a_round_trip_with_and_without_padding() {
        for length in 0..=MAX_SIGNATURE_BYTES {
            let signature = Signature::new(&vec![0xfb; length]);
            let text = signature.encode(Encoding::Base64);
            for text in [text.as_str(), text.trim_end_matches('=')] {
                assert_eq!(unbase64(text.as_bytes()).unwrap().as_bytes(), signature.as_bytes(), "{length}");
            }
        }
        for text in ["-_-_", "a", "ab c", "====", "zzz!"] {
            assert!(unbase64(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(unbase64("AAAA".repeat(1000).as_bytes()).unwrap().as_bytes().is_empty());
    }
}
