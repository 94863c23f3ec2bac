//! As much of DER as tells a private key from everything else that people paste into its place.

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-RSASSA-PSS`, 1.2.840.113549.1.1.10.
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// `id-ecPublicKey`, 1.2.840.10045.2.1.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `id-Ed25519`, 1.3.101.112.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// `prime256v1`, 1.2.840.10045.3.1.7.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The curve in a SEC1 key.
const TAGGED_0: u8 = 0xa0;
/// The public key in a SEC1 key.
const TAGGED_1: u8 = 0xa1;

/// What a DER document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document<'a> {
    /// An RSA private key (PKCS#1), taken out of PKCS#8 where it was in one; and the bits of its modulus.
    Rsa {
        pkcs1: &'a [u8],
        bits: usize,
    },
    /// A private key on P-256: the scalar and the point.
    P256 {
        private: &'a [u8],
        public: &'a [u8],
    },
    /// An EC private key that does not carry its public key, or is on another curve.
    OtherEc,
    /// An RSA key that may sign with PSS only.
    RsaPss,
    Ed25519,
    /// A private key of a kind that is not known here.
    OtherPrivateKey,
    EncryptedPrivateKey,
    PublicKey,
    /// Or a signing request, which has the same shape.
    Certificate,
    Unknown,
}

impl<'a> Document<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        Self::sequence(bytes).unwrap_or(Self::Unknown)
    }

    fn sequence(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Der(Der(bytes).expect(SEQUENCE)?);
        let (tag, first) = fields.next()?;
        let (second_tag, second) = fields.next()?;
        match (tag, second_tag) {
            (INTEGER, SEQUENCE) => Self::pkcs8(second, fields.expect(OCTET_STRING)?),
            // Version, modulus, exponent, ...; a public key has no version and ends after two.
            (INTEGER, INTEGER) if fields.next().is_some() => {
                Some(Self::Rsa { pkcs1: bytes, bits: bits(second) })
            }
            (INTEGER, INTEGER) => Some(Self::PublicKey),
            (INTEGER, OCTET_STRING) => Self::sec1(bytes, None),
            (SEQUENCE, OCTET_STRING) => Some(Self::EncryptedPrivateKey),
            (SEQUENCE, BIT_STRING) => Some(Self::PublicKey),
            (SEQUENCE, SEQUENCE) if !first.is_empty() => Some(Self::Certificate),
            _ => None,
        }
    }

    fn pkcs8(algorithm: &'a [u8], key: &'a [u8]) -> Option<Self> {
        let mut algorithm = Der(algorithm);
        let object = algorithm.expect(OBJECT)?;
        Some(match object {
            RSA => match Self::sequence(key)? {
                rsa @ Self::Rsa { .. } => rsa,
                _ => return None,
            },
            EC => return Self::sec1(key, algorithm.expect(OBJECT)),
            RSA_PSS => Self::RsaPss,
            ED25519 => Self::Ed25519,
            _ => Self::OtherPrivateKey,
        })
    }

    /// RFC 5915. In PKCS#8 the curve stands outside.
    fn sec1(bytes: &'a [u8], curve: Option<&'a [u8]>) -> Option<Self> {
        let mut fields = Der(Der(bytes).expect(SEQUENCE)?);
        fields.expect(INTEGER)?;
        let private = fields.expect(OCTET_STRING)?;
        let (mut curve, mut public) = (curve, None);
        while let Some((tag, value)) = fields.next() {
            match tag {
                TAGGED_0 => curve = Der(value).expect(OBJECT),
                // The first byte says how many bits at the end do not count: none.
                TAGGED_1 => public = Der(value).expect(BIT_STRING).and_then(|bits| bits.get(1..)),
                _ => return None,
            }
        }
        Some(match (curve, public) {
            (Some(P256), Some(public)) => Self::P256 { private, public },
            _ => Self::OtherEc,
        })
    }
}

fn bits(integer: &[u8]) -> usize {
    let significant = integer.iter().skip_while(|byte| **byte == 0);
    let first = significant.clone().next().map_or(8, |byte| byte.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(first)
}

/// Values one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            // Three bytes are 16 MiB, more than any key.
            if digits.is_empty() || digits.len() > 3 {
                return None;
            }
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = after;
        }
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn expect(&mut self, expected: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == expected).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_and_absurd_lengths_are_no_documents() {
        let cases: &[&[u8]] = &[
            &[],
            &[SEQUENCE],
            &[SEQUENCE, 0x80],
            &[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[SEQUENCE, 0xff],
            &[SEQUENCE, 5, INTEGER, 1, 0],
            &[SEQUENCE, 6, INTEGER, 1, 0, SEQUENCE, 2, 0],
        ];
        for bytes in cases {
            assert_eq!(Document::read(bytes), Document::Unknown, "{bytes:?}");
        }
    }

    #[test]
    fn the_bits_of_a_modulus_do_not_count_leading_zeros() {
        assert_eq!((bits(&[]), bits(&[0, 0]), bits(&[0, 0x80]), bits(&[1, 0])), (0, 0, 8, 9));
    }

    #[test]
    fn no_bytes_at_all_make_it_panic() {
        let mut random = 7_u64;
        for length in 0..2_000 {
            let bytes: Vec<u8> = (0..length % 64)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let tags =
                        [SEQUENCE, INTEGER, OCTET_STRING, BIT_STRING, TAGGED_0, TAGGED_1, 1, 2, 3, 0x81];
                    tags[(random >> 33) as usize % tags.len()]
                })
                .collect();
            Document::read(&bytes);
        }
    }
}
