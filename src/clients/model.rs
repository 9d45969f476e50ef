//! Persons and companies.

use chrono::NaiveDate;
use uuid::Uuid;

/// Someone who books, pays or stays.
#[derive(Clone, Debug)]
pub struct Client {
    /// Id.
    pub id: Uuid,
    /// Person or company, and its name.
    pub kind: ClientKind,
    /// How to reach them.
    pub details: ClientDetails,
}

/// What kind of client.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug, Default)]
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
