//! Grants that meet in the database: one winner, no deadlock for anybody, no state that the rules forbid.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::acts::{Door, door, grant, identity};
use crate::support::{Client, House, code, text};

/// How often a race is run: either order has to come out right.
const ROUNDS: usize = 15;

/// Two rooms with their doors, and a guest of each vendor.
struct Doors {
    house: House,
    guests: [String; 2],
    first: String,
    second: String,
}

impl Doors {
    async fn new() -> Self {
        let house = House::new().await;
        let (one, two) = (house.room("101").await, house.room("102").await);
        let first = door(&house, Door::guest("101").of(&one)).await;
        let second = door(&house, Door::guest("102").of(&two)).await;
        let guests = [identity(&house.locks, "GUEST").await, identity(&house.other_locks, "GUEST").await];
        Self { house, guests, first, second }
    }

    fn input(&self, of: usize, doors: &[&String], key: &str) -> Value {
        json!({
            "userIdentityId": self.guests[of], "entranceIds": doors, "reservationKey": key,
            "startsAt": "2026-02-01T15:00:00Z", "endsAt": "2026-02-03T11:00:00Z",
            "requestedAccessMethods": [{"mode": "CARD"}],
        })
    }
}

async fn create(client: &Client, input: Value) -> Value {
    client.act("createAccessGrant", input, "accessGrant { id }").await
}

/// What no history may leave behind, as far as a statement can tell.
pub async fn expect_invariants(pool: &PgPool) {
    for (what, statement) in [
        (
            "a live grant has doors beside the door set of its reservation",
            "SELECT count(*) FROM access_grants g
             JOIN access_grant_entrances e ON e.hotel_id = g.hotel_id AND e.grant_id = g.id
             JOIN entrances n ON n.hotel_id = g.hotel_id AND n.id = e.entrance_id AND n.can_belong_to_reservation
             WHERE g.deleted_at IS NULL AND g.reservation_id IS NOT NULL AND NOT EXISTS (
                 SELECT FROM access_reservation_doors d WHERE d.hotel_id = g.hotel_id
                 AND d.reservation_id = g.reservation_id AND d.entrance_id = e.entrance_id)",
        ),
        (
            "live grants of a reservation do not overlap",
            "SELECT count(*) FROM access_grants a JOIN access_grants b
             ON b.hotel_id = a.hotel_id AND b.reservation_id = a.reservation_id AND a.id < b.id
             WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL
             AND NOT tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)",
        ),
        (
            "a live grant belongs to a reservation that has ended",
            "SELECT count(*) FROM access_grants g JOIN access_reservations r
             ON r.hotel_id = g.hotel_id AND r.id = g.reservation_id
             WHERE g.deleted_at IS NULL AND r.ended_at IS NOT NULL",
        ),
        (
            "a reservation without live grants has not ended",
            "SELECT count(*) FROM access_reservations r WHERE r.ended_at IS NULL AND NOT EXISTS (
                 SELECT FROM access_grants g WHERE g.hotel_id = r.hotel_id AND g.reservation_id = r.id
                 AND g.deleted_at IS NULL)",
        ),
        (
            "a deleted grant has a method that was not revoked",
            "SELECT count(*) FROM access_methods m JOIN access_grants g ON g.hotel_id = m.hotel_id AND g.id = m.grant_id
             WHERE g.deleted_at IS NOT NULL AND m.revoked_at IS NULL AND NOT m.refused",
        ),
        (
            "a live grant of a stay has not the doors of its room",
            "SELECT count(*) FROM access_grants g JOIN room_stays s ON s.hotel_id = g.hotel_id AND s.id = g.room_stay_id
             JOIN access_grant_entrances e ON e.hotel_id = g.hotel_id AND e.grant_id = g.id AND e.of_stay
             WHERE g.deleted_at IS NULL AND NOT EXISTS (
                 SELECT FROM space_entrances d WHERE d.hotel_id = g.hotel_id AND d.space_id = s.room_setup_id
                 AND d.entrance_id = e.entrance_id)",
        ),
        (
            "a live grant belongs to a stay that is gone, left or cancelled",
            "SELECT count(*) FROM access_grants g
             LEFT JOIN room_stays s ON s.hotel_id = g.hotel_id AND s.id = g.room_stay_id
             LEFT JOIN reservations r ON r.hotel_id = g.hotel_id AND r.id = s.reservation_id
             WHERE g.deleted_at IS NULL AND g.room_stay_id IS NOT NULL
             AND (s.id IS NULL OR s.check_out IS NOT NULL OR r.status = 'CANCELLED')",
        ),
    ] {
        let count: i64 = sqlx::query_scalar(statement).fetch_one(pool).await.expect("it can be counted");
        assert_eq!(count, 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_first_grants_of_one_key_one_establishes_the_reservation() {
    let doors = Doors::new().await;
    let client = &doors.house.locks;
    for round in 0..ROUNDS {
        let key = format!("stay-{round}");
        let answers = join(
            create(client, doors.input(0, &[&doors.first], &key)),
            create(client, doors.input(0, &[&doors.second], &key)),
        )
        .await;
        let mut codes = [code(&answers.0), code(&answers.1)];
        codes.sort_unstable();
        assert_eq!(codes, ["RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP", "no error"]);
        // The same doors: both are granted, in one reservation.
        let key = format!("family-{round}");
        let answers = join_all((0..4).map(|_| create(client, doors.input(0, &[&doors.first], &key)))).await;
        assert!(answers.iter().all(|answer| code(answer) == "no error"), "{answers:#?}");
    }
    expect_invariants(&doors.house.test.db.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_joiner_that_meets_the_deletion_of_the_first_grant_joins_or_begins_anew() {
    let doors = Doors::new().await;
    let client = &doors.house.locks;
    for round in 0..ROUNDS {
        let key = format!("stay-{round}");
        let first = grant(client, doors.input(0, &[&doors.first], &key)).await;
        let granting = create(client, doors.input(0, &[&doors.first], &key));
        let deleting = client.act("deleteAccessGrant", json!({"id": first["id"]}), "deleted");
        let answers = if round % 2 == 0 {
            join(granting, deleting).await
        } else {
            let (deletion, grant) = join(deleting, granting).await;
            (grant, deletion)
        };
        assert_eq!([code(&answers.0), code(&answers.1)], ["no error"; 2]);
        expect_invariants(&doors.house.test.db.pool).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_overriding_grant_that_meets_an_update_leaves_two_reservations_in_order() {
    let doors = Doors::new().await;
    let (mine, theirs) = (&doors.house.locks, &doors.house.other_locks);
    for round in 0..ROUNDS {
        let key = format!("stay-{round}");
        let first = grant(mine, doors.input(0, &[&doors.first, &doors.second], &key)).await;
        let longer = json!({"id": first["id"], "endsAt": "2026-02-05T11:00:00Z"});
        let (overriding, updated) = join(
            create(theirs, doors.input(1, &[&doors.second, &doors.first], &key)),
            mine.act("updateAccessGrant", longer, "accessGrant { id }"),
        )
        .await;
        assert_eq!([code(&overriding), code(&updated)], ["no error"; 2]);
    }
    expect_invariants(&doors.house.test.db.pool).await;
    let twice: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM access_reservation_doors GROUP BY hotel_id, entrance_id, sequence
         HAVING count(*) > 1) AS twice",
    )
    .fetch_one(&doors.house.test.db.pool)
    .await
    .expect("it can be counted");
    assert_eq!(twice, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_meets_at_once_leaves_what_the_rules_allow() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let rooms: Vec<String> = sqlx::query_scalar("SELECT id::text FROM room_setups ORDER BY name")
        .fetch_all(&house.test.db.pool)
        .await
        .expect("rooms");
    let (reservation, stays) = house.reservation("R1", &[("2026-01-31", "2026-02-03"); 2]).await;
    for (stay, room) in stays.iter().zip(&rooms) {
        let input = json!({"roomStayId": stay, "roomSetupId": room});
        house.desk.done("moveRoomStay", input, "roomStay { id }").await;
    }
    let by_stay = |client: &Client, guest: &String, stay: &String| {
        let input = json!({"userIdentityId": guest, "roomStayId": stay, "requestedAccessMethods": [{"mode": "CARD"}]});
        let client = client.clone();
        async move { vec![create(&client, input).await] }
    };
    let desk = |acts: Vec<(&'static str, Value)>| {
        let client = house.desk.clone();
        async move {
            let mut answers = Vec::new();
            for (name, input) in acts {
                answers.push(client.act(name, input, "__typename").await);
            }
            answers
        }
    };
    for round in 0..ROUNDS {
        let swap = json!({"firstRoomStayId": stays[round % 2], "secondRoomStayId": stays[(round + 1) % 2]});
        let to = if round % 2 == 0 { "2026-02-04" } else { "2026-02-03" };
        let answers = join_all([
            Box::pin(by_stay(&house.locks, &doors.guests[0], &stays[0]))
                as std::pin::Pin<Box<dyn Future<Output = Vec<Value>> + Send>>,
            Box::pin(by_stay(&house.other_locks, &doors.guests[1], &stays[0])),
            Box::pin(by_stay(&house.other_locks, &doors.guests[1], &stays[1])),
            Box::pin(desk(vec![("swapRoomStays", swap)])),
            Box::pin(desk(vec![("changeRoomStayDates", json!({"roomStayId": stays[0], "reservation_to": to}))])),
            Box::pin(desk(vec![
                ("cancelReservation", json!({ "id": reservation })),
                ("reactivateReservation", json!({ "id": reservation })),
            ])),
        ])
        .await;
        for answer in answers.iter().flatten() {
            let fine = ["no error", "RESERVATION_CANCELLED"];
            assert!(fine.contains(&code(answer)), "{answer:#}");
        }
        expect_invariants(&house.test.db.pool).await;
    }
    let live: i64 = sqlx::query_scalar("SELECT count(*) FROM access_grants WHERE deleted_at IS NULL")
        .fetch_one(&house.test.db.pool)
        .await
        .expect("it can be counted");
    assert!(live > 0, "grants came through");
    assert_eq!(text(&house.desk.read_stay(&stays[0], "id").await["id"]), stays[0]);
}
