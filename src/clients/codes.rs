//! ISO codes of languages and countries, out of what other systems call them.

use celes::Country;
use isolang::Language;

use crate::error::{Error, Message, Result};
use crate::text;

/// Codes that ISO 639-1 has replaced, and those in their places. Older Java still sends them.
const REPLACED: [(&str, &str); 4] = [("in", "id"), ("iw", "he"), ("ji", "yi"), ("mo", "ro")];

/// The ISO 639-1 code of a language: of a BCP 47 tag (`de-DE`, `pt_BR`), an ISO 639-3 code (`deu`) or an English name.
///
/// # Errors
/// `INVALID_ARGUMENT` for a language that the list does not have.
pub fn language(given: &str) -> Result<String> {
    let lower = given.trim().to_lowercase();
    let mut subtags = lower.split(['-', '_']);
    let primary = subtags.next().unwrap_or_default();
    let is_subtag =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let tag = subtags.all(is_subtag).then_some(primary);
    let tag = tag.map(|tag| REPLACED.iter().find(|(old, _)| *old == tag).map_or(tag, |(_, new)| new));
    let of_tag = tag.and_then(|tag| Language::from_639_1(tag).or_else(|| Language::from_639_3(tag)));
    let found = of_tag.or_else(|| Language::from_name_lowercase(&lower));
    found
        .and_then(|language| language.to_639_1())
        .map(str::to_owned)
        .ok_or_else(|| Error::new(Message::LanguageUnknown))
}

/// Names that are short for more than one country.
const AMBIGUOUS: [&str; 3] = ["congo", "saintmartin", "stmartin"];

/// The ISO 3166-1 alpha-2 code of a country: of an alpha-2 or alpha-3 code (`DEU`) or an English name.
///
/// # Errors
/// `INVALID_ARGUMENT` for a country that the list does not have, and for a name that two have.
pub fn country(given: &str) -> Result<String> {
    let known = match given.trim() {
        // Reserved for the United Kingdom, whose code is another one.
        code if code.eq_ignore_ascii_case("UK") => Country::from_alpha2("GB").ok(),
        code if code.len() == 2 => Country::from_alpha2(code).ok(),
        code if code.len() == 3 => Country::from_alpha3(code).ok(),
        name => of_name(name),
    };
    known.map(|country| country.alpha2.to_owned()).ok_or_else(|| Error::new(Message::CountryUnknown))
}

/// The library knows names by their letters alone: `ivorycoast`, `unitedkingdom`.
fn of_name(name: &str) -> Option<Country> {
    let letters: String = text::fold(&text::without_marks(name)).chars().filter(|c| c.is_alphanumeric()).collect();
    if AMBIGUOUS.contains(&letters.as_str()) {
        return None;
    }
    Country::from_name(&letters).or_else(|_| Country::from_alias(&letters)).ok()
}

/// All codes that [`language`] answers with.
pub fn languages() -> impl Iterator<Item = &'static str> {
    isolang::languages().filter_map(|language| language.to_639_1())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_known_by_tags_codes_and_names() {
        for (given, code) in [
            ("de", "de"),
            ("DE", "de"),
            ("de-DE", "de"),
            ("de_AT", "de"),
            ("zh-Hant-TW", "zh"),
            ("deu", "de"),
            (" German ", "de"),
            ("iw", "he"),
        ] {
            assert_eq!(language(given).ok().as_deref(), Some(code), "{given}");
        }
        for unknown in ["", "xx", "d", "de-", "-de", "de DE", "gsw", "qaa", "Klingon", "de-\u{e9}"] {
            assert!(language(unknown).is_err_and(|error| *error.message == Message::LanguageUnknown), "{unknown}");
        }
        assert!(languages().count() > 180 && languages().all(|code| language(code).ok().as_deref() == Some(code)));
    }

    #[test]
    fn countries_are_known_by_codes_and_names() {
        for (given, code) in [
            ("DE", "DE"),
            ("de", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            ("united kingdom", "GB"),
            ("UK", "GB"),
            ("C\u{f4}te d'Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Samoa", "WS"),
            ("T\u{fc}rkiye", "TR"),
            ("Turkey", "TR"),
            ("South Korea", "KR"),
            ("The Netherlands", "NL"),
            ("United States", "US"),
            ("USA", "US"),
            ("Russia", "RU"),
            ("R\u{e9}union", "RE"),
        ] {
            assert_eq!(country(given).ok().as_deref(), Some(code), "{given}");
        }
        for unknown in ["", "XX", "ZZZ", "Congo", "Korea", "Narnia", "D", "\u{e9}"] {
            assert!(country(unknown).is_err_and(|error| *error.message == Message::CountryUnknown), "{unknown}");
        }
    }
}
