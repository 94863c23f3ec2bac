//! Sealed values: bound to their place, opened by every key of the ring, and silent about what they hold.

#![cfg(feature = "seal")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::HashSet;
use std::error::Error as StdError;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use connect_core::{Error, ErrorKind};
use connect_oauth::seal::{
    CHECK_PLACE, KEYS_VARIABLE, KeyRing, Opened, Place, Refusal, Seal, make_check, verify_check,
};

const PLACE: Place<'static> = Place { tenant: "acme", connection: "jira", field: "tokens" };
const VALUE: &[u8] = b"canary-plaintext-4711";

/// 32 different bytes; with `+` and `/` in base64 for some seeds.
fn key(seed: u8) -> [u8; 32] {
    std::array::from_fn(|index| seed.wrapping_add((index as u8).wrapping_mul(7)))
}

fn ring(id: &str, seed: u8) -> KeyRing {
    KeyRing::new(id, &key(seed)).unwrap()
}

fn entry(id: &str, seed: u8) -> String {
    format!("{id}:{}", STANDARD.encode(key(seed)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

async fn refusal(ring: &KeyRing, place: Place<'_>, sealed: &[u8]) -> Error {
    let error = ring.open(place, sealed).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.details::<Refusal>().is_some(), "{error}");
    error
}

#[tokio::test]
async fn what_is_sealed_opens_at_its_place() {
    let ring = ring("2026-11", 1);
    let long = vec![7; 100_000];
    for value in [&b""[..], b"x", VALUE, &long] {
        let sealed = ring.seal(PLACE, value).await.unwrap();
        assert_eq!(ring.open(PLACE, &sealed).await.unwrap().expose(), value);
        assert!(ring.is_current(&sealed));
        assert!(value.len() < 2 || !sealed.windows(value.len()).any(|part| part == value));
    }
}

#[tokio::test]
async fn a_value_sealed_by_the_first_version_opens() {
    // Computed apart from this crate, from the drafts of XChaCha20 and Poly1305 and the layout in the module's docs.
    let sealed = from_hex(
        "0107323032362d3131404142434445464748494a4b4c4d4e4f5051525354555657731d31547265157d5b40399785384d4a4f492955b3ee921924581340839abf98ff2258eb6c",
    );
    let ring = ring("2026-11", 1);
    assert_eq!(ring.open(PLACE, &sealed).await.unwrap().expose(), VALUE);
}

#[tokio::test]
async fn a_value_that_was_copied_elsewhere_does_not_open() {
    let ring = ring("2026-11", 1);
    let sealed = ring.seal(PLACE, VALUE).await.unwrap();
    for place in [
        Place::new("other", "jira", "tokens"),
        Place::new("acme", "slack", "tokens"),
        Place::new("acme", "jira", "client"),
        Place::new("acm", "ejira", "tokens"),
        Place::new("jira", "acme", "tokens"),
        Place::new("", "", ""),
        CHECK_PLACE,
    ] {
        let error = refusal(&ring, place, &sealed).await;
        assert!(error.to_string().contains("copied from elsewhere"), "{place:?}: {error}");
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_key_seals_and_the_old_one_opens() {
    let before = ring("2026-01", 1);
    let old = before.seal(PLACE, VALUE).await.unwrap();
    let after = ring("2026-11", 2).with_older("2026-01", &key(1)).unwrap();
    assert_eq!(after.open(PLACE, &old).await.unwrap().expose(), VALUE);
    assert!(before.is_current(&old) && !after.is_current(&old));

    let new = after.seal(PLACE, VALUE).await.unwrap();
    assert!(after.is_current(&new) && !before.is_current(&new));
    assert_eq!(ring("2026-11", 2).open(PLACE, &new).await.unwrap().expose(), VALUE);
    assert!(!after.is_current(b"") && !after.is_current(b"plain"));
}

#[tokio::test]
async fn a_key_that_was_removed_is_named_with_what_to_do() {
    let sealed = ring("2026-01", 1).seal(PLACE, VALUE).await.unwrap();
    let error = refusal(&ring("2026-11", 2), PLACE, &sealed).await;
    assert_eq!(error.details(), Some(&Refusal::UnknownKey { id: "2026-01".into() }));
    assert!(error.to_string().contains("`2026-01`"), "{error}");
    assert!(error.to_string().contains("put that key behind the current one"), "{error}");
}

#[tokio::test]
async fn another_key_under_the_same_id_is_suspected() {
    let sealed = ring("2026-01", 1).seal(PLACE, VALUE).await.unwrap();
    let error = refusal(&ring("2026-01", 2), PLACE, &sealed).await;
    assert_eq!(error.details(), Some(&Refusal::Failed { id: "2026-01".into() }));
    assert!(error.to_string().contains("the key under this id is another one"), "{error}");
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_is_refused() {
    let ring = ring("2026-11", 1).with_older("2026-10", &key(2)).unwrap();
    let sealed = ring.seal(PLACE, VALUE).await.unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = refusal(&ring, PLACE, &changed).await;
        assert!(!format!("{error:#} {error:?}").contains("canary"), "bit {bit}: {error}");
    }
    for length in 0..sealed.len() {
        refusal(&ring, PLACE, &sealed[..length]).await;
        refusal(&ring, PLACE, &sealed[sealed.len() - length..]).await;
    }
    refusal(&ring, PLACE, &[&sealed[..], b"\0"].concat()).await;
}

#[tokio::test]
async fn foreign_bytes_are_refused_and_not_repeated() {
    let ring = ring("2026-11", 1);
    let odd_id = [&[1, 6][..], b"\x1b[31m\n", &[0; 40]].concat();
    let not_utf8 = [&[1, 2][..], b"\xff\xfe", &[0; 40]].concat();
    let no_id = [&[1, 0][..], &[0; 40]].concat();
    let long_id = [&[1, 33][..], &[b'a'; 33], &[0; 40]].concat();
    let next_version = [&[2, 7][..], b"2026-11", &[0; 40]].concat();
    let plain = br#"{"access_token":"canary"}"#.to_vec();
    for bytes in [odd_id, not_utf8, no_id, long_id, next_version, plain, vec![1, 255], vec![0; 100]] {
        let error = refusal(&ring, PLACE, &bytes).await;
        assert_eq!(error.details(), Some(&Refusal::NotSealed), "{bytes:?}");
        assert!(!error.to_string().contains(['\u{1b}', '\n']) && !error.to_string().contains("canary"));
    }
}

#[tokio::test]
async fn ten_thousand_nonces_are_different() {
    let ring = ring("a", 1);
    let mut nonces = HashSet::new();
    for _ in 0..10_000 {
        let sealed = ring.seal(PLACE, b"").await.unwrap();
        // Behind version, length and an id of one byte.
        assert!(nonces.insert(sealed[3..3 + 24].to_vec()));
    }
}

#[test]
fn keys_are_read_from_every_spelling_of_base64() {
    // Bytes with both of the characters that the alphabets write differently.
    let bytes = key(0x7);
    let plain = STANDARD.encode(bytes);
    assert!(plain.contains('+') && plain.contains('/'), "{plain}");
    for base64 in
        [plain, STANDARD_NO_PAD.encode(bytes), URL_SAFE.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)]
    {
        let text = format!(" 2026-11 : {base64} , {} ", entry("old_one.2", 1));
        let ring = KeyRing::from_text(&text).unwrap();
        assert_eq!(ring.key_ids().collect::<Vec<_>>(), ["2026-11", "old_one.2"]);
        let lookup = |name: &str| (name == KEYS_VARIABLE).then(|| format!("{text}\n"));
        assert_eq!(KeyRing::from_vars(lookup).unwrap().key_ids().count(), 2);
    }
}

#[tokio::test]
async fn every_way_to_a_ring_leads_to_the_same_key() {
    let sealed = ring("a", 1).seal(PLACE, VALUE).await.unwrap();
    let read = KeyRing::from_text(&entry("a", 1)).unwrap();
    assert_eq!(read.open(PLACE, &sealed).await.unwrap().expose(), VALUE);

    let (made, text) = KeyRing::generate("b").unwrap();
    let sealed = made.seal(PLACE, VALUE).await.unwrap();
    let read = KeyRing::from_text(text.expose()).unwrap();
    assert_eq!(read.open(PLACE, &sealed).await.unwrap().expose(), VALUE);
    assert_ne!(text.expose(), KeyRing::generate("b").unwrap().1.expose());
}

#[test]
fn mistakes_in_the_variable_are_named_and_never_shown() {
    let good = STANDARD.encode(key(1));
    let (a, b) = (entry("a", 1), entry("b", 2));
    let of = |bytes: &[u8]| STANDARD.encode(bytes);
    let cases = [
        (String::new(), "is not set"),
        ("  \n".to_owned(), "openssl rand -base64 32"),
        (format!("{a}\n{b}"), "line break"),
        (good.clone(), "seal key 1 of 1: it has no id"),
        (format!("{good}:a"), "it is not base64"),
        (format!(":{good}"), "its id is not 1 to 32"),
        (format!("with space:{good}"), "its id is not 1 to 32"),
        (format!("{}:{good}", "x".repeat(33)), "its id is not 1 to 32"),
        (format!("schlüssel:{good}"), "its id is not 1 to 32"),
        (format!("{a},"), "seal key 2 of 2: it is empty"),
        (format!(",{a}"), "seal key 1 of 2: it is empty"),
        (format!("{a},b"), "seal key 2 of 2: it has no id"),
        ("a:".to_owned(), "it is 0 bytes long instead of 32"),
        (format!("a:{}", of(&key(1)[..16])), "it is 16 bytes long instead of 32"),
        (format!("a:{}", of(&[&key(1)[..], b"x"].concat())), "it is 33 bytes long instead of 32"),
        (format!("a:{}", hex(&key(1))), "it is 48 bytes long instead of 32"),
        (format!("a:{}", &good[..42]), "base64"),
        (format!("a:{good}="), "it is not base64"),
        (format!("a:-{}+", &good[..40]), "it is not base64"),
        (format!("a:canary-{good}!"), "it is not base64"),
        (format!("a:{}", of(&[0; 32])), "it is one byte repeated"),
        (format!("a:{}", of(&[0xaa; 32])), "it is one byte repeated"),
        (format!("{a},{b},{}", entry("a", 3)), "seal key 3 of 3: its id is that of a key before it"),
        (format!("{a},{}", entry("b", 1)), "seal key 2 of 2: it is the same as a key before it"),
    ];
    for (text, expected) in cases {
        let lookup = |name: &str| (name == KEYS_VARIABLE).then(|| text.clone());
        let error = KeyRing::from_vars(lookup).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = format!("{error} {error:?} {error:#}");
        assert!(shown.starts_with(KEYS_VARIABLE) && shown.contains(expected), "{expected}: {shown}");
        for part in text.split([',', ':', '\n']).filter(|part| part.trim().len() > 8) {
            assert!(!shown.contains(&part[..8]), "{expected}: {shown}");
        }
    }
    let error = KeyRing::from_vars(|_| None).map(drop).unwrap_err().to_string();
    assert!(
        error.contains("CONNECT_SEAL_KEYS is not set") && error.contains("connect auth new-key"),
        "{error}"
    );
    let error = KeyRing::from_text(" ").map(drop).unwrap_err().to_string();
    assert!(error.contains("there is no seal key") && error.contains("openssl rand -base64 32"), "{error}");
}

#[test]
fn keys_given_as_bytes_are_checked_as_well() {
    for (result, expected) in [
        (KeyRing::new("", &key(1)), "the current seal key: its id"),
        (KeyRing::new("a", &[0; 32]), "it is one byte repeated"),
        (ring("a", 1).with_older("a", &key(2)), "older seal key 1: its id is that of a key before it"),
        (ring("a", 1).with_older("b", &key(1)), "it is the same as a key before it"),
        (ring("a", 1).with_older("b", &[9; 32]), "it is one byte repeated"),
        (KeyRing::generate("no spaces").map(|(ring, _)| ring), "its id is not 1 to 32"),
    ] {
        let error = result.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(|error| format!("{error} {error:?} {error:#} {error:#?}\n")).collect()
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_a_key_or_a_value() {
    let ring = ring("2026-11", 1).with_older("2026-01", &key(2)).unwrap();
    let sealed = ring.seal(PLACE, VALUE).await.unwrap();
    let opened = ring.open(PLACE, &sealed).await.unwrap();
    let (_, made) = KeyRing::generate("c").unwrap();
    let mut shown = format!("{ring:?} {ring:#?} {opened:?} {opened:#?} {made:?}");
    assert!(shown.contains("2026-11") && shown.contains("2026-01"), "{shown}");

    let foreign = KeyRing::new("other", &key(3)).unwrap();
    let same_id = KeyRing::new("2026-11", &key(3)).unwrap();
    let check = make_check(&ring).await.unwrap();
    for ring in [&foreign, &same_id] {
        shown += &with_causes(&refusal(ring, PLACE, &sealed).await);
        shown += &with_causes(&refusal(ring, PLACE, &sealed[..sealed.len() / 2]).await);
        shown += &with_causes(&verify_check(ring, &check).await.unwrap_err());
    }
    shown += &with_causes(&refusal(&ring, PLACE, VALUE).await);

    let made = made.expose().split_once(':').unwrap().1.to_owned();
    let mut canaries = vec![made, "canary".to_owned(), hex(VALUE), STANDARD.encode(VALUE), hex(&sealed)];
    for bytes in [key(1), key(2), key(3)] {
        canaries.extend([
            hex(&bytes),
            hex(&bytes).to_uppercase(),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            format!("{bytes:?}"),
            format!("{:?}", &bytes[..8]).trim_matches(['[', ']']).to_owned(),
        ]);
    }
    for canary in canaries {
        assert!(!shown.contains(&canary), "{canary} in {shown}");
    }
}

#[tokio::test]
async fn the_check_passes_with_the_same_keys_and_asks_for_a_new_one_after_a_rotation() {
    let old = ring("2026-01", 1);
    let check = make_check(&old).await.unwrap();
    assert!(!verify_check(&old, &check).await.unwrap());

    let rotated = ring("2026-11", 2).with_older("2026-01", &key(1)).unwrap();
    assert!(verify_check(&rotated, &check).await.unwrap());
    let check = make_check(&rotated).await.unwrap();
    assert!(!verify_check(&rotated, &check).await.unwrap());
}

#[tokio::test]
async fn the_check_says_which_key_is_missing_and_what_its_loss_means() {
    let check = make_check(&ring("2026-01", 1)).await.unwrap();
    let missing = "the stored tokens were sealed with key `2026-01`, which is not in CONNECT_SEAL_KEYS: put it behind \
                   the new one";
    let cases = [
        (ring("2026-11", 2), &check[..], missing),
        (ring("2026-01", 2), &check[..], "do not open with key `2026-01`"),
        (ring("2026-01", 1), &check[..20], "a stored value is not sealed"),
    ];
    for (ring, check, expected) in cases {
        let error = verify_check(&ring, check).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("every account must be connected again"), "{error}");
    }
}

/// A key service that does what its one field says.
enum Service {
    Down,
    Garbles,
}

#[async_trait]
impl Seal for Service {
    async fn seal(&self, _: Place<'_>, value: &[u8]) -> Result<Bytes, Error> {
        Ok(Bytes::copy_from_slice(value))
    }

    async fn open(&self, _: Place<'_>, _: &[u8]) -> Result<Opened, Error> {
        match self {
            Self::Down => Err(Error::new(ErrorKind::Unavailable, "the key service does not answer")),
            Self::Garbles => Ok(Opened::new(b"canary".to_vec())),
        }
    }

    fn is_current(&self, _: &[u8]) -> bool {
        true
    }
}

#[tokio::test]
async fn the_check_tells_a_service_that_is_down_from_one_that_garbles() {
    let down = verify_check(&Service::Down, b"x").await.unwrap_err();
    assert_eq!(down.kind(), ErrorKind::Unavailable);
    assert!(!down.to_string().contains("connected again"), "{down}");
    let garbled = verify_check(&Service::Garbles, b"x").await.unwrap_err();
    assert_eq!(garbled.kind(), ErrorKind::Config);
    assert!(!garbled.to_string().contains("canary"), "{garbled}");
}
