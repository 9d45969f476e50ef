//! Pages of room stays, written as JSON row by row.
//!
//! A document whose one root field is `room_stays`, and which selects nothing that takes a further statement, is compiled
//! into a [`StayWriter`] once it is known to be valid. What comes before is the same for all documents: authentication,
//! limits, cost, permission. The executor stays the authority: whatever is not compiled is its own to answer, and so is
//! every request that comes to an error here, so that an error is always told in its words.

mod compile;
mod fields;

use async_graphql::{InputType, Name, Variables};
use async_graphql_value::Value;
use serde_json::value::RawValue;

use self::fields::Leaf;
use super::connection::{Binding, PageArguments};
use super::context::RequestContext;
use super::filters::{RoomStayFilter, filter_argument};
use super::values;
use crate::auth::Claim;
use crate::db::{self, Extent, ExtentRequest};
use crate::error::{Error, Result};
use crate::room_access_keys::KeyKind;
use crate::room_stays::{self, StayJoins, StayPage, StayView};

/// How to answer a document that asks for a page of room stays.
pub struct StayWriter {
    /// What stands before the connection.
    before: String,
    arguments: Vec<(Name, Value)>,
    needs: Needs,
    connection: Vec<Entry>,
}

/// What has to be found out to write a page.
#[derive(Clone, Copy, Default)]
struct Needs {
    joins: StayJoins,
    total: bool,
    has_previous_page: bool,
    has_next_page: bool,
}

/// An entry of an object: its key with what stands before it, and its value.
struct Entry {
    before: String,
    written: Written,
}

enum Written {
    Constant(String),
    Leaf(Leaf),
    Object(Vec<Entry>),
    Optional(Vec<Entry>, fn(&Row<'_>) -> bool),
    Rows(Vec<Entry>),
    Key(Vec<(KeyKind, Vec<Entry>)>),
}

/// A page and what is known around it.
struct Page<'a> {
    context: &'a RequestContext,
    binding: Binding,
    stays: db::Page<StayView>,
    extent: Extent,
    event_position: Option<i64>,
    from_end: bool,
}

/// A row of a page, or the page alone.
#[derive(Clone, Copy)]
struct Row<'a> {
    page: &'a Page<'a>,
    view: Option<&'a StayView>,
}

impl StayWriter {
    /// The `data` of the answer. With a claim, it is for an actor who is confirmed by the statement that reads the page.
    ///
    /// # Errors
    /// Any that the executor would have to tell of; also when the claim does not hold any more.
    pub async fn write(
        &self,
        context: &RequestContext,
        claim: Option<&Claim>,
        variables: &Variables,
    ) -> Result<Box<RawValue>> {
        let hotel = context.actor.hotel.id;
        let arguments = PageArguments {
            first: self.argument("first", variables)?,
            after: self.argument("after", variables)?,
            last: self.argument("last", variables)?,
            before: self.argument("before", variables)?,
        };
        let filter = filter_argument(self.argument::<Option<RoomStayFilter>>("filter", variables)?)?;
        let binding = Binding::new(hotel, "room_stays", &filter);
        let request = arguments.request(binding)?;
        let Needs { joins, total, has_previous_page, has_next_page } = self.needs;
        let wanted = ExtentRequest::beside(&request, total, has_previous_page, has_next_page);
        let mut session = context.read().await?;
        let StayPage { stays, event_position } =
            room_stays::page(session.conn().await?, claim, hotel, &filter, &request, joins).await?;
        let extent = if wanted.is_empty() {
            Extent::default()
        } else {
            room_stays::extent(session.conn().await?, hotel, &filter, &wanted).await?
        };
        session.end();

        let page = Page { context, binding, stays, extent, event_position, from_end: request.from_end };
        let mut out = self.before.clone().into_bytes();
        write_object(&self.connection, &Row { page: &page, view: None }, &mut out)?;
        out.push(b'}');
        RawValue::from_string(String::from_utf8(out).map_err(Error::internal)?).map_err(Error::internal)
    }

    /// The value of an argument.
    fn argument<T: InputType>(&self, name: &str, variables: &Variables) -> Result<T> {
        let value = self.arguments.iter().find(|(known, _)| known == name);
        let value = value.and_then(|(_, value)| values::argument(value, variables));
        T::parse(value).map_err(|_| Error::invalid("not a value of the argument's type"))
    }
}

impl Page<'_> {
    fn cursor(&self, view: &StayView) -> String {
        self.binding.cursor(&(view.stay.reservation_to, view.stay.id))
    }

    fn has_next_page(&self) -> bool {
        self.extent.around(self.stays.more, self.from_end).1
    }

    fn has_previous_page(&self) -> bool {
        self.extent.around(self.stays.more, self.from_end).0
    }
}

fn write_object(entries: &[Entry], row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
    if entries.is_empty() {
        out.push(b'{');
    }
    for Entry { before, written } in entries {
        out.extend_from_slice(before.as_bytes());
        match written {
            Written::Constant(value) => out.extend_from_slice(value.as_bytes()),
            Written::Leaf(write) => write(row, out)?,
            Written::Object(entries) => write_object(entries, row, out)?,
            Written::Optional(entries, is_there) if is_there(row) => write_object(entries, row, out)?,
            Written::Optional(..) => out.extend_from_slice(b"null"),
            Written::Rows(entries) => write_rows(entries, row.page, out)?,
            Written::Key(kinds) => match row.view.and_then(|view| view.stay.room_access_key) {
                Some(key) => {
                    let entries = kinds.iter().find(|(kind, _)| *kind == key.kind);
                    let (_, entries) = entries.ok_or_else(|| Error::internal("a key of an unknown kind"))?;
                    write_object(entries, row, out)?;
                }
                None => out.extend_from_slice(b"null"),
            },
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_rows(entries: &[Entry], page: &Page<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    for (index, view) in page.stays.items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_object(entries, &Row { page, view: Some(view) }, out)?;
    }
    out.push(b']');
    Ok(())
}
