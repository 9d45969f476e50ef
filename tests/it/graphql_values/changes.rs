//! Inputs that change a record: what is absent stays as it is, and only null takes away.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sandbox::Round;
use crate::support::{Client, code, fingerprint};

/// A member, what to give it, and where the payload shows it if null can take it away.
type Member = (&'static str, Value, Option<&'static str>);

/// A mutation that changes a record.
struct Changing {
    name: &'static str,
    /// Members that name the record.
    record: Value,
    /// All others but `reason`.
    members: Vec<Member>,
    /// What to select of the payload.
    selection: &'static str,
}

impl Round {
    /// One for each mutation of the schema that changes what a record already holds.
    async fn changing(&self) -> Vec<Changing> {
        let company = self.live.done("createClient", json!({"company": {"company": "Acme"}}), "client { id }").await;
        let mut all = self.of_rooms();
        all.extend(self.of_stays());
        all.extend(self.of_locks());
        all.extend(self.of_grants());
        all.push(Changing {
            name: "updateClient",
            record: self.record("updateClient", "id"),
            members: [
                contact(),
                vec![
                    ("firstname", json!("Jane"), Some("/client/firstname")),
                    ("lastname", json!("Doe"), None),
                    ("birthday", json!("1990-01-01"), Some("/client/birthday")),
                ],
            ]
            .concat(),
            selection: "client { ... on Person { firstname birthday language email telephone mobile carPlateNumber \
                street zipcode city country } }",
        });
        all.push(Changing {
            name: "updateClient",
            record: json!({"id": company["client"]["id"]}),
            members: [contact(), vec![("company", json!("Acme Ltd"), None)]].concat(),
            selection: "client { language email telephone mobile carPlateNumber street zipcode city country }",
        });
        let client = self.record("updateClient", "id")["id"].take();
        all.push(Changing {
            name: "updateReservation",
            record: self.record("updateReservation", "id"),
            members: vec![
                ("code", json!("R40"), None),
                ("clientId", client.clone(), None),
                ("contactId", client, Some("/reservation/contact")),
                ("groupName", json!("Group"), Some("/reservation/groupName")),
                ("bookingChannelCode", json!("C1"), Some("/reservation/bookingChannelCode")),
                ("bookingSource", json!("web"), Some("/reservation/bookingSource")),
                ("pmsUrl", json!("https://pms.example.com/4"), Some("/reservation/pmsUrl")),
                ("notes", json!("late"), Some("/reservation/notes")),
                ("selfcheckinStatus", json!("AVAILABLE"), None),
            ],
            selection: "reservation { contact { id } groupName bookingChannelCode bookingSource { name } pmsUrl notes }",
        });
        all.push(Changing {
            name: "updateWebhookEndpoint",
            record: self.record("updateWebhookEndpoint", "id"),
            members: vec![
                ("url", json!("https://example.com/new"), None),
                ("status", json!("DISABLED"), None),
                ("events", json!(["room_stay.updated"]), None),
            ],
            selection: "webhookEndpoint { id }",
        });
        all
    }

    fn of_rooms(&self) -> Vec<Changing> {
        vec![
            Changing {
                name: "updateCategory",
                record: self.record("updateCategory", "id"),
                members: vec![
                    ("name", json!("Twin"), None),
                    ("description", json!("Two beds"), Some("/category/description")),
                ],
                selection: "category { name description }",
            },
            Changing {
                name: "updateRoomSetup",
                record: self.record("updateRoomSetup", "id"),
                members: vec![
                    ("cleaningStatus", json!("DIRTY"), None),
                    ("name", json!("202"), None),
                    ("areaName", json!("Garden"), Some("/roomSetup/areaName")),
                    ("categoryId", self.record("updateCategory", "id")["id"].take(), None),
                ],
                selection: "roomSetup { areaName }",
            },
        ]
    }

    fn of_locks(&self) -> Vec<Changing> {
        let vendor = self.house.keys.integration_id;
        vec![
            Changing {
                name: "updateEntrance",
                record: self.record("updateEntrance", "id"),
                members: vec![
                    ("entranceKey", json!("front-door"), Some("/entrance/entranceKey")),
                    ("name", json!("Front door"), None),
                    ("provider", json!("BRIVO"), None),
                    ("canBelongToReservation", json!(false), None),
                    ("modes", json!(["CODE"]), None),
                ],
                selection: "entrance { entranceKey }",
            },
            Changing {
                name: "updateSpace",
                record: self.record("updateSpace", "id"),
                members: vec![
                    ("spaceKey", json!("whole-house"), Some("/space/spaceKey")),
                    ("name", json!("Whole house"), None),
                ],
                selection: "space { spaceKey }",
            },
            Changing {
                name: "updateEncoder",
                record: self.record("updateEncoder", "id"),
                members: vec![
                    ("encoderKey", json!("front-desk"), Some("/encoder/encoderKey")),
                    ("name", json!("Front desk"), None),
                    ("provider", json!("BRIVO"), None),
                    ("integrationId", json!(vendor), Some("/encoder/integration")),
                ],
                selection: "encoder { encoderKey integration { id } }",
            },
        ]
    }

    fn of_grants(&self) -> Vec<Changing> {
        let client = self.record("updateClient", "id")["id"].take();
        vec![
            Changing {
                name: "updateUserIdentity",
                record: self.record("updateUserIdentity", "id"),
                members: vec![
                    ("kind", json!("RESIDENT"), None),
                    ("fullName", json!("Jane Roe"), Some("/userIdentity/fullName")),
                    ("emailAddress", json!("jane@example.com"), Some("/userIdentity/emailAddress")),
                    ("phoneNumber", json!("1"), Some("/userIdentity/phoneNumber")),
                    ("clientId", client, Some("/userIdentity/client")),
                    // The record goes by its key, so this is taken away last.
                    ("userIdentityKey", json!("guest-1"), Some("/userIdentity/userIdentityKey")),
                ],
                selection: "userIdentity { fullName emailAddress phoneNumber client { id } userIdentityKey }",
            },
            Changing {
                name: "updateAccessGrant",
                record: self.record("updateAccessGrant", "id"),
                members: vec![
                    ("startsAt", json!("2026-01-31T15:00:00Z"), None),
                    ("endsAt", json!("2026-02-02T11:00:00Z"), Some("/accessGrant/endsAt")),
                    ("name", json!("Jane"), Some("/accessGrant/name")),
                    ("entranceIds", json!(["room-301-id"]), None),
                    ("spaceIds", json!([]), None),
                ],
                selection: "accessGrant { endsAt name }",
            },
        ]
    }

    fn of_stays(&self) -> Vec<Changing> {
        vec![
            Changing {
                name: "updateRoomStay",
                record: self.record("updateRoomStay", "id"),
                members: vec![
                    ("check_out", json!("2026-02-01T11:00:00+01:00"), Some("/roomStay/check_out")),
                    ("check_in", json!("2026-01-30T15:00:00+01:00"), Some("/roomStay/check_in")),
                ],
                selection: "roomStay { check_in check_out }",
            },
            Changing {
                name: "moveRoomStay",
                record: self.record("moveRoomStay", "roomStayId"),
                members: vec![(
                    "roomSetupId",
                    self.record("updateRoomSetup", "id")["id"].take(),
                    Some("/roomStay/room_setup"),
                )],
                selection: "roomStay { room_setup { id } }",
            },
            Changing {
                name: "changeRoomStayDates",
                record: self.record("changeRoomStayDates", "roomStayId"),
                members: vec![
                    ("reservation_from", json!("2026-01-29"), None),
                    ("reservation_to", json!("2026-02-05"), None),
                ],
                selection: "roomStay { id }",
            },
            Changing {
                name: "setRoomStayDepartureTime",
                record: self.record("setRoomStayDepartureTime", "roomStayId"),
                members: vec![("departureTime", json!("14:00"), Some("/roomStay/departureTime"))],
                selection: "roomStay { departureTime }",
            },
        ]
    }

    /// The member that names the record in the input of a mutation.
    fn record(&self, mutation: &str, member: &str) -> Value {
        let found = self.mutations.iter().find(|(name, ..)| *name == mutation);
        json!({ member: found.unwrap_or_else(|| panic!("{mutation}")).1[member] })
    }
}

/// What persons and organisations have in common.
fn contact() -> Vec<Member> {
    vec![
        ("language", json!("de"), Some("/client/language")),
        ("email", json!("a@example.com"), Some("/client/email")),
        ("telephone", json!("1"), Some("/client/telephone")),
        ("mobile", json!("2"), Some("/client/mobile")),
        ("carPlateNumber", json!("B-1"), Some("/client/carPlateNumber")),
        ("street", json!("Street 1"), Some("/client/street")),
        ("zipcode", json!("10115"), Some("/client/zipcode")),
        ("city", json!("Berlin"), Some("/client/city")),
        ("country", json!("DE"), Some("/client/country")),
    ]
}

/// Mutations of the schema with the members of their inputs that may be null, but for `reason`.
async fn nullable_members(client: &Client) -> BTreeSet<(String, String)> {
    let query = "{ __type(name: \"Mutation\") { fields { name args { type { ofType { inputFields { name type { kind } } } } } } } }";
    let data = client.data(query, json!({})).await;
    let mut found = BTreeSet::new();
    for mutation in data["__type"]["fields"].as_array().expect("fields") {
        let members = mutation["args"][0]["type"]["ofType"]["inputFields"].as_array().expect("members");
        for member in members.iter().filter(|member| member["type"]["kind"] != "NON_NULL") {
            let name = |of: &Value| of["name"].as_str().expect("a name").to_owned();
            found.insert((name(mutation), name(member)));
        }
    }
    found.retain(|(_, member)| member != "reason");
    found
}

/// Those that make a record: there is nothing yet that an absent member could leave as it is.
fn makes(mutation: &str) -> bool {
    ["create", "import", "add"].iter().any(|verb| mutation.starts_with(verb))
}

#[tokio::test]
async fn g04_what_is_absent_stays_and_only_null_takes_away() {
    let round = Round::new().await;
    let pool = &round.house.test.db.pool;
    let changing = round.changing().await;
    let mut expected = nullable_members(&round.live).await;
    expected.retain(|(mutation, _)| !makes(mutation));
    // A split has a test of its own; the others report, and what is absent says that there is nothing to say.
    for (mutation, member) in [
        ("splitRoomStay", "roomSetupId"),
        ("completeLockCommand", "error"),
        ("simulateNextEncoding", "failsWith"),
        ("reportAccessMethodOverride", "seenAt"),
    ] {
        assert!(expected.remove(&(mutation.to_owned(), member.to_owned())), "{mutation}");
    }
    let members = |changing: &Changing| {
        changing.members.iter().map(|(member, ..)| (changing.name.to_owned(), (*member).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(changing.iter().flat_map(members).collect::<BTreeSet<_>>(), expected, "every mutation is tried");

    for Changing { name, record, members, selection } in changing {
        let mut full = record.clone();
        for (member, value, _) in &members {
            full[member] = value.clone();
        }
        round.live.done(name, full, selection).await;
        let filled = fingerprint(pool).await;
        // Left out, and given by a variable without a value.
        round.live.done(name, record.clone(), selection).await;
        let declared: Vec<_> = members.iter().map(|(member, ..)| format!("${member}: {}", of(name, member))).collect();
        let given: Vec<_> = members.iter().map(|(member, ..)| format!("{member}: ${member}")).collect();
        let (by, id) = record.as_object().and_then(|record| record.iter().next()).expect("a record");
        let query = format!(
            "mutation({}) {{ {name}(input: {{{by}: {id}, {}}}) {{ {selection} }} }}",
            declared.join(", "),
            given.join(", ")
        );
        round.live.data(&query, json!({})).await;
        assert_eq!(fingerprint(pool).await, filled, "{name}");

        for (member, _, shown) in members {
            let mut input = record.clone();
            input[member] = json!(null);
            if let Some(shown) = shown {
                let payload = round.live.done(name, input, selection).await;
                assert_eq!(payload.pointer(shown), Some(&Value::Null), "{name} {member}");
            } else {
                let before = fingerprint(pool).await;
                let refused = round.live.refused(name, input, selection).await;
                assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", member])), "{name}");
                assert_eq!(fingerprint(pool).await, before, "{name} {member}");
            }
        }
    }
}

/// Name of the type of a member.
fn of(mutation: &str, member: &str) -> &'static str {
    match (mutation, member) {
        (_, "check_in" | "check_out" | "startsAt" | "endsAt") => "Datetime",
        (_, "birthday" | "reservation_from" | "reservation_to") => "Date",
        (_, "departureTime") => "LocalTime",
        (_, "cleaningStatus") => "CleaningStatus",
        (_, "selfcheckinStatus") => "SelfcheckinStatus",
        ("updateWebhookEndpoint", "status") => "WebhookEndpointStatus",
        (_, "events") => "[String!]",
        (_, "provider") => "LockProvider",
        (_, "canBelongToReservation") => "Boolean",
        (_, "modes") => "[AccessMode!]",
        (_, "kind") => "UserIdentityKind",
        (_, "entranceIds" | "spaceIds") => "[ID!]",
        (_, "categoryId" | "clientId" | "contactId" | "integrationId" | "roomSetupId") => "ID",
        _ => "String",
    }
}

#[tokio::test]
async fn g04_a_move_with_a_reason_alone_moves_nothing() {
    let round = Round::new().await;
    let house = &round.house;
    let stay = house.stay_in("401").await;
    let before = house.desk.read_stay(&stay, "room_setup { id name }").await;
    assert!(before["room_setup"]["id"].is_string());
    house.desk.done("moveRoomStay", json!({"roomStayId": stay, "reason": "note"}), "roomStay { id }").await;
    assert_eq!(house.desk.read_stay(&stay, "room_setup { id name }").await, before);
    let query = "mutation($s: ID!, $r: ID) { moveRoomStay(input: {roomStayId: $s, roomSetupId: $r}) { \
        roomStay { room_setup { id name } } } }";
    let data = house.desk.data(query, json!({ "s": stay })).await;
    assert_eq!(data["moveRoomStay"]["roomStay"], before);
    let data = house.desk.data(query, json!({"s": stay, "r": null})).await;
    assert_eq!(data["moveRoomStay"]["roomStay"]["room_setup"], json!(null));
}

#[tokio::test]
async fn g04_the_second_part_of_a_split_keeps_the_room_unless_it_is_taken_away() {
    let round = Round::new().await;
    let house = &round.house;
    let room = house.room("501").await;
    for (room_setup_id, expected) in
        [(None, json!("402")), (Some(json!(null)), json!(null)), (Some(json!(room)), json!("501"))]
    {
        let stay = match &expected {
            Value::String(name) if name == "402" => house.stay_in("402").await,
            Value::Null => house.stay_in("403").await,
            _ => house.stay_in("404").await,
        };
        let mut input = json!({"roomStayId": stay, "date": "2026-01-31"});
        if let Some(id) = room_setup_id {
            input["roomSetupId"] = id;
        }
        let answer = house.desk.act("splitRoomStay", input, "newRoomStay { roomName }").await;
        assert_eq!(code(&answer), "no error", "{answer}");
        assert_eq!(answer["data"]["splitRoomStay"]["newRoomStay"]["roomName"], expected);
    }
}
