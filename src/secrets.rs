//! PINs and QR data at rest: XChaCha20-Poly1305 under a named master key.
//!
//! A sealed value is `key id (4 bytes, big endian) | nonce (24) | ciphertext and tag`. The key id lets master keys rotate:
//! new values are sealed with the first key of the ring, old ones are opened with the one they name. The associated data
//! binds a value to its row, so a ciphertext copied to another row does not open.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::id::IdSource;

const KEY_ID_BYTES: usize = 4;
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

/// The master keys, the one for new values first.
#[derive(Clone)]
pub struct MasterKeys(Arc<Ring>);

struct Ring {
    current: u32,
    ciphers: BTreeMap<u32, XChaCha20Poly1305>,
}

impl MasterKeys {
    /// Reads `1:<base64 of 32 bytes>[,2:<...>]`, the key for new values first (`LATCHKEY_MASTER_KEYS`).
    ///
    /// # Errors
    /// A sentence that says what is wrong and never repeats the value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
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
        Ok(Self(Arc::new(Ring { current, ciphers })))
    }

    /// A new ring of one key, in the form that [`MasterKeys::parse`] reads.
    pub fn generate(ids: &IdSource) -> String {
        let mut key = [0_u8; 32];
        ids.fill(&mut key);
        format!("1:{}", STANDARD.encode(key))
    }

    /// Seals `plain` for the row that `row` names.
    pub fn seal(&self, ids: &IdSource, row: &[u8], plain: &str) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_BYTES];
        ids.fill(&mut nonce);
        let cipher = &self.0.ciphers[&self.0.current];
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain.as_bytes(), aad: row })
            .expect("a few hundred bytes are below the cipher's limit");
        [&self.0.current.to_be_bytes()[..], &nonce, &sealed].concat()
    }

    /// Opens what [`MasterKeys::seal`] made for the same row.
    ///
    /// # Errors
    /// `INTERNAL` when the master key is missing or the value is damaged.
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Secret> {
        let (id, rest) =
            sealed.split_first_chunk::<KEY_ID_BYTES>().ok_or_else(|| Error::internal("sealed value too short"))?;
        let (nonce, text) =
            rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| Error::internal("sealed value too short"))?;
        let id = u32::from_be_bytes(*id);
        let cipher = self.0.ciphers.get(&id).ok_or_else(|| Error::internal(format!("no master key with id {id}")))?;
        let plain = cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: row })
            .map_err(|_| Error::internal("a sealed value does not open"))?;
        String::from_utf8(plain).map(Secret).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> (IdSource, String) {
        let ids = IdSource::operating_system();
        let text = MasterKeys::generate(&ids);
        (ids, text)
    }

    #[test]
    fn a_sealed_value_opens_for_its_own_row_only() {
        let (ids, text) = ring();
        let keys = MasterKeys::parse(&text).expect("a generated ring parses");
        let sealed = keys.seal(&ids, b"row 1", "0042");
        assert!(keys.open(b"row 1", &sealed).is_ok_and(|secret| secret.expose() == "0042"));
        assert!(keys.open(b"row 2", &sealed).is_err());
        assert!(!sealed.windows(4).any(|window| window == b"0042"));
    }

    #[test]
    fn a_rotated_ring_opens_old_values_and_seals_with_its_first_key() {
        let (ids, old) = ring();
        let sealed = MasterKeys::parse(&old).expect("parses").seal(&ids, b"row", "1234");
        let new = MasterKeys::generate(&ids).replacen("1:", "2:", 1);
        let both = MasterKeys::parse(&format!("{new},{old}")).expect("parses");
        assert!(both.open(b"row", &sealed).is_ok());
        assert_eq!(both.seal(&ids, b"row", "1234")[..4], 2_u32.to_be_bytes());
        assert!(MasterKeys::parse(&new).expect("parses").open(b"row", &sealed).is_err());
    }

    #[test]
    fn a_bad_ring_is_refused_without_repeating_it() {
        for bad in ["", "x", "1:", "1:AAAA", "a:AAAA", "1:!!!"] {
            assert!(MasterKeys::parse(bad).is_err(), "{bad}");
        }
    }
}
