//! Connections after the Relay specification.

use std::borrow::Cow;

use async_graphql::{OutputType, SimpleObject, TypeName};

use super::paging::{CursorKey, CursorScope};
use crate::db::{ListBounds, Page, PageRequest};

/// A record that connections list, with the names that the schema has for the types around it.
pub trait ListNode: OutputType {
    /// Name of the type of a page.
    const CONNECTION: &'static str;
    /// Name of the type of a place in a page.
    const EDGE: &'static str;
}

/// One page of a list, with what is needed to ask for the next one.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Connection<N: ListNode> {
    /// The records of the page, in the order of the list.
    edges: Vec<Edge<N>>,
    /// Whether there is more, and where it starts.
    page_info: PageInfo,
    /// How many records the whole list has. Counted only when selected.
    total_count: i64,
}

impl<N: ListNode> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        N::CONNECTION.into()
    }
}

/// A record of a page, and the cursor that points at it.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<N: ListNode> {
    /// Opaque. Give it to `after` or `before` of the same connection with the same filter.
    cursor: String,
    /// The record.
    node: N,
}

impl<N: ListNode> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        N::EDGE.into()
    }
}

/// Where a page stands in its list.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether there are records behind the page.
    has_next_page: bool,
    /// Whether there are records before the page.
    has_previous_page: bool,
    /// Cursor of the first record; `null` on an empty page.
    start_cursor: Option<String>,
    /// Cursor of the last record: give it to `after` to read on. `null` on an empty page.
    end_cursor: Option<String>,
}

impl<N: ListNode> Connection<N> {
    /// Puts a connection together from a page of records with their sort keys, and what is known of the list around it.
    pub fn new<K: CursorKey>(
        page: Page<(K, N)>,
        bounds: ListBounds,
        request: &PageRequest<K>,
        scope: CursorScope<'_>,
    ) -> Self {
        let edges: Vec<Edge<N>> =
            page.items.into_iter().map(|(key, node)| Edge { cursor: scope.cursor(&key), node }).collect();
        let (has_previous_page, has_next_page) = bounds.around(page.more, request.from_end);
        let page_info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Self { edges, page_info, total_count: bounds.total }
    }
}
