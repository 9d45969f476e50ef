//! Derived ids, codes and choices: they depend on nothing but the booking that they are for, so that every run makes the same ones.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::hotels::HotelId;

/// Digits that cannot be mistaken for one another when they are read aloud (Crockford's base 32).
const CODE_DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LENGTH: usize = 8;

/// SHA-256 of a hotel and a name within it.
pub struct Derived([u8; 32]);

impl Derived {
    /// Derives from `parts`; where one part ends and the next begins matters.
    pub fn of(hotel: HotelId, parts: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(hotel.as_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// As an id: a UUID v8, which is the version for "derived in a way of one's own".
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[..16]);
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// As a code for people: eight digits and letters.
    pub fn code(&self) -> String {
        self.0[..CODE_LENGTH].iter().map(|byte| char::from(CODE_DIGITS[usize::from(byte % 32)])).collect()
    }

    /// A number below `bound`. Different `slot`s (0 to 15) give independent numbers.
    pub fn pick(&self, slot: usize, bound: u16) -> u16 {
        u16::from_be_bytes([self.0[2 * slot], self.0[2 * slot + 1]]) % bound
    }

    /// One of `choices`, which must not be empty.
    pub fn choose<T: Copy>(&self, slot: usize, choices: &[T]) -> T {
        let bound = u16::try_from(choices.len()).expect("a short table");
        choices[usize::from(self.pick(slot, bound))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_8_and_depend_on_hotel_and_parts() {
        let id = Derived::of(Uuid::nil(), &["a", "bc"]).uuid();
        assert_eq!(id.get_version_num(), 8);
        assert_eq!(id, Derived::of(Uuid::nil(), &["a", "bc"]).uuid());
        assert_ne!(id, Derived::of(Uuid::nil(), &["ab", "c"]).uuid());
        assert_ne!(id, Derived::of(Uuid::max(), &["a", "bc"]).uuid());
    }

    #[test]
    fn codes_have_eight_unmistakable_characters() {
        let code = Derived::of(Uuid::nil(), &["a"]).code();
        assert_eq!(code.len(), CODE_LENGTH);
        assert!(code.bytes().all(|byte| CODE_DIGITS.contains(&byte)));
    }
}
