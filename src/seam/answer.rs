//! Answers: an object whose names tell what is in it, such as `{"space": {...}, "ok": true}`.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::schemas::Schemas;
use crate::db::{CursorKey, CursorScope, Page, PageRequest};
use crate::error::{Error, ErrorAt as _, Message, Result};

/// Most records that can be asked for at once.
const MOST: u16 = 1000;

/// What an operation answers with, beside `ok`.
pub trait Answer: Send {
    /// Writes it into the body.
    ///
    /// # Errors
    /// `INTERNAL` for what is no JSON.
    fn write(self, body: &mut Map<String, Value>) -> Result<()>;

    /// Names of the body with their schemas, all of them required.
    fn describe(schemas: &mut Schemas) -> Vec<(&'static str, RefOr<Schema>)>;
}

/// What answers hold.
pub trait Resource: Serialize + ToSchema + Send {
    /// Its name in an answer that is one of it.
    const ONE: &'static str;
    /// Its name in an answer that is a list of it.
    const MANY: &'static str;
}

/// The answer of what is done and has nothing to tell.
pub struct Done;

impl Answer for Done {
    fn write(self, _: &mut Map<String, Value>) -> Result<()> {
        Ok(())
    }

    fn describe(_: &mut Schemas) -> Vec<(&'static str, RefOr<Schema>)> {
        Vec::new()
    }
}

/// One record.
pub struct One<R>(pub R);

impl<R: Resource> Answer for One<R> {
    fn write(self, body: &mut Map<String, Value>) -> Result<()> {
        insert(body, R::ONE, &self.0)
    }

    fn describe(schemas: &mut Schemas) -> Vec<(&'static str, RefOr<Schema>)> {
        vec![(R::ONE, schemas.add::<R>())]
    }
}

/// A page of records.
pub struct List<R> {
    /// The records.
    records: Vec<R>,
    /// Where the next page begins; `None` on the last one.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Pagination {
    /// Whether there are more behind this page.
    has_next_page: bool,
    /// `page_cursor` of the next page.
    next_page_cursor: Option<String>,
    /// Always null: where this server is reached is not its to know.
    next_page_url: Option<String>,
}

impl<R> List<R> {
    /// All that there are.
    pub const fn all(records: Vec<R>) -> Self {
        Self { records, next: None }
    }

    /// A page, and behind which sort key the next one begins.
    pub fn page<T, K: CursorKey>(
        page: Page<T>,
        scope: CursorScope<'_>,
        key: impl Fn(&T) -> K,
        make: impl FnMut(T) -> R,
    ) -> Self {
        let next = page.items.last().filter(|_| page.more).map(|last| scope.cursor(&key(last)));
        Self { records: page.items.into_iter().map(make).collect(), next }
    }
}

impl<R: Resource> Answer for List<R> {
    fn write(self, body: &mut Map<String, Value>) -> Result<()> {
        insert(body, R::MANY, &self.records)?;
        let pagination =
            Pagination { has_next_page: self.next.is_some(), next_page_cursor: self.next, next_page_url: None };
        insert(body, "pagination", &pagination)
    }

    fn describe(schemas: &mut Schemas) -> Vec<(&'static str, RefOr<Schema>)> {
        let list = ArrayBuilder::new().items(schemas.add::<R>()).build();
        vec![(R::MANY, list.into()), ("pagination", schemas.add::<Pagination>())]
    }
}

/// The page that `limit` and `page_cursor` ask for.
///
/// # Errors
/// `INVALID_ARGUMENT` at `limit`, `INVALID_CURSOR` at `page_cursor`
pub(super) fn page_request<K: CursorKey>(
    scope: CursorScope<'_>,
    limit: u16,
    page_cursor: Option<&str>,
) -> Result<PageRequest<K>> {
    if !(1..=MOST).contains(&limit) {
        return Err(Error::new(Message::LimitOutOfRange { most: MOST.into() }).at("limit"));
    }
    let after = page_cursor
        .filter(|cursor| !cursor.is_empty())
        .map(|cursor| scope.key(cursor))
        .transpose()
        .at("page_cursor")?;
    Ok(PageRequest { after, ..PageRequest::first(limit) })
}

fn insert(body: &mut Map<String, Value>, name: &str, content: &impl Serialize) -> Result<()> {
    body.insert(name.to_owned(), serde_json::to_value(content).map_err(Error::internal)?);
    Ok(())
}

/// The schema of a body with these names and `ok`.
pub(super) fn body_schema(names: Vec<(&'static str, RefOr<Schema>)>) -> Schema {
    let ok = ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::Boolean).build();
    let object = names
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| object.property(name, schema).required(name));
    object.property("ok", ok).required("ok").build().into()
}
