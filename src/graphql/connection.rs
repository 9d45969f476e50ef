//! Connections after the Relay specification.

use async_graphql::{OutputType, SimpleObject};

use super::api_keys::ApiKeyNode;
use super::audit::AuditEntryNode;
use super::clients::ClientNode;
use super::integrations::IntegrationNode;
use super::paging::{CursorKey, CursorScope};
use super::reservations::ReservationNode;
use super::room_access_keys::RoomAccessKeyNode;
use super::room_stays::RoomStayNode;
use super::webhooks::{WebhookDeliveryNode, WebhookEndpointNode};
use crate::db::{ListBounds, Page, PageRequest};

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
