//! Connections after the Relay specification, and their cursors.

use async_graphql::{OutputType, SimpleObject};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike, NaiveDate};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::api_keys::ApiKeyNode;
use super::audit::AuditEntryNode;
use super::clients::ClientNode;
use super::integrations::IntegrationNode;
use super::reservations::ReservationNode;
use super::room_access_keys::RoomAccessKeyNode;
use super::room_stays::RoomStayNode;
use super::selection::Selection;
use super::webhooks::{WebhookDeliveryNode, WebhookEndpointNode};
use crate::db::{Extent, ExtentRequest, Page, PageRequest};
use crate::error::{Error, ErrorAt, ErrorCode, Result};
use crate::hotels::HotelId;

const DEFAULT_SIZE: u8 = 20;
const LARGEST_SIZE: i32 = 100;

/// One page of a list, with what is needed to ask for the next one.
#[derive(SimpleObject)]
#[graphql(
    // The schema knows it as part of `RoomStayConnection`.
    concrete(name = "RoomStayList", params(RoomStayNode)),
    concrete(name = "ReservationConnection", params(ReservationNode)),
    concrete(name = "RoomAccessKeyConnection", params(RoomAccessKeyNode)),
    concrete(name = "ClientConnection", params(ClientNode)),
    concrete(name = "WebhookEndpointConnection", params(WebhookEndpointNode)),
    concrete(name = "WebhookDeliveryConnection", params(WebhookDeliveryNode)),
    concrete(name = "ApiKeyConnection", params(ApiKeyNode)),
    concrete(name = "IntegrationConnection", params(IntegrationNode)),
    concrete(name = "AuditEntryConnection", params(AuditEntryNode))
)]
pub struct Connection<N: OutputType>
where
    Edge<N>: OutputType,
{
    /// The records of the page, in the order of the list.
    edges: Vec<Edge<N>>,
    /// Whether there is more, and where it starts.
    page_info: PageInfo,
    /// How many records the whole list has. Counted only when selected.
    total_count: i64,
}

/// A record of a page, and the cursor that points at it.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "RoomStayEdge", params(RoomStayNode)),
    concrete(name = "ReservationEdge", params(ReservationNode)),
    concrete(name = "RoomAccessKeyEdge", params(RoomAccessKeyNode)),
    concrete(name = "ClientEdge", params(ClientNode)),
    concrete(name = "WebhookEndpointEdge", params(WebhookEndpointNode)),
    concrete(name = "WebhookDeliveryEdge", params(WebhookDeliveryNode)),
    concrete(name = "ApiKeyEdge", params(ApiKeyNode)),
    concrete(name = "IntegrationEdge", params(IntegrationNode)),
    concrete(name = "AuditEntryEdge", params(AuditEntryNode))
)]
pub struct Edge<N: OutputType> {
    /// Opaque. Give it to `after` or `before` of the same connection with the same filter.
    cursor: String,
    /// The record.
    node: N,
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

impl<N: OutputType> Connection<N>
where
    Edge<N>: OutputType,
{
    /// Puts a connection together from a page of records with their sort keys, and what is known of the list around it.
    pub fn new<K: CursorKey>(page: Page<(K, N)>, extent: Extent, request: &PageRequest<K>, binding: Binding) -> Self {
        let edges: Vec<Edge<N>> =
            page.items.into_iter().map(|(key, node)| Edge { cursor: binding.cursor(&key), node }).collect();
        let (has_previous_page, has_next_page) = extent.around(page.more, request.from_end);
        let page_info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Self { edges, page_info, total_count: extent.total }
    }
}

/// What a client says about the page it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageArguments {
    /// The first so many.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// The last so many.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// Checks them for a list.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, and `INVALID_CURSOR` for the cursor of another list.
    pub fn request<K: CursorKey>(&self, binding: Binding) -> Result<PageRequest<K>> {
        let (size, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::invalid("Use either first or last").at("last")),
            (None, Some(last)) => (size(last).at("last")?, true),
            (Some(first), None) => (size(first).at("first")?, false),
            (None, None) => (DEFAULT_SIZE, false),
        };
        let cursor = |text: &Option<String>, name| text.as_ref().map(|text| binding.key(text).at(name)).transpose();
        Ok(PageRequest {
            size,
            from_end,
            after: cursor(&self.after, "after")?,
            before: cursor(&self.before, "before")?,
        })
    }
}

/// How many records to put on a page that is read forwards only: 20 when not said.
///
/// # Errors
/// `INVALID_ARGUMENT` outside 0 to 100
pub fn page_size(first: Option<i32>) -> Result<u8> {
    first.map_or(Ok(DEFAULT_SIZE), size)
}

fn size(count: i32) -> Result<u8> {
    u8::try_from(count)
        .ok()
        .filter(|_| count <= LARGEST_SIZE)
        .ok_or_else(|| Error::invalid(format!("A page has between 0 and {LARGEST_SIZE} records")))
}

/// What has to be found out about a list, beside the page, to answer what was selected of its connection.
pub fn extent_request<K: Copy>(connection: &Selection<'_>, request: &PageRequest<K>) -> ExtentRequest<K> {
    let page_info = connection.field("pageInfo");
    let (previous, next) = (page_info.has("hasPreviousPage"), page_info.has("hasNextPage"));
    ExtentRequest::beside(request, connection.has("totalCount"), previous, next)
}

/// What a cursor belongs to: a connection of a hotel, with a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; 8]);

impl Binding {
    /// Binds cursors to everything that decides which records are in a list, and in which order.
    pub fn new(hotel: HotelId, connection: &str, filter: &impl std::fmt::Debug) -> Self {
        let digest = Sha256::digest(format!("{hotel}\n{connection}\n{filter:?}"));
        Self(*digest.first_chunk().expect("a digest is longer than eight bytes"))
    }

    /// The cursor of the record with that sort key.
    pub fn cursor<K: CursorKey>(self, key: &K) -> String {
        URL_SAFE_NO_PAD.encode([&self.0[..], &key.to_bytes()].concat())
    }

    /// The sort key in a cursor.
    ///
    /// # Errors
    /// `INVALID_CURSOR` for the cursor of another list.
    pub fn key<K: CursorKey>(self, cursor: &str) -> Result<K> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let key = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&self.0)).and_then(K::from_bytes);
        key.ok_or_else(|| {
            Error::new(ErrorCode::InvalidCursor, "This cursor does not belong to this connection with this filter")
        })
    }
}

/// A sort key that can be told in a cursor.
pub trait CursorKey: Copy {
    /// The key in bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// The other way round; `None` for bytes that are no key.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl CursorKey for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl CursorKey for Uuid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

impl CursorKey for (NaiveDate, Uuid) {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.0.num_days_from_ce().to_be_bytes()[..], self.1.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (days, id) = bytes.split_first_chunk()?;
        let date = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*days))?;
        // No stay departs later, and PostgreSQL has fewer dates than chrono.
        (0..=9999).contains(&date.year()).then_some((date, Uuid::from_slice(id).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_list_only() {
        let hotel = Uuid::from_u128(1);
        let binding = Binding::new(hotel, "room_stays", &"filter");
        let key = (NaiveDate::from_ymd_opt(2026, 2, 5).expect("a date"), Uuid::from_u128(7));
        let cursor = binding.cursor(&key);
        assert_eq!(binding.key::<(NaiveDate, Uuid)>(&cursor).expect("its own cursor"), key);
        for other in [
            Binding::new(Uuid::from_u128(2), "room_stays", &"filter"),
            Binding::new(hotel, "rooms", &"filter"),
            Binding::new(hotel, "room_stays", &"other"),
        ] {
            assert!(other.key::<(NaiveDate, Uuid)>(&cursor).is_err());
        }
        for bad in ["", "!", "AAAA", &cursor[1..], &format!("{cursor}A")] {
            assert!(binding.key::<(NaiveDate, Uuid)>(bad).is_err(), "{bad}");
        }
    }
}
