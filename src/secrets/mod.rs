//! Sealed at rest: XChaCha20-Poly1305 under a named secret key.
//!
//! A sealed value is `key id (4 bytes, big endian) | nonce (24) | ciphertext and tag`. The key id lets secret keys rotate:
//! new values are sealed with the first key of the ring, old ones are opened with the one they name. The associated data
//! binds a value to its row, so a ciphertext copied to another row does not open.
//!
//! A ring in a file ([`key_file`]) is followed: a process that runs seals with the key that was put first a moment ago,
//! and opens what another process sealed with it.

pub mod key_file;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::id::IdSource;
use key_file::Stamp;

/// Bytes of a sealed value that name its key.
pub const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;

/// A value that must not reach a log: no `Debug`, no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a plain text into custody.
    pub fn new(plain: String) -> Self {
        Self(plain)
    }

    /// The plain text, for whoever is entitled to it.
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

/// The secret keys, the one for new values first. Cheap to clone; clones share the same ring.
#[derive(Clone)]
pub struct SecretKeys(Arc<Shared>);

struct Shared {
    source: Source,
    /// Values that did not open.
    unreadable: AtomicU64,
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
}

struct Ring {
    current: u32,
    ciphers: BTreeMap<u32, XChaCha20Poly1305>,
}

impl Ring {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut current = None;
        let mut ciphers = BTreeMap::new();
        for entry in text.trim().split(',') {
            let (id, key) = entry.trim().split_once(':').ok_or("expected <number>:<base64>, separated by commas")?;
            let id: u32 = id.parse().map_err(|_| "the id before the colon must be a number")?;
            let key = STANDARD.decode(key).map_err(|_| "the key after the colon must be base64")?;
            let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| "a key must have exactly 32 bytes")?;
            if ciphers.insert(id, cipher).is_some() {
                return Err("two keys have the same id");
            }
            current.get_or_insert(id);
        }
        let current = current.ok_or("at least one key is needed")?;
        Ok(Self { current, ciphers })
    }
}

impl SecretKeys {
    /// Reads `1:<base64 of 32 bytes>[,2:<...>]`, the key for new values first (`LATCHKEY_SECRET_KEY`).
    ///
    /// # Errors
    /// A sentence that says what is wrong and never repeats the value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(Self::of(Source::Given(Arc::new(Ring::parse(text)?))))
    }

    /// The ring of a file, now and whenever it changes.
    ///
    /// # Errors
    /// The file cannot be read, or holds no ring (`InvalidData`).
    pub fn of_file(path: PathBuf) -> std::io::Result<Self> {
        let known = Known::read(&path)?;
        Ok(Self::of(Source::File { path, known: RwLock::new(known) }))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Shared { source, unreadable: AtomicU64::new(0) }))
    }

    /// How many values did not open since the process began; each attempt counts.
    pub fn unreadable(&self) -> u64 {
        self.0.unreadable.load(Ordering::Relaxed)
    }

    /// A new ring of one key, in the form that [`SecretKeys::parse`] reads.
    pub fn generate(ids: &IdSource) -> String {
        entry(1, ids)
    }

    /// A new key with the next free id, as an entry for the front of the ring.
    pub fn generate_next(&self, ids: &IdSource) -> String {
        let newest = self.ring().ciphers.last_key_value().map_or(0, |(id, _)| *id);
        entry(newest.saturating_add(1), ids)
    }

    /// Id of the key that new values are sealed with.
    pub fn current(&self) -> u32 {
        self.ring().current
    }

    /// Ids of the other keys.
    pub fn older(&self) -> Vec<u32> {
        let ring = self.ring();
        ring.ciphers.keys().copied().filter(|id| *id != ring.current).collect()
    }

    /// Seals `plain` for the row that `row` names.
    pub fn seal(&self, ids: &IdSource, row: &[u8], plain: &str) -> Vec<u8> {
        let ring = self.ring();
        let mut nonce = [0_u8; NONCE_BYTES];
        ids.fill(&mut nonce);
        let sealed = ring.ciphers[&ring.current]
            .encrypt(&XNonce::from(nonce), Payload { msg: plain.as_bytes(), aad: row })
            .expect("what a request answers with is below the cipher's limit");
        [&ring.current.to_be_bytes()[..], &nonce, &sealed].concat()
    }

    /// Opens what [`SecretKeys::seal`] made for the same row.
    ///
    /// # Errors
    /// `INTERNAL` when the secret key is missing or the value is damaged.
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Secret> {
        self.try_open(row, sealed).inspect_err(|_| {
            self.0.unreadable.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn try_open(&self, row: &[u8], sealed: &[u8]) -> Result<Secret> {
        let (id, rest) =
            sealed.split_first_chunk::<KEY_ID_BYTES>().ok_or_else(|| Error::internal("sealed value too short"))?;
        let (nonce, text) =
            rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| Error::internal("sealed value too short"))?;
        let id = u32::from_be_bytes(*id);
        let mut ring = self.known();
        if !ring.ciphers.contains_key(&id) {
            // Perhaps another process has put it into the file since.
            ring = self.ring();
        }
        let cipher = ring.ciphers.get(&id).ok_or_else(|| Error::internal(format!("no secret key with id {id}")))?;
        let plain = cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: row })
            .map_err(|_| Error::internal("a sealed value does not open"))?;
        String::from_utf8(plain).map(Secret).map_err(Error::internal)
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
                match Known::read(path) {
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
    fn read(path: &Path) -> std::io::Result<Self> {
        // Before the text: a change in between is then seen as one.
        let stamp = Stamp::of(path)?;
        let ring = Ring::parse(&fs::read_to_string(path)?)
            .map_err(|reason| std::io::Error::new(ErrorKind::InvalidData, reason))?;
        Ok(Self { ring: Arc::new(ring), stamp: Some(stamp) })
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
        for bad in ["", "x", "1:", "1:AAAA", "a:AAAA", "1:!!!"] {
            assert!(SecretKeys::parse(bad).is_err(), "{bad}");
        }
    }
}
