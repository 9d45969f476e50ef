//! The columns of a stay's details: one list, by which they are selected, read and inserted.

use chrono::DateTime;
use sqlx::postgres::PgRow;
use sqlx::query_builder::Separated;
use sqlx::{Postgres, Row as _};

use super::super::model::StayDetails;
use crate::error::Result;

/// Writes what the list is for. Each column stands beside its field of [`StayDetails`].
macro_rules! details {
    ($($column:literal => $($field:ident).+),+ $(,)?) => {
        /// Names of the columns.
        pub const COLUMNS: &[&str] = &[$($column),+];

        /// The details in a row that [`COLUMNS`] were selected of.
        pub fn read(row: &PgRow) -> Result<StayDetails> {
            let mut details = StayDetails::new(DateTime::UNIX_EPOCH);
            $(details.$($field).+ = row.try_get($column)?;)+
            Ok(details)
        }

        /// Binds the values of [`COLUMNS`].
        pub fn push_values(values: &mut Separated<'_, Postgres, &'static str>, details: &StayDetails) {
            $(values.push_bind(details.$($field).+.clone());)+
        }
    };
}

details! {
    "guest_message" => guest_message,
    "maid_notes" => maid_notes,
    "meal_notes" => meal_notes,
    "rate_code" => rate_code,
    "adults" => age_groups.adults,
    "child1" => age_groups.child1,
    "child2" => age_groups.child2,
    "free" => age_groups.free,
    "created_at" => created_at,
    "updated_at" => updated_at,
}
