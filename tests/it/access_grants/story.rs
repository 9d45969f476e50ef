//! The story of a guest: access by the stay, a card, another room, two days more, a friend, the departure, the return.

use serde_json::{Value, json};

use super::acts::{Door, GRANT, door, encoder, grant, grant_of_stay, identity};
use crate::feed::{Follower, event, update};
use crate::support::{Client, House, fingerprint, nodes, text};

/// A guest with a stay in a room, and a vendor's bridge at the desk's encoder.
struct Guest {
    house: House,
    stay: String,
    rooms: [String; 2],
    encoder: String,
    anna: String,
}

impl Guest {
    async fn new() -> Self {
        let house = House::new().await;
        let stay = house.stay_in("101").await;
        let first = text(&house.desk.read_stay(&stay, "room_setup { id }").await["room_setup"]["id"]);
        let second = house.room("203").await;
        door(&house, Door::guest("101").of(&first)).await;
        door(&house, Door::guest("203").of(&second)).await;
        let encoder = encoder(&house).await;
        let anna = identity(&house.locks, "GUEST").await;
        Self { house, stay, rooms: [first, second], encoder, anna }
    }

    async fn move_to(&self, room: &str) {
        let input = json!({"roomStayId": self.stay, "roomSetupId": room});
        self.house.desk.done("moveRoomStay", input, "roomStay { id }").await;
    }

    async fn check(&self, came: Option<&str>, left: Option<&str>) {
        let input = json!({"id": self.stay, "check_in": came, "check_out": left});
        self.house.desk.done("updateRoomStay", input, "roomStay { id }").await;
    }

    /// Encodes a card as the desk's encoder does; answers with what was written.
    async fn encode(&self, method: &str) -> Value {
        let input = json!({"accessMethodId": method, "encoderId": self.encoder});
        self.house.locks.done("encodeAccessMethod", input, "actionAttempt { id status }").await;
        let claimed = self
            .house
            .locks
            .done(
                "claimLockCommands",
                json!({"first": 5}),
                "commands { id claimId accessMethodId card { startsAt endsAt credential doors { sequence reservationStartsAt } } }",
            )
            .await;
        let command = &claimed["commands"][0];
        assert_eq!(command["accessMethodId"], method, "{claimed}");
        let answer = json!({"id": command["id"], "claimId": command["claimId"]});
        self.house.locks.done("completeLockCommand", answer, "status").await;
        command["card"].clone()
    }

    /// The live grants of a vendor.
    async fn grants(&self, client: &Client) -> Vec<Value> {
        let query = format!("{{ accessGrants(first: 100) {{ edges {{ node {{ {GRANT} }} }} }} }}");
        nodes(&client.data(&query, json!({})).await["accessGrants"])
    }
}

fn codes(warnings: &Value) -> Vec<String> {
    warnings.as_array().expect("a list").iter().map(|warning| text(&warning["code"])).collect()
}

async fn method(client: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { accessMethods(filter: {id: {eq: $id}}) { edges { node { \
        id state encodedAt revokedAt warnings { code } } } } }";
    nodes(&client.data(query, json!({ "id": id })).await["accessMethods"]).remove(0)
}

#[tokio::test]
async fn the_whole_story_of_a_guest_and_what_each_subscriber_was_told() {
    let guest = Guest::new().await;
    let house = &guest.house;
    let (mut owner, mut other) = (Follower::new(&house.locks).await, Follower::new(&house.other_locks).await);

    // Access by the stay: its times, its room's door, itself as the reservation.
    let first = grant_of_stay(&house.locks, &guest.anna, &guest.stay).await;
    let card = text(&first["accessMethods"][0]["id"]);
    let id = text(&first["id"]);
    assert_eq!(first["reservationKey"], json!(guest.stay));
    assert_eq!(first["startsAt"], "2026-01-30T15:00:00+01:00");
    assert_eq!(first["endsAt"], "2026-02-02T11:00:00+01:00");
    assert_eq!(first["entrances"], json!([{"entranceKey": "101"}]));
    assert_eq!(first["accessMethods"][0]["state"], "ENCODING_REQUIRED");
    assert_eq!(first["warnings"], json!([]));
    assert_eq!(owner.told().await, [event("access_grant.created", &id), event("access_method.created", &card)]);
    assert_eq!(other.told().await, Vec::<Value>::new(), "grants are told to those who made them");

    // A card.
    let written = guest.encode(&card).await;
    assert_eq!(written["credential"], "GUEST");
    assert_eq!(written["doors"], json!([{"sequence": 1, "reservationStartsAt": "2026-01-30T15:00:00+01:00"}]));
    assert_eq!(method(&house.locks, &card).await["state"], "ENCODED");
    let told = owner.told().await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(told[0][0], "lock_command.created");
    assert_eq!(told[1], update("access_method.updated", &card, &["issuedAt", "encodedAt", "isEncodingRequired"]));

    // Another room: clear, then create.
    guest.move_to(&guest.rooms[1]).await;
    let moved = guest.grants(&house.locks).await.remove(0);
    let new_id = text(&moved["id"]);
    let new_card = text(&moved["accessMethods"][0]["id"]);
    assert_ne!(new_id, id);
    assert_eq!(moved["entrances"], json!([{"entranceKey": "203"}]));
    assert_eq!(codes(&moved["warnings"]), ["ENCODING_REQUIRED"]);
    let old = method(&house.locks, &card).await;
    assert_eq!(old["state"], "REVOKED");
    assert_eq!(codes(&old["warnings"]), ["CARD_COLLECTION_REQUIRED"]);
    let mut told = owner.told().await;
    told.sort_by_key(ToString::to_string);
    let mut expected = vec![
        update("room_stay.updated", &guest.stay, &["room_setup"]),
        event("access_method.revoked", &card),
        event("access_grant.deleted", &id),
        event("access_grant.created", &new_id),
        event("access_method.created", &new_card),
    ];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(told, expected);
    assert_eq!(other.told().await, [update("room_stay.updated", &guest.stay, &["room_setup"])]);
    guest.encode(&new_card).await;
    assert_eq!(guest.grants(&house.locks).await[0]["warnings"], json!([]));
    owner.told().await;

    // Two days more: the grant's only warning is that its card has to be encoded again, and encoding it empties the warnings.
    let longer = json!({"roomStayId": guest.stay, "reservation_to": "2026-02-04"});
    house.desk.done("changeRoomStayDates", longer, "roomStay { id }").await;
    let extended = guest.grants(&house.locks).await.remove(0);
    assert_eq!(extended["id"], json!(new_id), "it is the same grant");
    assert_eq!(extended["endsAt"], "2026-02-04T11:00:00+01:00");
    assert_eq!(codes(&extended["warnings"]), ["ENCODING_REQUIRED"]);
    assert_eq!(
        owner.told().await,
        [
            update("room_stay.updated", &guest.stay, &["reservation_to"]),
            update("access_grant.updated", &new_id, &["endsAt"]),
            update("access_method.updated", &new_card, &["isEncodingRequired"]),
        ]
    );
    let written = guest.encode(&new_card).await;
    assert_eq!(written["endsAt"], "2026-02-04T11:00:00+01:00");
    assert_eq!(guest.grants(&house.locks).await[0]["warnings"], json!([]));

    // A friend, whose access another vendor grants: both cards bear the same order, so the lock accepts both.
    let ben = identity(&house.other_locks, "GUEST").await;
    let joined = grant_of_stay(&house.other_locks, &ben, &guest.stay).await;
    assert_eq!(joined["reservationKey"], json!(guest.stay));
    let orders: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT count(DISTINCT g.reservation_id), max(d.sequence) FROM access_grants g
         JOIN access_reservation_doors d ON d.hotel_id = g.hotel_id AND d.reservation_id = g.reservation_id
         WHERE g.deleted_at IS NULL",
    )
    .fetch_all(&house.test.db.pool)
    .await
    .expect("the orders can be read");
    assert_eq!(orders, [(1, 1)]);
    assert_eq!(guest.grants(&house.desk).await.len(), 2, "the front desk sees all");
    assert_eq!(guest.grants(&house.locks).await.len(), 1);

    departs_and_comes_back(&guest, &new_card, &first["accessGrantKey"]).await;
    is_split(&guest).await;
}

/// The guest departs, and the reservation is cancelled: both are taken back.
async fn departs_and_comes_back(guest: &Guest, new_card: &str, key: &Value) {
    let house = &guest.house;
    // The departure takes both away; what is undone gives both back, with cards of their own.
    guest.check(Some("2026-01-30T16:00:00+01:00"), Some("2026-01-31T08:00:00+01:00")).await;
    assert_eq!(guest.grants(&house.desk).await, Vec::<Value>::new());
    assert_eq!(method(&house.locks, new_card).await["state"], "REVOKED");
    guest.check(Some("2026-01-30T16:00:00+01:00"), None).await;
    assert_eq!(guest.grants(&house.desk).await.len(), 2);

    // So do the cancellation and the return.
    let reservation = text(&house.desk.read_stay(&guest.stay, "reservation { id }").await["reservation"]["id"]);
    house.desk.done("cancelReservation", json!({ "id": reservation }), "reservation { id }").await;
    assert_eq!(guest.grants(&house.desk).await, Vec::<Value>::new());
    house.desk.done("reactivateReservation", json!({ "id": reservation }), "reservation { id }").await;
    let back = guest.grants(&house.locks).await.remove(0);
    assert_eq!(&back["accessGrantKey"], key);
    assert_eq!(back["accessMethods"][0]["state"], "ENCODING_REQUIRED");
    let written = guest.encode(&text(&back["accessMethods"][0]["id"])).await;
    assert_eq!(written["doors"][0]["sequence"], 3, "old cards of the same room stay dead");
}

/// The stay is split, and its second half deleted.
async fn is_split(guest: &Guest) {
    let house = &guest.house;
    // The second half of a split stay is a stay of its own.
    let input = json!({"roomStayId": guest.stay, "date": "2026-02-02"});
    let split = house.desk.done("splitRoomStay", input, "newRoomStay { id }").await;
    let half = text(&split["newRoomStay"]["id"]);
    let mut stays: Vec<(String, String)> = guest
        .grants(&house.desk)
        .await
        .iter()
        .map(|grant| (text(&grant["reservationKey"]), text(&grant["endsAt"])))
        .collect();
    stays.sort_by_key(|(_, ends_at)| ends_at.clone());
    let (sooner, later) = ("2026-02-02T11:00:00+01:00".to_owned(), "2026-02-04T11:00:00+01:00".to_owned());
    let stay = guest.stay.clone();
    assert_eq!(
        stays,
        [(stay.clone(), sooner.clone()), (stay, sooner), (half.clone(), later.clone()), (half.clone(), later)]
    );

    // A deleted stay takes its grants with it.
    house.desk.done("deleteRoomStay", json!({ "roomStayId": half }), "deleted").await;
    assert_eq!(guest.grants(&house.desk).await.len(), 2);
}

#[tokio::test]
async fn the_whole_story_under_test_keys_leaves_nothing() {
    let guest = Guest::new().await;
    let house = &guest.house;
    let real = grant_of_stay(&house.locks, &guest.anna, &guest.stay).await;
    let card = text(&real["accessMethods"][0]["id"]);
    let before = fingerprint(&house.test.db.pool).await;
    let tests = |client: &Client| {
        let mut client = client.clone();
        client.actor.mode = latchkey::actor::Mode::Test;
        client
    };
    let (locks, desk) = (tests(&house.locks), tests(&house.desk));
    grant(&locks, json!({"userIdentityId": guest.anna, "roomStayId": guest.stay})).await;
    let free = json!({
        "userIdentityId": guest.anna, "entranceIds": ["203"], "reservationKey": "stay-1",
        "requestedAccessMethods": [{"mode": "CARD"}],
    });
    grant(&locks, free).await;
    let stay = &guest.stay;
    let encode = json!({"accessMethodId": card, "encoderId": guest.encoder});
    locks.done("encodeAccessMethod", encode, "actionAttempt { id status }").await;
    locks.done("claimLockCommands", json!({"first": 5}), "commands { id }").await;
    locks.done("deleteAccessMethod", json!({ "accessMethodId": card }), "accessMethod { state }").await;
    locks.done("deleteAccessGrant", json!({ "id": real["id"] }), "deleted").await;
    let to = json!({"roomStayId": stay, "roomSetupId": guest.rooms[1]});
    desk.done("moveRoomStay", to, "roomStay { id }").await;
    let longer = json!({"roomStayId": stay, "reservation_to": "2026-02-04"});
    desk.done("changeRoomStayDates", longer, "roomStay { id }").await;
    let left = json!({"id": stay, "check_in": "2026-01-30T16:00:00Z", "check_out": "2026-01-31T08:00:00Z"});
    desk.done("updateRoomStay", left, "roomStay { id }").await;
    desk.done("splitRoomStay", json!({"roomStayId": stay, "date": "2026-02-01"}), "newRoomStay { id }").await;
    desk.done("deleteRoomStay", json!({ "roomStayId": stay }), "deleted").await;
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}
