//! Events as Seam's API lists them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::app::KINDS;
use latchkey::audit::ObjectType;
use latchkey::db::{Page, PageRequest};
use latchkey::events::RETENTION;
use latchkey::events::seam::{self, Event, EventId, EventList};
use serde_json::json;
use uuid::Uuid;

use crate::access_grants::Doors;
use crate::support::{Client, text};

struct Lists {
    doors: Doors,
}

impl Lists {
    async fn new() -> Self {
        Self { doors: Doors::new().await }
    }

    /// A page as a client's integration is shown it.
    async fn page(&self, client: &Client, list: &EventList, request: &PageRequest<i64>) -> Page<Event> {
        let test = &self.doors.house.test;
        let mut conn = test.worker_pool.acquire().await.expect("a connection");
        let integration = client.actor.principal.integration_id().expect("an integration");
        let hotel = self.doors.house.hotel.id;
        seam::page(&mut conn, hotel, integration, self.now(), list, request).await.expect("a page")
    }

    /// What the lock vendor is shown.
    async fn list(&self, list: EventList) -> Vec<Event> {
        self.page(&self.doors.house.locks, &list, &PageRequest::first(100)).await.items
    }

    /// All that the lock vendor is shown.
    async fn all(&self) -> Vec<Event> {
        self.list(EventList::default()).await
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
    let events = lists.all().await;
    assert_eq!(types(&events), ["access_grant.created", "access_method.created", "access_method.issued"]);
    let written = serde_json::to_value(&events[2]).expect("JSON");
    let expected = json!({
        "event_id": events[2].event_id.to_string(), "event_type": "access_method.issued",
        "workspace_id": house.hotel.id, "created_at": "2025-05-09T09:00:00.000Z", "occurred_at": "2025-05-09T09:00:00.000Z",
        "access_method_id": method, "access_grant_ids": [grant],
    });
    assert_eq!(written, expected);
    for client in [&house.other_locks, &house.desk] {
        let shown = lists.page(client, &EventList::default(), &PageRequest::first(100)).await.items;
        assert!(shown.is_empty(), "grants are told to those who made them");
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
    let all = lists.all().await;
    let expect = async |list: EventList, expected: &[usize]| {
        let said = format!("{list:?}");
        let found: Vec<EventId> = lists.list(list).await.iter().map(|event| event.event_id).collect();
        let expected: Vec<EventId> = expected.iter().map(|index| all[*index].event_id).collect();
        assert_eq!(found, expected, "{said}");
    };
    let list = EventList::default;
    let types = |name: &str| Some(vec![name.to_owned()]);
    expect(EventList { since: Some(noon), ..list() }, &[2, 3, 4]).await;
    expect(EventList { until: Some(noon), ..list() }, &[0, 1]).await;
    expect(EventList { since: Some(noon), until: Some(noon), ..list() }, &[]).await;
    expect(EventList { types: types("access_grant.created"), ..list() }, &[0, 2]).await;
    expect(EventList { types: types("room_stay.created"), ..list() }, &[]).await;
    expect(EventList { access_grants: Some(vec![first]), ..list() }, &[0, 1]).await;
    expect(EventList { access_grants: Some(vec![card]), ..list() }, &[]).await;
    let both = EventList { access_grants: Some(vec![first, second]), access_methods: Some(vec![card]), ..list() };
    expect(both, &[1]).await;
    expect(EventList { access_methods: Some(vec![first]), ..list() }, &[]).await;
    expect(EventList { ids: Some(vec![all[4].event_id, all[1].event_id]), ..list() }, &[1, 4]).await;
    expect(EventList { ids: Some(Vec::new()), ..list() }, &[]).await;
    expect(EventList { ids: Some(vec![all[1].event_id]), since: Some(noon), ..list() }, &[]).await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let lists = Lists::new().await;
    for guest in ["guest-1", "guest-2", "guest-3"] {
        lists.grant(guest).await;
    }
    let all: Vec<EventId> = lists.all().await.iter().map(|event| event.event_id).collect();
    for list in [EventList::default(), EventList { ids: Some(all.clone()), ..EventList::default() }] {
        let (mut found, mut more, mut sizes) = (Vec::new(), true, Vec::new());
        while more {
            let after = found.last().copied().map(EventId::position);
            let request = PageRequest { after, ..PageRequest::first(4) };
            let page = lists.page(&lists.doors.house.locks, &list, &request).await;
            found.extend(page.items.iter().map(|event| event.event_id));
            more = page.more;
            sizes.push(page.items.len());
        }
        assert_eq!((&found, &sizes[..]), (&all, &[4, 2][..]));
    }
}

#[tokio::test]
async fn an_event_is_found_by_its_id_by_whoever_may_see_it_as_long_as_it_is_kept() {
    let lists = Lists::new().await;
    let house = &lists.doors.house;
    lists.grant("guest-1").await;
    let event = lists.all().await.remove(0);
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
    let ever = EventList { since: Some(DateTime::UNIX_EPOCH), ..EventList::default() };
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
