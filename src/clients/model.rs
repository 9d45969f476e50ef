//! Persons and companies.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Longest name, in characters.
const NAME_MAX: usize = 200;
/// Longest detail, in characters.
const DETAIL_MAX: usize = 320;

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
    /// ISO 3166-1 alpha-2 or alpha-3 code, upper case.
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

impl ClientChange {
    /// The client as it is after the change.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what its kind of client does not have.
    pub(super) fn apply(self, mut client: Client) -> Result<Client> {
        match &mut client.kind {
            ClientKind::Person { firstname, lastname, birthday } => {
                if self.company.is_some() {
                    return Err(Error::invalid("A person has no company name").at("company"));
                }
                set(firstname, self.firstname);
                set(lastname, self.lastname);
                set(birthday, self.birthday);
            }
            ClientKind::Company { company } => {
                let given = [
                    (self.firstname.is_some(), "firstname"),
                    (self.lastname.is_some(), "lastname"),
                    (self.birthday.is_some(), "birthday"),
                ];
                if let Some((_, name)) = given.into_iter().find(|(given, _)| *given) {
                    return Err(Error::invalid(format!("An organisation has no {name}")).at(name));
                }
                set(company, self.company);
            }
        }
        let details = &mut client.details;
        set(&mut details.language, self.details.language);
        set(&mut details.email, self.details.email);
        set(&mut details.telephone, self.details.telephone);
        set(&mut details.mobile, self.details.mobile);
        set(&mut details.car_plate_number, self.details.car_plate_number);
        set(&mut details.street, self.details.street);
        set(&mut details.zipcode, self.details.zipcode);
        set(&mut details.city, self.details.city);
        set(&mut details.country, self.details.country);
        Ok(client)
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
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

/// Checks what a client is told to be.
pub(super) fn check(client: &Client) -> Result<()> {
    match &client.kind {
        ClientKind::Person { firstname, lastname, .. } => {
            check_name(lastname, "lastname")?;
            if let Some(firstname) = firstname {
                check_name(firstname, "firstname")?;
            }
        }
        ClientKind::Company { company } => check_name(company, "company")?,
    }
    let details = &client.details;
    for (value, name) in [
        (&details.language, "language"),
        (&details.email, "email"),
        (&details.telephone, "telephone"),
        (&details.mobile, "mobile"),
        (&details.car_plate_number, "carPlateNumber"),
        (&details.street, "street"),
        (&details.zipcode, "zipcode"),
        (&details.city, "city"),
        (&details.country, "country"),
    ] {
        if value.as_ref().is_some_and(|value| value.chars().count() > DETAIL_MAX) {
            return Err(Error::invalid(format!("{name} must have at most {DETAIL_MAX} characters")).at(name));
        }
    }
    Ok(())
}

fn check_name(text: &str, name: &'static str) -> Result<()> {
    if (1..=NAME_MAX).contains(&text.chars().count()) && !text.trim().is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("{name} must have 1 to {NAME_MAX} characters, not only spaces")).at(name))
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
        let blank = Client { kind: ClientKind::Company { company: " ".into() }, ..company() };
        assert!(check(&blank).is_err());
        let mut long = company();
        long.details.street = Some("x".repeat(321));
        assert_eq!(check(&long).expect_err("refused").argument_path, ["street".into()]);
        assert!(check(&company()).is_ok());
    }
}
