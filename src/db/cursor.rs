//! Cursors: where a page of a list ended, for the clients that read on.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Message, Result};
use crate::hotels::HotelId;

/// A cursor scope: the list that a cursor belongs to, which is a connection of a hotel with a filter.
///
/// A cursor is the hash of its scope and the sort key of a record, in base64. The hash is the first eight bytes of SHA-256 of
/// `[hotel, connection, filter]` as JSON: the names under which filters are serialized are part of every cursor, and so is the
/// order of their conditions ([ADR 17](../../docs/adr/0017-a-fast-path-behind-one-door.md)).
#[derive(Clone, Copy)]
pub struct CursorScope<'a> {
    hash: [u8; 8],
    hotel: HotelId,
    connection: &'static str,
    filter: &'a (dyn Debug + Sync),
}

impl<'a> CursorScope<'a> {
    /// The scope of everything that decides which records are in a list, and in which order.
    pub fn new(hotel: HotelId, connection: &'static str, filter: &'a (impl Serialize + Debug + Sync)) -> Self {
        let encoded = serde_json::to_vec(&(hotel, connection, filter)).expect("a filter is JSON");
        Self { hash: hash(&encoded), hotel, connection, filter }
    }

    /// The hash in cursors from before there was that encoding, which clients may have kept: of the filter as Rust prints it.
    fn hash_before(self) -> [u8; 8] {
        let Self { hotel, connection, filter, .. } = self;
        hash(format!("{hotel}\n{connection}\n{filter:?}").as_bytes())
    }

    /// The cursor of the record with that sort key.
    pub fn cursor<K: CursorKey>(self, key: &K) -> String {
        URL_SAFE_NO_PAD.encode([&self.hash[..], &key.to_bytes()].concat())
    }

    /// The sort key in a cursor.
    ///
    /// # Errors
    /// `INVALID_CURSOR` for the cursor of another list.
    pub fn key<K: CursorKey>(self, cursor: &str) -> Result<K> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let (hash, key) = bytes.as_deref().and_then(<[u8]>::split_first_chunk).unzip();
        let is_ours = hash.is_some_and(|hash| *hash == self.hash || *hash == self.hash_before());
        key.filter(|_| is_ours).and_then(K::from_bytes).ok_or_else(|| Error::new(Message::CursorForeign))
    }
}

fn hash(encoded: &[u8]) -> [u8; 8] {
    *Sha256::digest(encoded).first_chunk().expect("a digest is longer than eight bytes")
}

/// A sort key that can be told in a cursor.
pub trait CursorKey: Copy {
    /// The key in bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// The other way round; `None` for bytes that are no key.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl CursorKey for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl CursorKey for Uuid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

impl CursorKey for (NaiveDate, Uuid) {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.0.num_days_from_ce().to_be_bytes()[..], self.1.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (days, id) = bytes.split_first_chunk()?;
        let date = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*days))?;
        // No stay departs later, and PostgreSQL has fewer dates than chrono.
        (0..=9999).contains(&date.year()).then_some((date, Uuid::from_slice(id).ok()?))
    }
}
