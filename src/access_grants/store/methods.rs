//! Access methods, and what their cards bear.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::super::{CheckedMethod, IdentityKind, TimeFrame};
use crate::error::{Error, Message, Result};
use crate::hotels::HotelId;
use crate::lock_commands::{Card, CardDoor, Credential, DoorOrder};
use crate::locks::{Mode, Reference};

/// A method and the integration that its grant belongs to.
pub(in crate::access_grants) struct OwnedMethod {
    /// Id of the method.
    pub id: Uuid,
    /// The integration.
    pub integration_id: Uuid,
}

/// A method that is held until the transaction ends.
pub(in crate::access_grants) struct LockedMethod {
    /// The integration that its grant belongs to.
    pub integration_id: Uuid,
    /// What it is.
    pub mode: Mode,
    /// The time of its grant.
    pub frame: TimeFrame,
    /// Whether its grant belongs to a reservation.
    pub of_reservation: bool,
    /// When it was taken away.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When a lock was seen to refuse it for a later reservation.
    pub overridden_at: Option<DateTime<Utc>>,
}

impl LockedMethod {
    /// Refuses what is done with a method that was taken away or has ended.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn require_live(&self, now: DateTime<Utc>) -> Result<()> {
        if self.revoked_at.is_some() {
            Err(Error::new(Message::MethodRevoked))
        } else if self.frame.has_ended(now) {
            Err(Error::new(Message::GrantHasRunOut))
        } else {
            Ok(())
        }
    }
}

/// Reads a method of one integration, or of any, and holds it and its grant.
pub(in crate::access_grants) async fn lock_method(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Option<Uuid>,
    id: Uuid,
) -> Result<Option<LockedMethod>> {
    let row = query!(
        "SELECT g.integration_id, m.mode, g.starts_at, g.ends_at, g.reservation_id, m.revoked_at, m.overridden_at
         FROM access_methods m JOIN access_grants g ON g.hotel_id = $1 AND g.id = m.grant_id
         WHERE m.hotel_id = $1 AND m.id = $2 AND NOT m.refused AND ($3::uuid IS NULL OR g.integration_id = $3)
         FOR NO KEY UPDATE OF g, m",
        hotel,
        id,
        integration,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(LockedMethod {
            integration_id: row.integration_id,
            mode: Mode::parse(&row.mode)?,
            frame: TimeFrame { starts_at: row.starts_at, ends_at: row.ends_at },
            of_reservation: row.reservation_id.is_some(),
            revoked_at: row.revoked_at,
            overridden_at: row.overridden_at,
        })
    })
    .transpose()
}

/// Adds methods to a held grant.
pub(in crate::access_grants) async fn insert_methods(
    conn: &mut PgConnection,
    hotel: HotelId,
    (grant, integration): (Uuid, Uuid),
    methods: &[CheckedMethod],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<Uuid> = methods.iter().map(|method| method.id).collect();
    let modes: Vec<String> = methods.iter().map(|method| method.mode.name().to_owned()).collect();
    let refused: Vec<bool> = methods.iter().map(|method| method.refused).collect();
    query!(
        "INSERT INTO access_methods (hotel_id, id, grant_id, integration_id, mode, refused, created_at, issued_at)
         SELECT $1, new.id, $2, $7, new.mode, new.refused, $3::timestamptz,
                CASE WHEN new.mode <> 'CARD' AND NOT new.refused THEN $3::timestamptz END
         FROM unnest($4::uuid[], $5::text[], $6::boolean[]) AS new (id, mode, refused)",
        hotel,
        grant,
        now,
        &ids,
        &modes,
        &refused,
        integration,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which cards have to be written again.
pub(in crate::access_grants) struct Outdated<'a> {
    /// Those of these grants.
    pub grants: &'a [Uuid],
    /// Those of the grants of these reservations.
    pub reservations: &'a [Uuid],
}

/// Says of cards that they have to be written again. Answers each with whether it bore until then what its grant says. A card that
/// was overridden gets another place in the order of a door with its reservation.
pub(in crate::access_grants) async fn require_encoding(
    conn: &mut PgConnection,
    hotel: HotelId,
    outdated: Outdated<'_>,
) -> Result<Vec<(OwnedMethod, bool)>> {
    let rows = query!(
        r#"UPDATE access_methods m
           SET encoding_required = true, revision = m.revision + 1,
               overridden_at = CASE WHEN g.reservation_id = ANY ($3) THEN NULL ELSE m.overridden_at END
           FROM access_grants g, access_methods before
           WHERE g.hotel_id = $1 AND g.deleted_at IS NULL AND (g.id = ANY ($2) OR g.reservation_id = ANY ($3))
           AND m.hotel_id = $1 AND m.grant_id = g.id AND m.mode = 'CARD' AND NOT m.refused AND m.revoked_at IS NULL
           AND before.hotel_id = $1 AND before.id = m.id
           RETURNING m.id, g.integration_id,
               before.encoded_at IS NOT NULL AND NOT before.encoding_required AS "bore_it!""#,
        hotel,
        outdated.grants,
        outdated.reservations,
    )
    .fetch_all(conn)
    .await?;
    let method = |id: Uuid, integration_id: Uuid| OwnedMethod { id, integration_id };
    Ok(rows.into_iter().map(|row| (method(row.id, row.integration_id), row.bore_it)).collect())
}

/// Takes the methods of grants away.
pub(in crate::access_grants) async fn revoke_of_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<OwnedMethod>> {
    let rows = query!(
        "UPDATE access_methods m SET revoked_at = $3 FROM access_grants g
         WHERE g.hotel_id = $1 AND g.id = m.grant_id
         AND m.hotel_id = $1 AND m.grant_id = ANY ($2) AND NOT m.refused AND m.revoked_at IS NULL
         RETURNING m.id, g.integration_id",
        hotel,
        grants,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| OwnedMethod { id: row.id, integration_id: row.integration_id }).collect())
}

/// Takes a held method away.
pub(in crate::access_grants) async fn revoke(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    query!("UPDATE access_methods SET revoked_at = $3 WHERE hotel_id = $1 AND id = $2", hotel, id, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Says that a lock was seen to refuse a held method.
pub(in crate::access_grants) async fn mark_overridden(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    seen_at: DateTime<Utc>,
) -> Result<()> {
    query!("UPDATE access_methods SET overridden_at = $3 WHERE hotel_id = $1 AND id = $2", hotel, id, seen_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Says that cards were written: (method, revision that was written). What has changed since has to be written again.
/// Answers each with whether it was the first time.
pub(in crate::access_grants) async fn mark_encoded(
    conn: &mut PgConnection,
    hotel: HotelId,
    written: &[(Uuid, i64)],
    now: DateTime<Utc>,
) -> Result<Vec<(OwnedMethod, bool)>> {
    let (ids, revisions): (Vec<Uuid>, Vec<i64>) = written.iter().copied().unzip();
    let rows = query!(
        r#"UPDATE access_methods m
           SET encoded_at = $2, issued_at = coalesce(m.issued_at, $2), encoding_required = m.revision <> new.revision
           FROM unnest($3::uuid[], $4::bigint[]) AS new (id, revision), access_grants g, access_methods before
           WHERE m.hotel_id = $1 AND m.id = new.id AND g.hotel_id = $1 AND g.id = m.grant_id
           AND before.hotel_id = $1 AND before.id = m.id
           RETURNING m.id, g.integration_id, before.issued_at IS NULL AS "is_first!""#,
        hotel,
        now,
        &ids,
        &revisions,
    )
    .fetch_all(conn)
    .await?;
    let method = |id: Uuid, integration_id: Uuid| OwnedMethod { id, integration_id };
    Ok(rows.into_iter().map(|row| (method(row.id, row.integration_id), row.is_first)).collect())
}

/// The providers of the doors that open to the card of a method.
pub(in crate::access_grants) async fn card_providers(
    conn: &mut PgConnection,
    hotel: HotelId,
    method: Uuid,
) -> Result<Vec<String>> {
    let providers = query_scalar!(
        "SELECT DISTINCT n.provider FROM access_methods m
         JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = m.grant_id
         JOIN entrances n ON n.hotel_id = $1 AND n.id = e.entrance_id AND 'CARD' = ANY (n.modes)
         WHERE m.hotel_id = $1 AND m.id = $2",
        hotel,
        method,
    );
    Ok(providers.fetch_all(conn).await?)
}

/// The entrance with this id or key, and whether the method opens it.
pub(in crate::access_grants) async fn door_of(
    conn: &mut PgConnection,
    hotel: HotelId,
    method: Uuid,
    entrance: &Reference,
) -> Result<Option<(Uuid, bool)>> {
    let (id, key) = entrance.parts();
    let row = query!(
        r#"SELECT n.id, EXISTS (
               SELECT FROM access_methods m JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = m.grant_id
               WHERE m.hotel_id = $1 AND m.id = $2 AND e.entrance_id = n.id AND m.mode = ANY (n.modes)
           ) AS "opens!"
           FROM entrances n WHERE n.hotel_id = $1 AND (n.id = $3 OR n.entrance_key = $4)"#,
        hotel,
        method,
        id,
        key,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.opens)))
}

/// What the cards of methods are to bear, and which state of the methods that is.
pub(in crate::access_grants) async fn cards(
    conn: &mut PgConnection,
    hotel: HotelId,
    methods: &[Uuid],
) -> Result<Vec<(Uuid, Card, i64)>> {
    let rows = query!(
        r#"SELECT m.id, m.revision, i.kind, g.starts_at, g.ends_at, e.entrance_id,
                  d.starts_at AS "reservation_starts_at?", d.sequence AS "sequence?"
           FROM access_methods m
           JOIN access_grants g ON g.hotel_id = $1 AND g.id = m.grant_id
           JOIN user_identities i ON i.hotel_id = $1 AND i.id = g.user_identity_id
           JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = g.id
           JOIN entrances n ON n.hotel_id = $1 AND n.id = e.entrance_id AND 'CARD' = ANY (n.modes)
           LEFT JOIN access_reservation_doors d
               ON d.hotel_id = $1 AND d.reservation_id = g.reservation_id AND d.entrance_id = e.entrance_id
           WHERE m.hotel_id = $1 AND m.id = ANY ($2) ORDER BY m.id, e.entrance_id"#,
        hotel,
        methods,
    )
    .fetch_all(conn)
    .await?;
    let mut cards: BTreeMap<Uuid, (Card, i64)> = BTreeMap::new();
    for row in rows {
        let credential = match IdentityKind::parse(&row.kind)? {
            IdentityKind::Guest | IdentityKind::Resident => Credential::Guest,
            IdentityKind::Staff => Credential::Staff,
        };
        let (card, _) = cards.entry(row.id).or_insert_with(|| {
            (Card { credential, starts_at: row.starts_at, ends_at: row.ends_at, doors: Vec::new() }, row.revision)
        });
        let order = row.reservation_starts_at.zip(row.sequence);
        card.doors.push(CardDoor {
            entrance_id: row.entrance_id,
            reservation: order.map(|(starts_at, sequence)| DoorOrder { starts_at, sequence }),
        });
    }
    Ok(cards.into_iter().map(|(id, (card, revision))| (id, card, revision)).collect())
}
