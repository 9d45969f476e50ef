//! The text of an API key: made once, shown once, kept only as a hash.

use sha2::{Digest, Sha256};

use crate::actor::Mode;
use crate::id::IdSource;

/// What a key of a mode begins with.
const fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "pms_live_",
        Mode::Test => "pms_test_",
    }
}

/// An API key in plain text. No `Debug`, no `Display`: it is shown once, on purpose.
pub struct ApiKey(String);

/// A live and a test key, made together.
pub struct ApiKeyPair {
    /// `pms_live_...`
    pub live: ApiKey,
    /// `pms_test_...`
    pub test: ApiKey,
}

impl ApiKeyPair {
    /// Makes a new pair.
    pub fn generate(ids: &IdSource) -> Self {
        Self { live: ApiKey::generate(ids, Mode::Live), test: ApiKey::generate(ids, Mode::Test) }
    }
}

impl ApiKey {
    fn generate(ids: &IdSource, mode: Mode) -> Self {
        let mut random = [0_u8; 16];
        ids.fill(&mut random);
        Self(format!("{}{:032x}", prefix(mode), u128::from_be_bytes(random)))
    }

    /// The text itself, for showing it the one time.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored: SHA-256 of the text.
    pub fn hash(&self) -> [u8; 32] {
        Self::hash_of(&self.0)
    }

    /// SHA-256 of any text that claims to be a key. Seam's SDKs take no key that does not begin with `seam_`: written with it in the
    /// place of `pms_` it is the same key.
    pub fn hash_of(text: &str) -> [u8; 32] {
        let hash = match text.strip_prefix("seam_") {
            Some(rest) => Sha256::new_with_prefix("pms_").chain_update(rest),
            None => Sha256::new_with_prefix(text),
        };
        hash.finalize().into()
    }

    /// What people see afterwards: prefix and last four digits.
    pub fn preview(&self) -> String {
        let (prefix, digits) = self.0.split_at("pms_live_".len());
        format!("{prefix}****{}", &digits[digits.len() - 4..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e02_a_key_is_its_prefix_and_32_hex_digits() {
        let pair = ApiKeyPair::generate(&IdSource::operating_system());
        for (key, prefix) in [(&pair.live, "pms_live_"), (&pair.test, "pms_test_")] {
            let digits = key.expose().strip_prefix(prefix).expect("its prefix");
            assert_eq!(digits.len(), 32);
            assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        }
    }

    #[test]
    fn a_key_that_is_written_for_seam_is_the_same_key() {
        let key = ApiKeyPair::generate(&IdSource::operating_system()).test;
        let for_seam = key.expose().replace("pms_", "seam_");
        assert_eq!(ApiKey::hash_of(&for_seam), key.hash());
        assert_ne!(ApiKey::hash_of(&for_seam.replace("seam_", "seam_seam_")), key.hash());
    }

    #[test]
    fn e09_a_preview_shows_four_digits() {
        let key = ApiKeyPair::generate(&IdSource::operating_system()).live;
        let preview = key.preview();
        assert_eq!(preview.len(), "pms_live_****0000".len());
        assert!(key.expose().ends_with(&preview[preview.len() - 4..]));
    }
}
