//! As much of DER as leads to the public key in a certificate.
//!
//! A reader over borrowed bytes that never panics and allocates nothing. It decides nothing about trust: names,
//! dates, extensions and the certificate's own signature are skipped, for a certificate is believed because it was
//! fetched from the provider's own host ([`keys`](crate::keys)). Not for anything that comes with a delivery.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The explicit tag of a certificate's version.
const VERSION: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// What is still to be read.
#[derive(Clone, Copy)]
struct Reader<'d>(&'d [u8]);

/// One element: its tag, its content, and the bytes of both with the length between.
struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    whole: &'d [u8],
}

impl<'d> Reader<'d> {
    fn next(&mut self) -> Option<Element<'d>> {
        let (tag, first, rest) = match self.0 {
            [tag, first, rest @ ..] => (*tag, *first, rest),
            _ => return None,
        };
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // The length stands in that many bytes: four are 4 GiB, far more than anybody reads.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().try_fold(0_usize, |length, byte| {
                    length.checked_mul(256)?.checked_add(usize::from(*byte))
                })?;
                (length, rest)
            }
            // DER knows no open end.
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    fn content(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }

    fn skip(&mut self, elements: usize) -> Option<()> {
        (0..elements).try_for_each(|_| self.next().map(|_| ()))
    }

    fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The `SubjectPublicKeyInfo` of an X.509 certificate.
pub(crate) fn spki_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.content(SEQUENCE)?);
    outer.end()?;
    let mut fields = Reader(certificate.content(SEQUENCE)?);
    let mut after_version = fields;
    if after_version.content(VERSION).is_some() {
        fields = after_version;
    }
    // Serial number, algorithm, issuer, validity, subject.
    fields.skip(5)?;
    fields.next().filter(|element| element.tag == SEQUENCE).map(|element| element.whole)
}

/// Modulus and exponent of an RSA key in a `SubjectPublicKeyInfo`, without leading zeros.
pub(crate) fn rsa_of_spki(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (algorithm, key) = algorithm_and_key(spki)?;
    if { algorithm }.content(OBJECT_ID)? != RSA_ENCRYPTION {
        return None;
    }
    let mut outer = Reader(key);
    let mut numbers = Reader(outer.content(SEQUENCE)?);
    outer.end()?;
    let (modulus, exponent) = (numbers.content(INTEGER)?, numbers.content(INTEGER)?);
    numbers.end()?;
    Some((positive(modulus)?, positive(exponent)?))
}

/// The point of a P-256 key in a `SubjectPublicKeyInfo`, uncompressed.
pub(crate) fn p256_of_spki(spki: &[u8]) -> Option<&[u8]> {
    let (mut algorithm, point) = algorithm_and_key(spki)?;
    let is_p256 = algorithm.content(OBJECT_ID)? == EC_PUBLIC_KEY && algorithm.content(OBJECT_ID)? == P256;
    (is_p256 && point.len() == 65 && point.first() == Some(&4)).then_some(point)
}

fn algorithm_and_key(spki: &[u8]) -> Option<(Reader<'_>, &[u8])> {
    let mut outer = Reader(spki);
    let mut parts = Reader(outer.content(SEQUENCE)?);
    outer.end()?;
    let algorithm = Reader(parts.content(SEQUENCE)?);
    // A key is whole bytes: the count of unused bits in front is zero.
    let key = parts.content(BIT_STRING)?.strip_prefix(&[0])?;
    parts.end()?;
    Some((algorithm, key))
}

/// The bytes of an integer above zero. One that begins with a set bit would be negative.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        [first, ..] if (1..0x80).contains(first) => Some(integer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../tests/keys/certificate.der");

    #[test]
    fn the_key_is_found_in_a_certificate() {
        let spki = spki_of_certificate(CERTIFICATE).unwrap();
        let (modulus, exponent) = rsa_of_spki(spki).unwrap();
        assert_eq!((modulus.len(), exponent), (256, &[1, 0, 1][..]));
        assert!(p256_of_spki(spki).is_none());
    }

    #[test]
    fn a_certificate_that_breaks_off_or_goes_on_has_no_key() {
        for length in 0..CERTIFICATE.len() {
            assert!(spki_of_certificate(&CERTIFICATE[..length]).is_none(), "{length}");
        }
        assert!(spki_of_certificate(&[CERTIFICATE, &[0]].concat()).is_none());
        let spki = spki_of_certificate(CERTIFICATE).unwrap();
        for length in 0..spki.len() {
            assert!(rsa_of_spki(&spki[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn lengths_and_integers_out_of_bounds_are_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x82, 1],
            &[0x30, 2, 1],
        ] {
            assert!(Reader(bytes).next().is_none(), "{bytes:x?}");
        }
        for integer in [&[][..], &[0], &[0, 1], &[0x80], &[0, 0, 0x80]] {
            assert!(positive(integer).is_none(), "{integer:x?}");
        }
    }

    #[test]
    fn mutated_certificates_never_panic_and_stay_inside_their_bytes() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut bytes = CERTIFICATE.to_vec();
            for _ in 0..random.usize(1..8) {
                // Most often the head, where the lengths stand.
                let end = if random.bool() { 64 } else { bytes.len() };
                match random.u8(0..4) {
                    0 => bytes[random.usize(0..end)] = random.u8(..),
                    1 => bytes[random.usize(0..end)] ^= 1 << random.u8(0..8),
                    2 => {
                        bytes.remove(random.usize(0..end));
                    }
                    _ => bytes.insert(random.usize(0..end), random.u8(0x7f..0x86)),
                }
            }
            if let Some(spki) = spki_of_certificate(&bytes) {
                assert!(spki.len() < bytes.len());
                if let Some((modulus, exponent)) = rsa_of_spki(spki) {
                    assert!(modulus.len() + exponent.len() < spki.len());
                }
                let _ = p256_of_spki(spki);
            }
            let _ = (rsa_of_spki(&bytes), p256_of_spki(&bytes));
        }
    }
}
