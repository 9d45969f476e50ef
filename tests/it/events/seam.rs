//! Events as Seam's API lists them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::app::KINDS;
use latchkey::audit::ObjectType;
use latchkey::events::RETENTION;
use latchkey::events::seam::{self, Event, EventId, EventPage, ListRequest};
use serde_json::json;
use uuid::Uuid;

use crate::access_grants::Doors;
use crate::support::{Client, text};

/// A list of everything.
const ALL: ListRequest<'static> = ListRequest {
    since: None,
    until: None,
    types: None,
    access_grants: None,
    access_methods: None,
    ids: None,
    after: None,
    limit: 100,
};

struct Lists {
    doors: Doors,
}

impl Lists {
    async fn new() -> Self {
        Self { doors: Doors::new().await }
    }

    /// A page as a client's integration is shown it.
    async fn page(&self, client: &Client, request: ListRequest<'_>) -> EventPage {
        let test = &self.doors.house.test;
        let mut conn = test.worker_pool.acquire().await.expect("a connection");
        let integration = client.actor.principal.integration_id().expect("an integration");
        seam::list(&mut conn, self.doors.house.hotel.id, integration, self.now(), request).await.expect("a page")
    }

    /// What the lock vendor is shown.
    async fn list(&self, request: ListRequest<'_>) -> Vec<Event> {
        self.page(&self.doors.house.locks, request).await.events
    }

    async fn find(&self, client: &Client, id: EventId) -> Option<Event> {
        let test = &self.doors.house.test;
        let mut conn = test.worker_pool.acquire().await.expect("a connection");
        let integration = client.actor.principal.integration_id().expect("an integration");
        seam::find(&mut conn, self.doors.house.hotel.id, integration, self.now(), id).await.expect("answered")
    }

    /// A grant with one card; answers with the ids of both.
    async fn grant(&self, guest: &str) -> (Uuid, Uuid) {
        let grant = self.doors.grant(json!({"userIdentityId": guest, "entranceIds": ["gym-id"],
            "endsAt": "2025-06-30T09:00:00Z", "requestedAccessMethods": [{"mode": "CARD"}]}));
        let grant = grant.await;
        let method = text(&self.doors.methods(&grant, "id").await[0]["id"]);
        (grant.parse().expect("an id"), method.parse().expect("an id"))
    }

    fn now(&self) -> DateTime<Utc> {
        self.doors.house.test.clock.now()
    }
}

fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_type.as_str()).collect()
}

#[tokio::test]
async fn the_list_has_what_seams_api_knows_in_order_and_for_its_owner_alone() {
    let lists = Lists::new().await;
    let house = &lists.doors.house;
    house.stay("R1").await;
    let (grant, method) = lists.grant("guest-1").await;
    lists.doors.encode(&grant.to_string()).await;
    let events = lists.list(ALL).await;
    assert_eq!(types(&events), ["access_grant.created", "access_method.created", "access_method.issued"]);
    let written = serde_json::to_value(&events[2]).expect("JSON");
    let expected = json!({
        "event_id": events[2].event_id.to_string(), "event_type": "access_method.issued",
        "workspace_id": house.hotel.id, "created_at": "2025-05-09T09:00:00.000Z", "occurred_at": "2025-05-09T09:00:00.000Z",
        "access_method_id": method, "access_grant_ids": [grant],
    });
    assert_eq!(written, expected);
    for client in [&house.other_locks, &house.desk] {
        assert!(lists.page(client, ALL).await.events.is_empty(), "grants are told to those who made them");
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_type_time_grant_method_and_id() {
    let lists = Lists::new().await;
    let (first, card) = lists.grant("guest-1").await;
    lists.doors.house.test.advance(TimeDelta::hours(1));
    let noon = lists.now();
    let (second, _) = lists.grant("guest-2").await;
    lists.doors.encode(&second.to_string()).await;
    let all = lists.list(ALL).await;
    let expect = async |request: ListRequest<'_>, expected: &[usize]| {
        let found: Vec<EventId> = lists.list(request).await.iter().map(|event| event.event_id).collect();
        let expected: Vec<EventId> = expected.iter().map(|index| all[*index].event_id).collect();
        assert_eq!(found, expected, "{request:?}");
    };
    expect(ListRequest { since: Some(noon), ..ALL }, &[2, 3, 4]).await;
    expect(ListRequest { until: Some(noon), ..ALL }, &[0, 1]).await;
    expect(ListRequest { since: Some(noon), until: Some(noon), ..ALL }, &[]).await;
    expect(ListRequest { types: Some(&["access_grant.created".to_owned()]), ..ALL }, &[0, 2]).await;
    expect(ListRequest { types: Some(&["room_stay.created".to_owned()]), ..ALL }, &[]).await;
    expect(ListRequest { access_grants: Some(&[first]), ..ALL }, &[0, 1]).await;
    expect(ListRequest { access_grants: Some(&[first, second]), access_methods: Some(&[card]), ..ALL }, &[1]).await;
    expect(ListRequest { access_methods: Some(&[first]), ..ALL }, &[]).await;
    expect(ListRequest { access_grants: Some(&[card]), ..ALL }, &[]).await;
    expect(ListRequest { ids: Some(&[all[4].event_id, all[1].event_id]), ..ALL }, &[1, 4]).await;
    expect(ListRequest { ids: Some(&[]), ..ALL }, &[]).await;
    expect(ListRequest { ids: Some(&[all[1].event_id]), since: Some(noon), ..ALL }, &[]).await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let lists = Lists::new().await;
    for guest in ["guest-1", "guest-2", "guest-3"] {
        lists.grant(guest).await;
    }
    let all: Vec<EventId> = lists.list(ALL).await.iter().map(|event| event.event_id).collect();
    let (mut found, mut after) = (Vec::new(), None);
    for size in [4, 2] {
        let page = lists.page(&lists.doors.house.locks, ListRequest { after, limit: 4, ..ALL }).await;
        assert_eq!(page.events.len(), size);
        found.extend(page.events.iter().map(|event| event.event_id));
        after = page.more_after;
    }
    assert_eq!((found, after), (all, None));
}

#[tokio::test]
async fn an_event_is_found_by_its_id_by_whoever_may_see_it_as_long_as_it_is_kept() {
    let lists = Lists::new().await;
    let house = &lists.doors.house;
    lists.grant("guest-1").await;
    let event = lists.list(ALL).await.remove(0);
    let id = event.event_id;
    assert_eq!(lists.find(&house.locks, id).await.map(|found| found.event_id), Some(id));
    assert!(lists.find(&house.other_locks, id).await.is_none());
    // The right position is not enough, nor is any other id.
    let other = EventId::new(id.position(), &[7; 32]);
    for unknown in [other, Uuid::nil().into(), Uuid::max().into(), EventId::new(id.position() - 1, &[7; 32])] {
        assert!(lists.find(&house.locks, unknown).await.is_none(), "{unknown}");
    }
    house.test.advance(RETENTION);
    assert!(lists.find(&house.locks, id).await.is_some());
    house.test.advance(TimeDelta::microseconds(1));
    assert!(lists.find(&house.locks, id).await.is_none());
    let ever = ListRequest { since: Some(DateTime::UNIX_EPOCH), ..ALL };
    assert!(lists.list(ever).await.is_empty());
}

#[test]
fn only_kinds_whose_records_the_form_can_name_have_types_in_seams_api_each_its_own() {
    let types: Vec<&str> = KINDS.seam_types().collect();
    assert_eq!(types.iter().collect::<BTreeSet<_>>().len(), types.len(), "{types:?}");
    for kind in KINDS.kinds().iter().filter(|kind| !kind.seam.is_empty()) {
        assert!(matches!(kind.object, ObjectType::AccessGrant | ObjectType::AccessMethod), "{}", kind.event_type);
    }
}
