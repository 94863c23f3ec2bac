//! A private key out of whatever a setting holds: PEM, PEM on one line, or base64 of either.
//!
//! What is no private key that can sign is refused by its name, because "invalid key" sends people looking in the wrong
//! place. The text itself is never shown.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use connect_core::{Error, ErrorKind, Secret};
use zeroize::Zeroizing;

/// With or without padding: settings lose it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// No key of any kind is longer; a whole file system pasted by accident is.
const LONGEST: usize = 64 * 1024;

/// What has a name of its own on the first line and is not looked into.
const LABELS: &[(&str, &str)] = &[
    ("OPENSSH PRIVATE KEY", OPENSSH),
    ("ENCRYPTED PRIVATE KEY", ENCRYPTED),
    ("SSH2 ENCRYPTED PRIVATE KEY", OPENSSH),
    ("DSA PRIVATE KEY", "a DSA key: make an RSA key of 2048 bits"),
    ("PGP PRIVATE KEY BLOCK", "a PGP key: make one with `openssl genpkey`"),
    ("CERTIFICATE", CERTIFICATE),
    ("CERTIFICATE REQUEST", CERTIFICATE),
    ("NEW CERTIFICATE REQUEST", CERTIFICATE),
    ("PUBLIC KEY", PUBLIC),
    ("RSA PUBLIC KEY", PUBLIC),
];

pub(super) const OPENSSH: &str =
    "an OpenSSH key: convert a copy of the file with `ssh-keygen -p -m PKCS8 -f FILE`, without a passphrase";
pub(super) const ENCRYPTED: &str = "encrypted: decrypt it with `openssl pkey -in FILE`";
pub(super) const CERTIFICATE: &str = "a certificate: the private key that belongs to it is needed";
pub(super) const PUBLIC: &str = "a public key: the private key that belongs to it is needed";
pub(super) const UNREADABLE: &str =
    "neither PEM nor base64 of a key: paste the whole file, from BEGIN to END";

/// The DER document in a setting.
pub(super) fn read(key: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    if key.expose().len() > LONGEST {
        return Err(refusal("far too long for a key: paste the file of one key"));
    }
    // Quotation marks and `\n` come from .env files and JSON.
    let text = key.expose().trim().trim_matches(['"', '\'']);
    let text = Zeroizing::new(text.replace("\\r", "\n"));
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    if let Some(begin) = text.find(BEGIN) {
        return block(text.get(begin..).unwrap_or_default());
    }
    match text.trim_start() {
        "" => return Err(refusal("empty")),
        text if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") => return Err(refusal(PUBLIC)),
        text if text.starts_with('{') => {
            return Err(refusal("a JSON file: pass what it has under `private_key`"));
        }
        _ => {}
    }
    let decoded = decode(&text)?;
    match std::str::from_utf8(&decoded).ok().and_then(|text| text.get(text.find(BEGIN)?..)) {
        Some(pem) => block(pem),
        None => Ok(decoded),
    }
}

/// What stands between BEGIN and END. Line breaks do not matter, since settings turn them into spaces.
fn block(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut rest = text;
    loop {
        let after = rest.strip_prefix(BEGIN).ok_or_else(|| refusal(UNREADABLE))?;
        let (label, after) = after.split_once(DASHES).ok_or_else(|| refusal(UNREADABLE))?;
        let (body, after) =
            after.split_once("-----END").ok_or_else(|| refusal("cut off: it has no END line"))?;
        if let Some((_, what)) = LABELS.iter().find(|(known, _)| *known == label.trim()) {
            return Err(refusal(what));
        }
        if body.contains("Proc-Type:") {
            return Err(refusal(ENCRYPTED)); // openssl's old way
        }
        // `openssl ecparam` writes the curve in front of the key.
        if label.ends_with("PARAMETERS") {
            let next = after.find(BEGIN).ok_or_else(|| refusal(UNREADABLE))?;
            rest = after.get(next..).unwrap_or_default();
            continue;
        }
        return decode(body);
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let standard = |letter: char| match letter {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    // In one piece from the start: a string that grows leaves copies of the key behind.
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    letters.extend(text.chars().filter(|letter| !letter.is_whitespace()).map(standard));
    // The cause would quote a byte of the key.
    BASE64.decode(letters.as_bytes()).map(Zeroizing::new).map_err(|_| refusal(UNREADABLE))
}

pub(super) fn refusal(what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the signing key is {what}"))
}
