//! Checks RS256 signatures: arithmetic of this crate's own, so that a mistake in a signer cannot hide in its fake.
//!
//! Schoolbook and slow (some milliseconds), and not in constant time: it knows public keys only.
//! Not for production.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// `DigestInfo` of SHA-256 up to the hash (RFC 8017 9.2, note 1).
const SHA_256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// A number as 64-bit limbs, the least first.
type Limbs = Vec<u64>;

/// The public half of an RSA key.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    modulus: Limbs,
    exponent: u64,
    bytes: usize,
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` of PEM, as `openssl pkey -pubout` writes it; `None` for anything else.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let document = STANDARD.decode(body).ok()?;
        let (_, info) = field(&document)?;
        let (_, algorithm_end) = split(info)?;
        let (bits, _) = split(algorithm_end)?;
        // The first byte says how many bits are unused: none.
        let (_, numbers) = field(bits.get(1..)?)?;
        let (modulus, rest) = split(numbers)?;
        let (exponent, _) = split(rest)?;
        let modulus: &[u8] = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        let exponent = exponent
            .iter()
            .try_fold(0_u64, |sum, byte| sum.checked_mul(256).map(|sum| sum + u64::from(*byte)))?;
        Some(Self { modulus: limbs(modulus), exponent, bytes: modulus.len() })
    }

    /// Whether this is the signature of these bytes.
    pub(crate) fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.bytes || self.bytes < 64 {
            return false;
        }
        let signature = limbs(signature);
        if !is_less(&signature, &self.modulus) {
            return false;
        }
        let mut expected = vec![0x00, 0x01];
        expected.resize(self.bytes - SHA_256.len() - 32 - 1, 0xff);
        expected.push(0x00);
        expected.extend(SHA_256);
        expected.extend(Sha256::digest(input));
        self.power(&signature) == limbs(&expected)
    }

    /// The number to the public exponent, modulo the modulus.
    fn power(&self, base: &Limbs) -> Limbs {
        let mut result = vec![0; self.modulus.len()];
        if let Some(least) = result.first_mut() {
            *least = 1;
        }
        for bit in (0..u64::BITS - self.exponent.leading_zeros()).rev() {
            result = self.times(&result, &result);
            if self.exponent >> bit & 1 == 1 {
                result = self.times(&result, base);
            }
        }
        result
    }

    /// Doubles and adds from the highest bit down, so that nothing grows beyond the modulus.
    fn times(&self, left: &Limbs, right: &Limbs) -> Limbs {
        let mut sum = vec![0; self.modulus.len()];
        for limb in left.iter().rev() {
            for bit in (0..u64::BITS).rev() {
                sum = self.plus(&sum, &sum);
                if limb >> bit & 1 == 1 {
                    sum = self.plus(&sum, right);
                }
            }
        }
        sum
    }

    fn plus(&self, left: &Limbs, right: &Limbs) -> Limbs {
        let mut carry = false;
        let mut sum: Limbs = left
            .iter()
            .zip(right)
            .map(|(left, right)| {
                let (sum, first) = left.overflowing_add(*right);
                let (sum, second) = sum.overflowing_add(u64::from(carry));
                carry = first || second;
                sum
            })
            .collect();
        if carry || !is_less(&sum, &self.modulus) {
            let mut borrow = false;
            for (limb, modulus) in sum.iter_mut().zip(&self.modulus) {
                let (difference, first) = limb.overflowing_sub(*modulus);
                let (difference, second) = difference.overflowing_sub(u64::from(borrow));
                borrow = first || second;
                *limb = difference;
            }
        }
        sum
    }
}

fn is_less(left: &Limbs, right: &Limbs) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

/// Of bytes, the highest first.
fn limbs(bytes: &[u8]) -> Limbs {
    bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte))).collect()
}

/// The content of the first DER value, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, head) = match *bytes.get(1)? {
        short if short < 0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = bytes.get(2..2 + count.min(4))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), 2 + count)
        }
    };
    let end = head.checked_add(length)?;
    Some((bytes.get(head..end)?, bytes.get(end..)?))
}

/// The tag and the content of the first DER value.
fn field(bytes: &[u8]) -> Option<(u8, &[u8])> {
    Some((*bytes.first()?, split(bytes)?.0))
}
