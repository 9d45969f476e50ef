//! Requests that can be sent again safely: the header `Idempotency-Key`.
//!
//! The answer is written in the transaction of what it answers for, so it exists exactly when its effect does, whatever
//! dies in between. A client that sends the same request with the same key gets that answer, byte for byte.
//!
//! - The key belongs to a principal, such as an API key, and is held by an advisory lock while its request runs; the lock
//!   dies with its connection. A second request meanwhile is `IDEMPOTENCY_KEY_IN_USE`.
//! - Another request with the same key is `IDEMPOTENCY_KEY_REUSED`. JSON that differs in spaces or in the order of its
//!   names alone is the same request.
//! - What changed nothing is not kept: refusals, errors, test keys.
//! - Answers are kept for 48 hours, sealed together with the hash of their request.

mod store;

use std::time::Duration;

use chrono::TimeDelta;
use http::HeaderMap;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::actor::{Mode, PrincipalKey};
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::{Error, ErrorCode, Message, Result};
use crate::hotels::HotelId;
use crate::periodic;
use crate::telemetry::error_of_retry;
use crate::unit::Tx;

/// How long an answer is kept.
pub const RETENTION: TimeDelta = TimeDelta::hours(48);
/// Longest key, in characters.
pub const KEY_MAX: usize = 255;
/// Name of the header.
const HEADER: &str = "idempotency-key";
/// How often expired answers are deleted.
const EVERY: Duration = Duration::from_hours(1);
/// Most answers that are deleted at once.
const BATCH: i64 = 1000;
/// Hexadecimal digits of a request's hash.
const HASH_DIGITS: usize = 64;
/// Digits of an answer's status.
const STATUS_DIGITS: usize = 3;

/// A request that is to have its effect once.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: String,
    /// SHA-256 of the request, in hexadecimal digits.
    hash: String,
}

/// The answer to a request that had its effect.
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

/// What is known of a request with a key.
pub enum Claim {
    /// Nothing: it is to be run.
    New,
    /// It was run.
    Answered(KeptAnswer),
}

/// The key that a request bears.
///
/// # Errors
/// `INVALID_ARGUMENT` for several keys, and for one that does not have 1 to 255 visible ASCII characters or spaces.
pub fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let visible = |key: &&str| key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let key = value.to_str().ok().filter(visible).filter(|key| (1..=KEY_MAX).contains(&key.len()));
    let key = key.filter(|_| values.next().is_none());
    let key = key.ok_or_else(|| Error::new(Message::IdempotencyKeyInvalid { most: KEY_MAX }))?;
    Ok(Some(key.to_owned()))
}

impl Idempotency {
    /// The request for `route` with `body`, under `key`.
    pub fn new(key: String, route: &str, body: &[u8]) -> Self {
        let canonical = serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string().into_bytes());
        let mut hash = Sha256::new();
        hash.update(route.as_bytes());
        hash.update([0]);
        hash.update(canonical.as_deref().unwrap_or(body));
        Self { key, hash: hex(&hash.finalize()) }
    }

    /// Number of the advisory lock.
    fn lock_id(&self, owner: PrincipalKey) -> i64 {
        let mut hash = Sha256::new();
        hash.update(owner.id);
        hash.update(self.key.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let (first, _) = hash.split_first_chunk().expect("32 bytes");
        i64::from_be_bytes(*first)
    }

    fn row(&self, tx: &Tx, owner: PrincipalKey) -> Vec<u8> {
        seal_context(tx.actor.hotel.id, owner.id, &self.key)
    }
}

/// What a sealed answer is bound to.
pub(crate) fn seal_context(hotel: HotelId, principal: Uuid, key: &str) -> Vec<u8> {
    [b"idempotent answer", &hotel.as_bytes()[..], principal.as_bytes(), key.as_bytes()].concat()
}

/// Whose answer is kept; `None` where none is: for test keys, and for those who send no requests.
fn owner(tx: &Tx) -> Option<PrincipalKey> {
    tx.actor.principal.key().filter(|_| tx.actor.mode == Mode::Live)
}

/// Holds the key until the transaction ends, and tells whether its request was run before. Must be called before
/// anything else happens in the transaction. When a request is run `again`, it waits for its own former attempt to end.
///
/// # Errors
/// `IDEMPOTENCY_KEY_IN_USE`, `IDEMPOTENCY_KEY_REUSED`
pub async fn claim_in(tx: &mut Tx, request: &Idempotency, again: bool) -> Result<Claim> {
    let Some(owner) = owner(tx) else { return Ok(Claim::New) };
    let lock = request.lock_id(owner);
    if again {
        store::wait_for(tx.conn().await?, lock).await?;
    } else if !store::try_lock(tx.conn().await?, lock).await? {
        return Err(Error::of(ErrorCode::IdempotencyKeyInUse));
    }
    let (hotel, since) = (tx.actor.hotel.id, tx.now - RETENTION);
    let Some(sealed) = store::find(tx.conn().await?, hotel, owner, &request.key, since).await? else {
        return Ok(Claim::New);
    };
    let opened = tx
        .context
        .secret_keys
        .open(&request.row(tx, owner), &sealed)
        // The request is not run again: it has had its effect.
        .map_err(|error| Error { message: Box::new(Message::KeptAnswerUnreadable), ..error })?;
    let (hash, rest) = split(opened.expose(), HASH_DIGITS)?;
    if hash != request.hash {
        return Err(Error::of(ErrorCode::IdempotencyKeyReused));
    }
    let (status, body) = split(rest, STATUS_DIGITS)?;
    Ok(Claim::Answered(KeptAnswer { status: status.parse().map_err(Error::internal)?, body: body.to_owned() }))
}

/// Keeps the answer of a request that was claimed, if the transaction commits.
pub async fn keep_in(tx: &mut Tx, request: &Idempotency, answer: &KeptAnswer) -> Result<()> {
    let Some(owner) = owner(tx) else { return Ok(()) };
    let plain = format!("{}{:03}{}", request.hash, answer.status, answer.body);
    let sealed = tx.context.secret_keys.seal(&tx.context.ids, &request.row(tx, owner), &plain);
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    Ok(store::write(tx.conn().await?, hotel, owner, &request.key, &sealed, now).await?)
}

/// Deletes the answers that are past their time, and tells how many there were. Safe to run from several processes.
pub async fn clean_up(context: &Context) -> Result<u64> {
    let until = context.clock.now() - RETENTION;
    let mut all = 0;
    loop {
        let mut conn = context.worker_pool.acquire().await?;
        let deleting = store::delete_expired(&mut conn, until, BATCH);
        let deleted = answered_within(WORKER_PATIENCE, deleting).await?;
        all += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(all);
        }
    }
}

/// Cleans up every hour, until `shutdown` ends.
pub async fn run_clean_up(context: Context, shutdown: impl Future<Output = ()>) {
    let clean_up = || async {
        if let Err(error) = clean_up(&context).await {
            error_of_retry(&error, "kept answers were not cleaned up");
        }
    };
    periodic::repeat(EVERY, shutdown, clean_up).await;
}

fn split(text: &str, at: usize) -> Result<(&str, &str)> {
    text.split_at_checked(at).ok_or_else(|| Error::internal("a kept answer is too short"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn hash(route: &str, body: &str) -> String {
        Idempotency::new("k".into(), route, body.as_bytes()).hash
    }

    #[test]
    fn spaces_and_the_order_of_names_make_no_other_request() {
        let one = hash("/a", r#"{"a": 1, "b": [1, 2]}"#);
        assert_eq!(one.len(), HASH_DIGITS);
        assert_eq!(one, hash("/a", r#"{"b":[1,2],"a":1}"#));
        assert_ne!(one, hash("/a", r#"{"b":[2,1],"a":1}"#));
        assert_ne!(one, hash("/b", r#"{"a": 1, "b": [1, 2]}"#));
    }

    #[test]
    fn f18_a_key_has_1_to_255_characters() {
        let key = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
            }
            key_of(&headers)
        };
        assert!(matches!(key(&[]), Ok(None)));
        for good in ["x", "checkin_RES001_20260218", &"x".repeat(255)] {
            assert!(matches!(key(&[good]), Ok(Some(key)) if key == good));
        }
        for bad in [&[""][..], &[&"x".repeat(256)], &["é"], &["a", "b"]] {
            assert!(matches!(key(bad), Err(error) if error.code == ErrorCode::InvalidArgument), "{bad:?}");
        }
    }
}
