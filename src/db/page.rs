//! Keyset pages: a page is found by the sort key of the record it follows, never by counting.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use crate::error::Result;

/// Which page of a list ordered by a unique key `K`.
#[derive(Clone, Debug)]
pub struct PageRequest<K> {
    /// Records on the page, at least 1.
    pub size: u16,
    /// The last `size` records instead of the first.
    pub from_end: bool,
    /// Only records behind this key.
    pub after: Option<K>,
    /// Only records before this key.
    pub before: Option<K>,
}

impl<K> PageRequest<K> {
    /// The first page.
    pub fn first(size: u16) -> Self {
        Self { size, from_end: false, after: None, before: None }
    }

    /// Rows to ask the database for: one more than the page holds tells whether there are more.
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// `ASC` or `DESC`: the end of a list is read from its end.
    pub fn direction(&self) -> &'static str {
        if self.from_end { "DESC" } else { "ASC" }
    }
}

/// Records of one page, in the order of the list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Whether there are more in the direction of reading.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes a page of the rows that [`PageRequest::limit`] and [`PageRequest::direction`] led to.
    pub fn of_rows<K>(mut rows: Vec<T>, request: &PageRequest<K>) -> Self {
        let size = usize::from(request.size);
        let more = rows.len() > size;
        rows.truncate(size);
        if request.from_end {
            rows.reverse();
        }
        Self { items: rows, more }
    }

    /// The page with something made of each record.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(make).collect(), more: self.more }
    }

    /// The page with something made of each record, if it can be made of all of them.
    pub fn try_map<U>(self, make: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        Ok(Page { items: self.items.into_iter().map(make).collect::<Result<_>>()?, more: self.more })
    }
}

/// Lists for each of `parents` parents, from records with the ordinal of theirs, counted from 1.
pub(crate) fn by_ordinal<T>(records: impl IntoIterator<Item = (i64, T)>, parents: usize) -> Vec<Vec<T>> {
    let mut lists: Vec<Vec<T>> = std::iter::repeat_with(Vec::new).take(parents).collect();
    for (ordinal, record) in records {
        let list = usize::try_from(ordinal - 1).ok().and_then(|index| lists.get_mut(index));
        list.expect("an ordinal of one of the parents").push(record);
    }
    lists
}

/// Ends a statement on a list that is ordered by an id: which page of it, in which order, how many rows.
pub(crate) fn push_id_page(sql: &mut QueryBuilder<Postgres>, id: &'static str, request: &PageRequest<Uuid>) {
    if let Some(after) = request.after {
        sql.push(" AND ").push(id).push(" > ").push_bind(after);
    }
    if let Some(before) = request.before {
        sql.push(" AND ").push(id).push(" < ").push_bind(before);
    }
    sql.push(" ORDER BY ").push(id).push(" ").push(request.direction());
    sql.push(" LIMIT ").push_bind(request.limit());
}

/// What to find out about a list beside the page of it.
#[derive(Clone, Debug)]
pub struct ListBoundsRequest<K> {
    /// How many records it has.
    pub total: bool,
    /// Whether there are records up to this key.
    pub up_to: Option<K>,
    /// Whether there are records from this key on.
    pub from: Option<K>,
}

impl<K: Copy> ListBoundsRequest<K> {
    /// What a page leaves open of what is wanted: whether there are records behind the end that it was not read towards.
    pub fn beside(page: &PageRequest<K>, total: bool, has_previous_page: bool, has_next_page: bool) -> Self {
        Self {
            total,
            up_to: page.after.filter(|_| has_previous_page && !page.from_end),
            from: page.before.filter(|_| has_next_page && page.from_end),
        }
    }
}

impl<K> ListBoundsRequest<K> {
    /// Whether nothing has to be found out.
    pub fn is_empty(&self) -> bool {
        !self.total && self.up_to.is_none() && self.from.is_none()
    }
}

/// The answer to a [`ListBoundsRequest`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ListBounds {
    /// How many records the list has; 0 when not asked for.
    pub total: i64,
    /// Whether there are records up to the key that was asked for.
    pub up_to: bool,
    /// Whether there are records from the key that was asked for on.
    pub from: bool,
}

impl ListBounds {
    /// Whether there are records before the page and behind it; `more`: whether the page was cut off.
    pub fn around(self, more: bool, from_end: bool) -> (bool, bool) {
        if from_end { (more, self.from) } else { (self.up_to, more) }
    }
}

/// Finds out in one statement what was asked for.
///
/// `list` appends `FROM ... WHERE ...`, and `compare` a further condition on the sort key with the given operator.
pub(crate) async fn bounds<K: Copy>(
    conn: &mut PgConnection,
    request: &ListBoundsRequest<K>,
    list: impl Fn(&mut QueryBuilder<Postgres>),
    compare: fn(&mut QueryBuilder<Postgres>, &'static str, K),
) -> Result<ListBounds> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_bounds(&mut sql, request, list, compare);
    bounds_from_row(&sql.build().fetch_one(conn).await?)
}

/// Appends the columns of [`bounds_from_row`] to a `SELECT`, for statements that ask for several lists at once.
pub(crate) fn push_bounds<K: Copy>(
    sql: &mut QueryBuilder<Postgres>,
    request: &ListBoundsRequest<K>,
    list: impl Fn(&mut QueryBuilder<Postgres>),
    compare: fn(&mut QueryBuilder<Postgres>, &'static str, K),
) {
    if request.total {
        sql.push("(SELECT count(*) ");
        list(sql);
        sql.push(")");
    } else {
        sql.push("0::bigint");
    }
    for (operator, key) in [("<=", request.up_to), (">=", request.from)] {
        let Some(key) = key else {
            sql.push(", FALSE");
            continue;
        };
        sql.push(", EXISTS (SELECT ");
        list(sql);
        compare(sql, operator, key);
        sql.push(")");
    }
}

/// Reads what [`push_bounds`] selected.
pub(crate) fn bounds_from_row(row: &PgRow) -> Result<ListBounds> {
    Ok(ListBounds { total: row.try_get(0)?, up_to: row.try_get(1)?, from: row.try_get(2)? })
}
