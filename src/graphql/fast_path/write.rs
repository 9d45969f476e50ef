//! A compiled page: it is read, then written as JSON row by row.

use async_graphql::{InputType, Name, Variables};
use async_graphql_value::Value;
use serde_json::value::RawValue;

use super::super::context::RequestContext;
use super::super::filters::{RoomStayFilter, filter_argument};
use super::super::paging::{CursorScope, PageArguments};
use super::super::values;
use super::fields::Leaf;
use super::page::{Needs, Page, Row};
use crate::auth::CredentialFingerprint;
use crate::db::{ListBounds, ListBoundsRequest};
use crate::error::{Error, Message, Result};
use crate::room_access_keys::KeyKind;
use crate::room_stays::{self, StayPage, StayView};

/// What a document that asks for a page of room stays comes to.
pub struct CompiledPage {
    /// What stands before the connection.
    pub(super) prefix: String,
    pub(super) arguments: Vec<(Name, Value)>,
    pub(super) needs: Needs,
    pub(super) connection: Vec<Entry>,
}

/// An entry of an object: its key with what stands before it, and its value.
pub(super) struct Entry {
    pub prefix: String,
    pub output: Output,
}

/// How a value is written.
pub(super) enum Output {
    Constant(String),
    Leaf(&'static Leaf),
    Object(Vec<Entry>),
    Optional(Vec<Entry>, fn(&StayView) -> bool),
    Rows(Vec<Entry>),
    Key(Vec<(KeyKind, Vec<Entry>)>),
}

impl CompiledPage {
    /// The `data` of the answer. With a fingerprint, it is for an actor who is confirmed by the statement that reads the page.
    ///
    /// # Errors
    /// Any that the executor would have to tell of; also when the credential is not what it was any more.
    pub async fn answer(
        &self,
        context: &RequestContext,
        fingerprint: Option<&CredentialFingerprint>,
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
        let scope = CursorScope::new(hotel, "room_stays", &filter);
        let request = arguments.request(scope)?;
        let Needs { joins, total, has_previous_page, has_next_page } = self.needs;
        let wanted = ListBoundsRequest::beside(&request, total, has_previous_page, has_next_page);
        let mut session = context.read().await?;
        let StayPage { stays, event_position } =
            room_stays::page(session.conn().await?, fingerprint, hotel, &filter, &request, joins).await?;
        let bounds = if wanted.is_empty() {
            ListBounds::default()
        } else {
            room_stays::bounds(session.conn().await?, hotel, &filter, &wanted).await?
        };
        session.end();

        let page = Page { context, scope, stays, bounds, event_position, from_end: request.from_end };
        let mut out = self.prefix.clone().into_bytes();
        write_object(&self.connection, &Row::of_page(&page), &mut out)?;
        out.push(b'}');
        RawValue::from_string(String::from_utf8(out).map_err(Error::internal)?).map_err(Error::internal)
    }

    /// The value of an argument.
    fn argument<T: InputType>(&self, name: &str, variables: &Variables) -> Result<T> {
        let value = self.arguments.iter().find(|(known, _)| known == name);
        let value = value.and_then(|(_, value)| values::argument(value, variables));
        T::parse(value).map_err(|_| Error::new(Message::ArgumentNotOfItsType))
    }
}

fn write_object(entries: &[Entry], row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
    if entries.is_empty() {
        out.push(b'{');
    }
    for Entry { prefix, output } in entries {
        out.extend_from_slice(prefix.as_bytes());
        match output {
            Output::Constant(value) => out.extend_from_slice(value.as_bytes()),
            Output::Leaf(leaf) => leaf.write(row, out)?,
            Output::Object(entries) => write_object(entries, row, out)?,
            Output::Optional(entries, is_there) if is_there(row.view()?) => write_object(entries, row, out)?,
            Output::Optional(..) => out.extend_from_slice(b"null"),
            Output::Rows(entries) => write_rows(entries, row.page, out)?,
            Output::Key(kinds) => match row.view()?.stay.room_access_key {
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
        write_object(entries, &Row::of_stay(page, view), out)?;
    }
    out.push(b']');
    Ok(())
}
