//! Sealed at rest: XChaCha20-Poly1305 under a named secret key.
//!
//! A sealed value is `key id (4 bytes, big endian) | nonce (24) | ciphertext and tag`. The key id lets secret keys rotate:
//! new values are sealed with the first key of the ring, old ones are opened with the one they name. The associated data
//! binds a value to its row, so a ciphertext copied to another row does not open.
//!
//! A ring in a file ([`key_file`]) is followed: a process that runs seals with the key that was put first a moment ago,
//! and opens what another process sealed with it. It does not follow a file that has another key under a number that it
//! knows: what it sealed from then on nobody else would open. Each key has a [`Fingerprint`], by which the database tells
//! the right key from a wrong one ([`crate::rotation::registry`]).

pub mod key_file;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::hotels::HotelId;
use crate::id::IdSource;
use key_file::Stamp;

/// Bytes of a sealed value that name its key.
pub const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
/// Least time between two lines in the log about values that do not open.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Tells one secret key from another, and nothing about either of them.
pub type Fingerprint = [u8; 32];

/// A value that must not reach a log: no `Debug`, no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a plain text into custody.
    pub fn new(plain: String) -> Self {
        Self(plain)
    }

    /// The plain text, for those who are entitled to it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What binds a sealed value to its row: the ids of its hotel and of what it belongs to.
pub fn seal_context(hotel: HotelId, id: Uuid) -> [u8; 32] {
    let mut context = [0; 32];
    context[..16].copy_from_slice(hotel.as_bytes());
    context[16..].copy_from_slice(id.as_bytes());
    context
}

/// Number of the secret key that a value names; `None` when it is too short to be a sealed value.
pub fn key_number(sealed: &[u8]) -> Option<u32> {
    let (number, rest) = sealed.split_first_chunk::<KEY_ID_BYTES>()?;
    (rest.len() > NONCE_BYTES).then(|| u32::from_be_bytes(*number))
}

/// The secret keys, the one for new values first. Cheap to clone; clones share the same ring.
#[derive(Clone)]
pub struct SecretKeys(Arc<Shared>);

struct Shared {
    source: Source,
    unreadable: Unreadable,
}

enum Source {
    /// As it was given.
    Given(Arc<Ring>),
    /// As the file says.
    File { path: PathBuf, known: RwLock<Known> },
}

/// What was last read from the file.
struct Known {
    ring: Arc<Ring>,
    /// `None` once the file could not be read.
    stamp: Option<Stamp>,
    /// Fingerprints of all keys that the file held or the database knows: no number may come to mean another key.
    seen: BTreeMap<u32, Fingerprint>,
}

struct Ring {
    current: u32,
    keys: BTreeMap<u32, Key>,
}

struct Key {
    cipher: XChaCha20Poly1305,
    fingerprint: Fingerprint,
}

/// Values that did not open since the process began.
#[derive(Default)]
struct Unreadable {
    count: AtomicU64,
    told: Mutex<Option<Told>>,
}

/// The last line in the log about them.
#[derive(Clone, Copy)]
struct Told {
    at: Instant,
    count: u64,
}

impl Ring {
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("it holds no key".into());
        }
        let mut current = None;
        let mut keys: BTreeMap<u32, Key> = BTreeMap::new();
        for entry in text.trim().split(',') {
            let parts = entry.trim().split_once(':');
            let (number, key) = parts.ok_or("expected <number>:<base64 of 32 bytes>, separated by commas")?;
            let number: u32 = number.parse().map_err(|_| "what stands before a colon must be a number")?;
            let bytes = STANDARD.decode(key).map_err(|_| format!("key {number} must be base64"))?;
            let key = Key::new(&bytes)
                .ok_or_else(|| format!("key {number} has {} bytes and must have {KEY_BYTES}", bytes.len()))?;
            if let Some((other, _)) = keys.iter().find(|(_, known)| known.fingerprint == key.fingerprint)
                && *other != number
            {
                return Err(format!("keys {other} and {number} are the same"));
            }
            if keys.insert(number, key).is_some() {
                return Err(format!("two keys have the number {number}"));
            }
            current.get_or_insert(number);
        }
        Ok(Self { current: current.ok_or("it holds no key")?, keys })
    }

    fn fingerprints(&self) -> BTreeMap<u32, Fingerprint> {
        self.keys.iter().map(|(number, key)| (*number, key.fingerprint)).collect()
    }

    fn open_with(&self, number: u32, row: &[u8], sealed: &[u8]) -> Result<Secret, String> {
        let key = self.keys.get(&number).ok_or_else(|| format!("there is no secret key {number}"))?;
        let damaged = || format!("a value does not open with secret key {number}");
        let (nonce, text) = sealed[KEY_ID_BYTES..].split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let plain = key.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: row });
        String::from_utf8(plain.map_err(|_| damaged())?).map(Secret).map_err(|_| damaged())
    }
}

impl Key {
    /// `None` unless there are as many bytes as a key has.
    fn new(bytes: &[u8]) -> Option<Self> {
        let cipher = XChaCha20Poly1305::new_from_slice(bytes).ok()?;
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(bytes).expect("HMAC takes keys of any length");
        mac.update(b"fingerprint of a Latchkey secret key");
        Some(Self { cipher, fingerprint: mac.finalize().into_bytes().into() })
    }
}

impl SecretKeys {
    /// Reads `1:<base64 of 32 bytes>[,2:<...>]`, the key for new values first (`LATCHKEY_SECRET_KEY`).
    ///
    /// # Errors
    /// A sentence that says what is wrong, names the key by its number, and never repeats a key.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::of(Source::Given(Arc::new(Ring::parse(text)?))))
    }

    /// The ring of a file, now and whenever it changes.
    ///
    /// # Errors
    /// The file cannot be read, or holds no ring (`InvalidData`).
    pub fn of_file(path: PathBuf) -> std::io::Result<Self> {
        let known = Known::read(&path, &BTreeMap::new())?;
        Ok(Self::of(Source::File { path, known: RwLock::new(known) }))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Shared { source, unreadable: Unreadable::default() }))
    }

    /// A new ring of one key, in the form that [`SecretKeys::parse`] reads.
    pub fn generate(ids: &IdSource) -> String {
        entry(1, ids)
    }

    /// A new key with the next free id, as an entry for the front of the ring.
    pub fn generate_next(&self, ids: &IdSource) -> String {
        let newest = self.ring().keys.last_key_value().map_or(0, |(id, _)| *id);
        entry(newest.saturating_add(1), ids)
    }

    /// Id of the key that new values are sealed with.
    pub fn current(&self) -> u32 {
        self.ring().current
    }

    /// Ids of the other keys.
    pub fn older(&self) -> Vec<u32> {
        let ring = self.ring();
        ring.keys.keys().copied().filter(|id| *id != ring.current).collect()
    }

    /// Fingerprints of all keys, by their numbers.
    pub fn fingerprints(&self) -> BTreeMap<u32, Fingerprint> {
        self.ring().fingerprints()
    }

    /// Takes note of what the database knows its keys by. From then on, a file that has another key under one of these
    /// numbers is not followed.
    pub fn expect(&self, registered: &BTreeMap<u32, Fingerprint>) {
        if let Source::File { known, .. } = &self.0.source {
            let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
            known.seen.extend(registered);
        }
    }

    /// How many values did not open since the process began; each attempt counts.
    pub fn unreadable(&self) -> u64 {
        self.0.unreadable.count.load(Ordering::Relaxed)
    }

    /// Seals `plain` for the row that `row` names.
    pub fn seal(&self, ids: &IdSource, row: &[u8], plain: &str) -> Vec<u8> {
        let ring = self.ring();
        let mut nonce = [0_u8; NONCE_BYTES];
        ids.fill(&mut nonce);
        let sealed = ring.keys[&ring.current]
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain.as_bytes(), aad: row })
            .expect("what a request answers with is below the cipher's limit");
        [&ring.current.to_be_bytes()[..], &nonce, &sealed].concat()
    }

    /// Opens what [`SecretKeys::seal`] made for the same row.
    ///
    /// # Errors
    /// `SECRET_UNREADABLE` when the secret key is missing or the value is damaged. It is counted and, at intervals, logged.
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Secret> {
        self.try_open(row, sealed).map_err(|reason| self.0.unreadable.note(reason))
    }

    fn try_open(&self, row: &[u8], sealed: &[u8]) -> Result<Secret, String> {
        let number = key_number(sealed).ok_or("a value is too short to be a sealed one")?;
        let mut ring = self.known();
        if !ring.keys.contains_key(&number) {
            // Perhaps another process has put it into the file since.
            ring = self.ring();
        }
        ring.open_with(number, row, sealed)
    }

    /// Opens a value with the key that it names or, when that does not open it, with any other key of the ring: a server may
    /// have sealed it with that other key while it had the wrong number. `None` when none does.
    pub fn open_with_any(&self, row: &[u8], sealed: &[u8]) -> Option<Secret> {
        let named = key_number(sealed)?;
        let ring = self.ring();
        let others = ring.keys.keys().copied().filter(|number| *number != named);
        std::iter::once(named).chain(others).find_map(|number| ring.open_with(number, row, sealed).ok())
    }

    /// Whether a value opens with the key that it names.
    pub fn opens(&self, row: &[u8], sealed: &[u8]) -> bool {
        self.try_open(row, sealed).is_ok()
    }

    /// The ring as it is known.
    fn known(&self) -> Arc<Ring> {
        match &self.0.source {
            Source::Given(ring) => Arc::clone(ring),
            Source::File { known, .. } => Arc::clone(&known.read().unwrap_or_else(PoisonError::into_inner).ring),
        }
    }

    /// The ring as it is at this moment. A file is asked whether it has changed, which takes a microsecond; one that
    /// cannot be read changes nothing.
    fn ring(&self) -> Arc<Ring> {
        if let Source::File { path, known } = &self.0.source {
            let stamp = Stamp::of(path).ok();
            if known.read().unwrap_or_else(PoisonError::into_inner).stamp != stamp {
                let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                match Known::read(path, &known.seen) {
                    Ok(read) => *known = read,
                    Err(error) => {
                        tracing::error!(cause = %error, "the secret keys cannot be read anew; those that are known stay");
                        known.stamp = stamp;
                    }
                }
            }
        }
        self.known()
    }
}

impl Known {
    /// Reads the file, and refuses it when a number that was seen before stands for another key.
    fn read(path: &Path, seen: &BTreeMap<u32, Fingerprint>) -> std::io::Result<Self> {
        let wrong = |reason| std::io::Error::new(ErrorKind::InvalidData, reason);
        // Before the text: a change in between is then seen as one.
        let stamp = Stamp::of(path)?;
        let ring = Ring::parse(&fs::read_to_string(path)?).map_err(wrong)?;
        let mut seen = seen.clone();
        for (number, fingerprint) in ring.fingerprints() {
            if *seen.entry(number).or_insert(fingerprint) != fingerprint {
                return Err(wrong(format!("key {number} is not the one that had this number before")));
            }
        }
        Ok(Self { ring: Arc::new(ring), stamp: Some(stamp), seen })
    }
}

impl Unreadable {
    /// Counts one, and says so in the log unless that was done a moment ago.
    fn note(&self, reason: String) -> Error {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.at.elapsed() >= TOLD_EVERY) {
            let since_last_line = count - told.map_or(0, |told| told.count);
            tracing::error!(
                cause = reason,
                count,
                since_last_line,
                "sealed values do not open: see `latchkey rotate-secrets --check`"
            );
            *told = Some(Told { at: Instant::now(), count });
        }
        Error { source: Some(reason.into()), ..Error::of(ErrorCode::SecretUnreadable) }
    }
}

/// `<id>:<base64 of a new key>`
fn entry(id: u32, ids: &IdSource) -> String {
    let mut key = [0_u8; 32];
    ids.fill(&mut key);
    format!("{id}:{}", STANDARD.encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> (IdSource, String) {
        let ids = IdSource::operating_system();
        let text = SecretKeys::generate(&ids);
        (ids, text)
    }

    #[test]
    fn a_sealed_value_opens_for_its_own_row_only() {
        let (ids, text) = ring();
        let keys = SecretKeys::parse(&text).expect("a generated ring parses");
        let sealed = keys.seal(&ids, b"row 1", "0042");
        assert!(keys.open(b"row 1", &sealed).is_ok_and(|secret| secret.expose() == "0042"));
        assert!(keys.open(b"row 2", &sealed).is_err());
        assert!(!sealed.windows(4).any(|window| window == b"0042"));
    }

    #[test]
    fn a_rotated_ring_opens_old_values_and_seals_with_its_first_key() {
        let (ids, old) = ring();
        let sealed = SecretKeys::parse(&old).expect("parses").seal(&ids, b"row", "1234");
        let new = SecretKeys::generate(&ids).replacen("1:", "2:", 1);
        let both = SecretKeys::parse(&format!("{new},{old}")).expect("parses");
        assert!(both.open(b"row", &sealed).is_ok());
        assert_eq!(both.seal(&ids, b"row", "1234")[..4], 2_u32.to_be_bytes());
        assert!(SecretKeys::parse(&new).expect("parses").open(b"row", &sealed).is_err());
    }

    #[test]
    fn a_bad_ring_is_refused_without_repeating_it() {
        let key = STANDARD.encode([7; KEY_BYTES]);
        let long = STANDARD.encode([7; KEY_BYTES + 1]);
        for (bad, reason) in [
            ("", "no key"),
            (" \n", "no key"),
            ("x", "expected <number>"),
            (&format!("1:{key},"), "expected <number>"),
            ("1:", "key 1 has 0 bytes"),
            ("1:AAAA", "key 1 has 3 bytes"),
            (&format!("1:{long}"), "key 1 has 33 bytes"),
            (&format!("1:{}", &key[..20]), "key 1 has 15 bytes"),
            (&format!("1:{}", &key[..21]), "key 1 must be base64"),
            ("a:AAAA", "must be a number"),
            ("4294967296:AAAA", "must be a number"),
            ("3:!!!", "key 3 must be base64"),
            (&format!("2:{key},2:{}", STANDARD.encode([8; KEY_BYTES])), "two keys have the number 2"),
            (&format!("2:{key},3:{key}"), "keys 2 and 3 are the same"),
        ] {
            let told = SecretKeys::parse(bad).err().unwrap_or_else(|| panic!("{bad} is accepted"));
            assert!(told.contains(reason) && !told.contains("AAA") && !told.contains(&key[..10]), "{bad}: {told}");
        }
    }

    #[test]
    fn a_value_under_the_wrong_number_opens_with_the_key_that_sealed_it_when_all_are_tried() {
        let (ids, right) = ring();
        let wrong = SecretKeys::generate(&ids);
        let sealed = SecretKeys::parse(&wrong).expect("parses").seal(&ids, b"row", "1234");
        let both = SecretKeys::parse(&format!("{right},{}", wrong.replacen("1:", "2:", 1))).expect("parses");
        assert!(!both.opens(b"row", &sealed));
        assert!(both.open_with_any(b"row", &sealed).is_some_and(|secret| secret.expose() == "1234"));
        assert!(both.open_with_any(b"other row", &sealed).is_none());
    }

    #[test]
    fn values_that_do_not_open_are_counted() {
        let (ids, text) = ring();
        let keys = SecretKeys::parse(&text).expect("parses");
        let sealed = keys.seal(&ids, b"row", "1234");
        assert_eq!(keys.unreadable(), 0);
        for bad in [&sealed[..20], &[], &[&[0, 0, 0, 9], &sealed[4..]].concat(), &sealed[..sealed.len() - 1]] {
            let error = keys.open(b"row", bad).err().expect("it does not open");
            assert_eq!(error.code, ErrorCode::SecretUnreadable);
        }
        assert_eq!(keys.clone().unreadable(), 4);
    }
}
