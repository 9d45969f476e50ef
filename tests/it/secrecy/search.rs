//! Looks for secrets in bytes, in every form in which they could lie there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use latchkey::id::hex;

/// What to look for, and what each of it is called.
#[derive(Default)]
pub struct Search {
    needles: Vec<(Vec<u8>, String)>,
    /// Numbers of the needles that begin with two given bytes.
    by_start: Vec<Vec<usize>>,
}

impl Search {
    /// Adds a secret: as text, and as the bytes that the text stands for where it is hexadecimal or base64. Prefixes such as
    /// `pms_live_` do not count: what follows is the secret.
    pub fn add(&mut self, name: &str, secret: &str) {
        let core = secret.rsplit_once('_').map_or(secret, |(_, core)| core);
        assert!(core.len() >= 10, "{name} is too short to be told from chance");
        self.add_forms(name, core.as_bytes());
        if let Some(bytes) = unhex(core) {
            self.add_forms(&format!("{name}, its bytes"), &bytes);
        } else if let Some(bytes) = STANDARD.decode(core).ok().filter(|bytes| bytes.len() >= 16) {
            self.add_forms(&format!("{name}, its bytes"), &bytes);
        }
    }

    fn add_forms(&mut self, name: &str, bytes: &[u8]) {
        let lower = hex(bytes);
        self.add_bytes(bytes.to_vec(), name.to_owned());
        self.add_bytes(lower.to_uppercase().into_bytes(), format!("{name}, in HEX"));
        self.add_bytes(lower.into_bytes(), format!("{name}, in hex"));
        for offset in 0..3 {
            // Only the digits that depend on nothing but the secret, wherever it begins within three bytes.
            let shifted = [&[0; 2][..offset], bytes].concat();
            let digits = (offset * 8).div_ceil(6)..shifted.len() * 8 / 6;
            for (kind, text) in [("base64", STANDARD.encode(&shifted)), ("base64url", URL_SAFE_NO_PAD.encode(&shifted))]
            {
                self.add_bytes(text[digits.clone()].into(), format!("{name}, in {kind} from {offset}"));
            }
        }
    }

    fn add_bytes(&mut self, needle: Vec<u8>, name: String) {
        self.by_start.resize_with(1 << 16, Vec::new);
        self.by_start[start(&needle)].push(self.needles.len());
        self.needles.push((needle, name));
    }

    /// Names of everything that is in `bytes`, each once.
    pub fn find(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = vec![false; self.needles.len()];
        for (at, pair) in bytes.windows(2).enumerate() {
            for number in &self.by_start[start(pair)] {
                found[*number] |= bytes[at..].starts_with(&self.needles[*number].0);
            }
        }
        self.needles.iter().zip(found).filter(|(_, found)| *found).map(|((_, name), _)| name.as_str()).collect()
    }
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() < 32 || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[test]
fn every_form_is_found_wherever_it_lies() {
    const API_KEY: &str = "pms_live_0123456789abcdef0123456789abcdef";
    const PIN: &str = "Q7K2M9X4R8";
    let mut search = Search::default();
    search.add("key", API_KEY);
    search.add("PIN", PIN);
    let raw = unhex("0123456789abcdef0123456789abcdef").expect("hex");
    for (hidden, name) in [
        (format!("x{API_KEY}y").into_bytes(), "key"),
        (format!(r"\x00{}00", hex(API_KEY.as_bytes())).into_bytes(), "key, in hex"),
        ([b"xyz", &raw[..], b"xyz"].concat(), "key, its bytes"),
        (STANDARD.encode(&raw).into_bytes(), "key, its bytes, in base64 from 0"),
        (PIN.as_bytes().to_vec(), "PIN"),
        (format!("0x{}", hex(PIN.as_bytes()).to_uppercase()).into_bytes(), "PIN, in HEX"),
        (STANDARD.encode(format!("{{\"pin\":\"{PIN}\"}}")).into_bytes(), "PIN, in base64 from 2"),
        (URL_SAFE_NO_PAD.encode(format!("{{\"a\":\"{PIN}\"}}")).into_bytes(), "PIN, in base64url from 0"),
        (STANDARD.encode(format!("12345{PIN}\"")).into_bytes(), "PIN, in base64 from 2"),
        (STANDARD.encode(format!("1234{PIN}\"")).into_bytes(), "PIN, in base64 from 1"),
    ] {
        assert!(search.find(&hidden).contains(&name), "{name}: {:?}", search.find(&hidden));
    }
    assert!(search.find(format!("{} {}", &API_KEY[..20], &PIN[1..]).as_bytes()).is_empty());
}
