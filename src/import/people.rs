//! Names for guests and companies of which the file tells no more than a country or a number.

use crate::clients;
use crate::derive::Derived;

/// How people of a country are called.
struct Culture {
    /// ISO 639-1.
    language: &'static str,
    given: &'static [&'static str],
    family: &'static [&'static str],
}

/// A guest who was made up.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub firstname: &'static str,
    /// Family name.
    pub lastname: &'static str,
    /// ISO 639-1.
    pub language: &'static str,
    /// ISO 3166-1 alpha-2; `None` where the file has a country that the list does not.
    pub country: Option<String>,
}

impl Person {
    /// Makes up a guest from `country` (ISO 3166-1 alpha-3).
    pub fn derive(from: &Derived, country: Option<&str>) -> Self {
        let known = country.and_then(|code| COUNTRIES.iter().find(|(alpha3, _)| code.eq_ignore_ascii_case(alpha3)));
        let culture = known.map_or(&ENGLISH, |(_, culture)| *culture);
        Self {
            firstname: from.choose(10, culture.given),
            lastname: from.choose(11, culture.family),
            language: culture.language,
            country: country.and_then(|country| clients::country(country).ok()),
        }
    }
}

/// Makes up the name of travel agency `number`.
pub fn agency(from: &Derived, number: &str) -> String {
    format!(
        "{} {} (agent {number})",
        from.choose(10, FIRM_NAMES),
        from.choose(11, &["Holidays", "Tours", "Travel", "Viagens"])
    )
}

/// Makes up the name of company `number`.
pub fn company(from: &Derived, number: &str) -> String {
    format!(
        "{} {} (company {number})",
        from.choose(10, FIRM_NAMES),
        from.choose(11, &["Group", "Lda", "Partners", "SA"])
    )
}

const FIRM_NAMES: &[&str] = &[
    "Atlas",
    "Belvedere",
    "Bússola",
    "Castelo",
    "Cedro",
    "Estrela",
    "Farol",
    "Girassol",
    "Horizonte",
    "Lusitana",
    "Maré Alta",
    "Meridiano",
    "Miradouro",
    "Nortada",
    "Oliveira Brava",
    "Pinhal",
    "Rosa dos Ventos",
    "Serra Azul",
    "Vela Branca",
    "Zenite",
];

const CHINESE: Culture = Culture {
    language: "zh",
    given: &["Fang", "Hao", "Jing", "Lei", "Li", "Mei", "Min", "Na", "Wei", "Xin", "Yan", "Yu"],
    family: &["Chen", "Huang", "Li", "Lin", "Liu", "Sun", "Wang", "Wu", "Xu", "Yang", "Zhang", "Zhao"],
};
const DUTCH: Culture = Culture {
    language: "nl",
    given: &["Anouk", "Bram", "Daan", "Emma", "Femke", "Jeroen", "Lotte", "Maud", "Pieter", "Sanne", "Thijs", "Wouter"],
    family: &[
        "Bakker", "de Boer", "de Jong", "Dekker", "Jansen", "Mulder", "Peeters", "Smit", "van Dijk", "Visser", "Vos",
    ],
};
const ENGLISH: Culture = Culture {
    language: "en",
    given: &[
        "Alice",
        "Charlotte",
        "Daniel",
        "Emily",
        "Grace",
        "Harry",
        "Jack",
        "Lucy",
        "Oliver",
        "Rory",
        "Sarah",
        "Thomas",
    ],
    family: &[
        "Baker", "Carter", "Clarke", "Doyle", "Evans", "Hughes", "Murphy", "Reid", "Shaw", "Taylor", "Walsh", "Wright",
    ],
};
const FRENCH: Culture = Culture {
    language: "fr",
    given: &[
        "Amélie", "Antoine", "Camille", "Chloé", "Hugo", "Julien", "Léa", "Louis", "Manon", "Mathieu", "Nicolas", "Zoé",
    ],
    family: &[
        "Bernard", "Dubois", "Durand", "Fontaine", "Girard", "Lambert", "Lefèvre", "Martin", "Moreau", "Petit", "Roux",
    ],
};
const GERMAN: Culture = Culture {
    language: "de",
    given: &[
        "Anna",
        "Felix",
        "Hannah",
        "Jonas",
        "Jürgen",
        "Katharina",
        "Lena",
        "Lukas",
        "Markus",
        "Sabine",
        "Sophie",
        "Uwe",
    ],
    family: &[
        "Bauer", "Becker", "Fischer", "Huber", "Keller", "Koch", "Müller", "Schäfer", "Schmidt", "Wagner", "Weber",
    ],
};
const ITALIAN: Culture = Culture {
    language: "it",
    given: &[
        "Alessandro",
        "Chiara",
        "Davide",
        "Elena",
        "Francesca",
        "Giulia",
        "Lorenzo",
        "Luca",
        "Marco",
        "Paolo",
        "Sara",
    ],
    family: &[
        "Bianchi", "Conti", "Costa", "Esposito", "Ferrari", "Gallo", "Greco", "Marino", "Ricci", "Romano", "Russo",
    ],
};
const NORDIC: Culture = Culture {
    language: "sv",
    given: &["Astrid", "Elin", "Emil", "Erik", "Freja", "Ingrid", "Lars", "Maja", "Mikkel", "Nils", "Oskar", "Signe"],
    family: &["Andersson", "Berg", "Dahl", "Hansen", "Johansson", "Larsen", "Lindqvist", "Lund", "Nielsen", "Nyström"],
};
const POLISH: Culture = Culture {
    language: "pl",
    given: &[
        "Agnieszka",
        "Jakub",
        "Jan",
        "Katarzyna",
        "Łukasz",
        "Magdalena",
        "Marek",
        "Paweł",
        "Piotr",
        "Zofia",
        "Zuzanna",
    ],
    family: &["Dąbrowska", "Jankowski", "Kaczmarek", "Król", "Mazur", "Nowak", "Pawlak", "Sikora", "Wójcik", "Woźniak"],
};
const PORTUGUESE: Culture = Culture {
    language: "pt",
    given: &[
        "Ana", "Beatriz", "Catarina", "Diogo", "Inês", "João", "Mariana", "Miguel", "Pedro", "Rita", "Rui", "Tiago",
    ],
    family: &[
        "Almeida", "Carvalho", "Costa", "Ferreira", "Gomes", "Lopes", "Marques", "Martins", "Pereira", "Ribeiro",
        "Santos", "Silva", "Sousa", "Teixeira",
    ],
};
const ROMANIAN: Culture = Culture {
    language: "ro",
    given: &["Alexandru", "Andreea", "Cristina", "Elena", "Ioana", "Ion", "Maria", "Mihai", "Radu", "Ștefan", "Vlad"],
    family: &["Constantin", "Dumitru", "Ionescu", "Marin", "Munteanu", "Popa", "Popescu", "Radu", "Stan", "Stoica"],
};
const RUSSIAN: Culture = Culture {
    language: "ru",
    given: &[
        "Alexei",
        "Anastasia",
        "Boris",
        "Dmitri",
        "Ekaterina",
        "Irina",
        "Ivan",
        "Natalia",
        "Olga",
        "Sergei",
        "Tatiana",
    ],
    family: &["Belenko", "Kovalenko", "Kravets", "Lysenko", "Melnik", "Morozenko", "Petrenko", "Savchenko", "Tkach"],
};
const SPANISH: Culture = Culture {
    language: "es",
    given: &[
        "Álvaro", "Carmen", "Diego", "Elena", "Javier", "Laura", "Lucía", "Manuel", "María", "Pablo", "Sergio", "Sofía",
    ],
    family: &[
        "Álvarez",
        "Díaz",
        "Fernández",
        "García",
        "Gómez",
        "López",
        "Martín",
        "Moreno",
        "Muñoz",
        "Navarro",
        "Pérez",
        "Ruiz",
    ],
};

/// ISO 3166-1 alpha-3 (and `CN`, which the public data has), and whose names to use. Countries that are not here get English
/// ones.
const COUNTRIES: &[(&str, &Culture)] = &[
    ("AGO", &PORTUGUESE),
    ("AND", &SPANISH),
    ("ARG", &SPANISH),
    ("AUS", &ENGLISH),
    ("AUT", &GERMAN),
    ("BEL", &DUTCH),
    ("BLR", &RUSSIAN),
    ("BRA", &PORTUGUESE),
    ("CAN", &ENGLISH),
    ("CHE", &GERMAN),
    ("CHL", &SPANISH),
    ("CHN", &CHINESE),
    ("CN", &CHINESE),
    ("COL", &SPANISH),
    ("CPV", &PORTUGUESE),
    ("CRI", &SPANISH),
    ("DEU", &GERMAN),
    ("DNK", &NORDIC),
    ("ESP", &SPANISH),
    ("FRA", &FRENCH),
    ("GBR", &ENGLISH),
    ("HKG", &CHINESE),
    ("IRL", &ENGLISH),
    ("ITA", &ITALIAN),
    ("LUX", &FRENCH),
    ("MEX", &SPANISH),
    ("MOZ", &PORTUGUESE),
    ("NLD", &DUTCH),
    ("NOR", &NORDIC),
    ("NZL", &ENGLISH),
    ("POL", &POLISH),
    ("PRT", &PORTUGUESE),
    ("ROU", &ROMANIAN),
    ("RUS", &RUSSIAN),
    ("SMR", &ITALIAN),
    ("STP", &PORTUGUESE),
    ("SWE", &NORDIC),
    ("TWN", &CHINESE),
    ("UKR", &RUSSIAN),
    ("URY", &SPANISH),
    ("USA", &ENGLISH),
    ("VEN", &SPANISH),
    ("ZAF", &ENGLISH),
];

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_guest_is_always_the_same_and_speaks_the_language_of_the_country() {
        let from = Derived::of(Uuid::nil(), &["guest"]);
        let person = Person::derive(&from, Some("FRA"));
        assert_eq!(person, Person::derive(&from, Some("FRA")));
        assert_eq!((person.language, person.country.as_deref()), ("fr", Some("FR")));
    }

    #[test]
    fn a_country_that_there_is_not_is_left_out() {
        let country = |given| Person::derive(&Derived::of(Uuid::nil(), &["guest"]), Some(given)).country;
        assert_eq!((country("NPL").as_deref(), country("TMP")), (Some("NP"), None));
    }
}
