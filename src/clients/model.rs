//! Persons and companies.

use chrono::NaiveDate;
use uuid::Uuid;

use super::codes;
use crate::error::{Error, ErrorAt, Message, Result};
use crate::text;

/// Longest name, in characters.
pub const NAME_MAX: usize = 200;
/// Longest detail, in characters.
pub const DETAIL_MAX: usize = 320;

/// Someone who books, pays or stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Id.
    pub id: Uuid,
    /// Person or company, and its name.
    pub kind: ClientKind,
    /// How to reach them.
    pub details: ClientDetails,
}

/// What kind of client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// A human being.
    Person {
        /// Given name.
        firstname: Option<String>,
        /// Family name.
        lastname: String,
        /// Day of birth.
        birthday: Option<NaiveDate>,
    },
    /// An organisation.
    Company {
        /// Its name.
        company: String,
    },
}

/// What persons and companies have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientDetails {
    /// ISO 639-1 code, lower case.
    pub language: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub telephone: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Number plate.
    pub car_plate_number: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Postal code.
    pub zipcode: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2 code, upper case.
    pub country: Option<String>,
}

/// What to change of a client; an outer `None` leaves it as it is, an inner one takes it away.
#[derive(Clone, Debug, Default)]
pub struct ClientChange {
    /// New given name of a person.
    pub firstname: Option<Option<String>>,
    /// New family name of a person.
    pub lastname: Option<String>,
    /// New day of birth of a person.
    pub birthday: Option<Option<NaiveDate>>,
    /// New name of an organisation.
    pub company: Option<String>,
    /// What persons and organisations have in common.
    pub details: DetailsChange,
}

/// What to change of the details of a client, like [`ClientChange`].
#[derive(Clone, Debug, Default)]
pub struct DetailsChange {
    /// New language.
    pub language: Option<Option<String>>,
    /// New e-mail address.
    pub email: Option<Option<String>>,
    /// New telephone number.
    pub telephone: Option<Option<String>>,
    /// New mobile number.
    pub mobile: Option<Option<String>>,
    /// New number plate.
    pub car_plate_number: Option<Option<String>>,
    /// New street.
    pub street: Option<Option<String>>,
    /// New postal code.
    pub zipcode: Option<Option<String>>,
    /// New town.
    pub city: Option<Option<String>>,
    /// New country.
    pub country: Option<Option<String>>,
}

impl Client {
    /// A client as it is kept: texts tidied, language and country by their codes.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name or a detail that breaks its rule
    pub(super) fn new(id: Uuid, kind: ClientKind, details: ClientDetails) -> Result<Self> {
        let kind = match kind {
            ClientKind::Person { firstname, lastname, birthday } => ClientKind::Person {
                lastname: checked_name(&lastname, "lastname")?,
                firstname: firstname.map(|name| checked_name(&name, "firstname")).transpose()?,
                birthday,
            },
            ClientKind::Company { company } => ClientKind::Company { company: checked_name(&company, "company")? },
        };
        let given = DetailsChange {
            language: Some(details.language),
            email: Some(details.email),
            telephone: Some(details.telephone),
            mobile: Some(details.mobile),
            car_plate_number: Some(details.car_plate_number),
            street: Some(details.street),
            zipcode: Some(details.zipcode),
            city: Some(details.city),
            country: Some(details.country),
        };
        let mut client = Self { id, kind, details: ClientDetails::default() };
        given.apply(&mut client.details)?;
        Ok(client)
    }
}

impl ClientChange {
    /// The client as it is after the change.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what its kind of client does not have, and for a name or a detail that breaks its rule
    pub(super) fn apply(self, mut client: Client) -> Result<Client> {
        match &mut client.kind {
            ClientKind::Person { firstname, lastname, birthday } => {
                if self.company.is_some() {
                    return Err(Error::new(Message::PersonHasNoCompany).at("company"));
                }
                if let Some(given) = self.firstname {
                    *firstname = given.map(|name| checked_name(&name, "firstname")).transpose()?;
                }
                if let Some(given) = self.lastname {
                    *lastname = checked_name(&given, "lastname")?;
                }
                if let Some(given) = self.birthday {
                    *birthday = given;
                }
            }
            ClientKind::Company { company } => {
                let given = [
                    (self.firstname.is_some(), "firstname"),
                    (self.lastname.is_some(), "lastname"),
                    (self.birthday.is_some(), "birthday"),
                ];
                if let Some((_, name)) = given.into_iter().find(|(given, _)| *given) {
                    return Err(Error::new(Message::OrganisationHasNo { name }).at(name));
                }
                if let Some(given) = self.company {
                    *company = checked_name(&given, "company")?;
                }
            }
        }
        self.details.apply(&mut client.details)?;
        Ok(client)
    }
}

impl DetailsChange {
    fn apply(self, details: &mut ClientDetails) -> Result<()> {
        set(&mut details.language, self.language, "language", codes::language)?;
        set(&mut details.email, self.email, "email", kept)?;
        set(&mut details.telephone, self.telephone, "telephone", kept)?;
        set(&mut details.mobile, self.mobile, "mobile", kept)?;
        set(&mut details.car_plate_number, self.car_plate_number, "carPlateNumber", kept)?;
        set(&mut details.street, self.street, "street", kept)?;
        set(&mut details.zipcode, self.zipcode, "zipcode", kept)?;
        set(&mut details.city, self.city, "city", kept)?;
        set(&mut details.country, self.country, "country", codes::country)
    }
}

/// Sets a detail to what is given for it, in the form that `normal` gives it. A blank text is no text.
#[expect(
    clippy::option_option,
    reason = "as in the changes: the outer one leaves a detail, the inner one takes it away"
)]
fn set(
    detail: &mut Option<String>,
    given: Option<Option<String>>,
    name: &'static str,
    normal: fn(&str) -> Result<String>,
) -> Result<()> {
    let Some(given) = given else { return Ok(()) };
    let given = given.map(|text| text::tidy(&text)).filter(|text| !text.is_empty());
    if given.as_ref().is_some_and(|text| text.chars().count() > DETAIL_MAX) {
        return Err(Error::new(Message::ClientDetailTooLong { name, most: DETAIL_MAX }).at(name));
    }
    // What is there already is not looked at again: older records have details that would be refused today.
    if given != *detail {
        *detail = given.map(|text| normal(&text)).transpose().at(name)?;
    }
    Ok(())
}

/// Of most details any text is normal.
#[expect(clippy::unnecessary_wraps, reason = "one signature with those that can refuse")]
fn kept(text: &str) -> Result<String> {
    Ok(text.to_owned())
}

/// Names of the fields in which two states of a client differ.
pub(super) fn changed_fields(before: &Client, after: &Client) -> Vec<&'static str> {
    let names = |client: &Client| match &client.kind {
        ClientKind::Person { firstname, lastname, birthday } => {
            (firstname.clone(), Some(lastname.clone()), *birthday, None)
        }
        ClientKind::Company { company } => (None, None, None, Some(company.clone())),
    };
    let (old, new) = (names(before), names(after));
    let (was, is) = (&before.details, &after.details);
    [
        (old.0 != new.0, "firstname"),
        (old.1 != new.1, "lastname"),
        (old.2 != new.2, "birthday"),
        (old.3 != new.3, "company"),
        (was.language != is.language, "language"),
        (was.email != is.email, "email"),
        (was.telephone != is.telephone, "telephone"),
        (was.mobile != is.mobile, "mobile"),
        (was.car_plate_number != is.car_plate_number, "carPlateNumber"),
        (was.street != is.street, "street"),
        (was.zipcode != is.zipcode, "zipcode"),
        (was.city != is.city, "city"),
        (was.country != is.country, "country"),
    ]
    .into_iter()
    .filter_map(|(changed, name)| changed.then_some(name))
    .collect()
}

/// A name as it is kept.
fn checked_name(given: &str, name: &'static str) -> Result<String> {
    let text = text::tidy(given);
    if (1..=NAME_MAX).contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(Error::new(Message::ClientNameInvalid { name, most: NAME_MAX }).at(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> Client {
        let kind = ClientKind::Company { company: "Nordwind".into() };
        Client { id: Uuid::nil(), kind, details: ClientDetails::default() }
    }

    #[test]
    fn an_organisation_cannot_be_given_the_fields_of_a_person() {
        let change = ClientChange { lastname: Some("Doe".into()), ..ClientChange::default() };
        assert_eq!(change.apply(company()).expect_err("refused").argument_path, ["lastname".into()]);
        let change = ClientChange { company: Some("Südwind".into()), ..ClientChange::default() };
        assert_eq!(
            change.apply(company()).map(|client| client.kind).ok(),
            Some(ClientKind::Company { company: "Südwind".into() })
        );
    }

    #[test]
    fn names_are_not_blank_and_details_are_bounded() {
        let named = |company: &str| ClientKind::Company { company: company.into() };
        let details = |street: &str| ClientDetails { street: Some(street.into()), ..ClientDetails::default() };
        assert!(Client::new(Uuid::nil(), named(" "), details("x")).is_err());
        let long = Client::new(Uuid::nil(), named("Nordwind"), details(&"x".repeat(321)));
        assert_eq!(long.expect_err("refused").argument_path, ["street".into()]);
        let tidy = Client::new(Uuid::nil(), named(" Su\u{308}dwind "), details(" ")).expect("a client");
        assert_eq!((tidy.kind, tidy.details), (named("S\u{fc}dwind"), ClientDetails::default()));
    }

    #[test]
    fn a_detail_that_an_older_record_has_can_stay() {
        let mut old = company();
        old.details.country = Some("Narnia".into());
        let change = |country: &str| ClientChange {
            details: DetailsChange { country: Some(Some(country.into())), ..DetailsChange::default() },
            ..ClientChange::default()
        };
        assert_eq!(change("Narnia").apply(old.clone()).expect("as before"), old);
        assert_eq!(change("Oz").apply(old.clone()).expect_err("refused").argument_path, ["country".into()]);
        assert_eq!(change("Germany").apply(old).expect("a country").details.country.as_deref(), Some("DE"));
    }
}
