//! Texts that people type: how they are kept, and when two of them say the same.
//!
//! One name reaches Latchkey in several spellings: keyboards compose an `ü` of one character, macOS files hold it as two, and
//! front desks type capitals or double spaces. Kept is what was typed, in one composition; compared is what it means.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The text as it is kept: composed (NFC), without white space at its ends.
pub fn tidy(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text.trim()).into_owned()
}

/// What names, codes and room names are compared by: composed (NFC), case-folded, each white space one blank. Two texts
/// with the same fold are canonical caseless matches in the sense of Unicode.
pub fn fold(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&folded);
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without accents and other marks that combine with a letter: `Côte` as `Cote`.
pub fn without_marks(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    decomposed.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect()
}

/// Whether two texts name the same.
pub fn same(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

/// The one of several that is called `name`: the one that is written so, else the first whose name is the same.
pub fn called<T>(mut candidates: Vec<T>, name: &str, name_of: impl Fn(&T) -> &str) -> Option<T> {
    let (wanted, folded) = (tidy(name), fold(name));
    let written_so = candidates.iter().position(|candidate| tidy(name_of(candidate)) == wanted);
    let found = written_so.or_else(|| candidates.iter().position(|candidate| fold(name_of(candidate)) == folded));
    found.map(|index| candidates.swap_remove(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_is_what_was_typed_in_one_composition() {
        assert_eq!(tidy(" Mu\u{308}ller \t"), "M\u{fc}ller");
        assert_eq!(tidy("de  la Cruz"), "de  la Cruz");
        assert_eq!(tidy("\u{3000}"), "");
    }

    #[test]
    fn one_name_has_many_spellings() {
        for (one, other) in [
            ("M\u{fc}ller", "Mu\u{308}ller"),
            ("M\u{fc}ller", "MU\u{308}LLER"),
            ("Wei\u{df}", "WEISS"),
            ("\u{1e9e}", "ss"),
            ("de la Cruz", " DE\u{a0}LA  CRUZ "),
            ("\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}", "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c3}"),
            ("Nguy\u{1ec5}n", "nguye\u{302}\u{303}n"),
            ("\u{212b}ngstr\u{f6}m", "\u{c5}ngstr\u{f6}m"),
            ("\u{1f80}", "\u{1f08}\u{3b9}"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("M\u{fc}ller", "Muller"), ("Doe", "Dow"), ("de la Cruz", "delaCruz"), ("1", "\u{ff11}")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_written_so_comes_first() {
        let rooms = || vec!["101a", "101A", "Su\u{308}d"];
        assert_eq!(called(rooms(), "101A", |room| room), Some("101A"));
        assert_eq!(called(rooms(), "101a ", |room| room), Some("101a"));
        assert_eq!(called(rooms(), "S\u{dc}D", |room| room), Some("Su\u{308}d"));
        assert_eq!(called(rooms(), "102", |room| room), None);
    }
}
