-- Grants of :hotel's guests who have a room access key: each an identity of :integration with a card for the door of the room, as
-- the stay's. Replicated rooms have one door each.
CREATE TEMPORARY TABLE granted AS
SELECT s.hotel_id, s.id AS stay, s.room_setup_id AS space, o.entrance_id AS entrance, s.created_at,
       row_number() OVER (ORDER BY s.id) AS n,
       row_number() OVER (PARTITION BY o.entrance_id ORDER BY s.reservation_from, s.id) AS sequence,
       bench.new_id(s.hotel_id, s.id, 1) AS identity, bench.new_id(s.hotel_id, s.id, 2) AS reservation,
       bench.new_id(s.hotel_id, s.id, 3) AS id, bench.new_id(s.hotel_id, s.id, 4) AS method,
       s.reservation_from::timestamptz + interval '15 hours' AS starts_at,
       s.reservation_to::timestamptz + interval '11 hours' AS ends_at
FROM room_stays s JOIN space_entrances o ON o.hotel_id = s.hotel_id AND o.space_id = s.room_setup_id
WHERE s.hotel_id = :hotel AND s.room_access_key_id IS NOT NULL
  -- A stay without a night gives no access.
  AND s.reservation_from < s.reservation_to;
INSERT INTO user_identities (hotel_id, id, integration_id, user_identity_key, kind, created_at, updated_at)
SELECT hotel_id, identity, :integration, 'guest-' || n, 'GUEST', created_at, created_at FROM granted;
INSERT INTO access_reservations (hotel_id, id, reservation_key, room_stay_id, created_at)
SELECT hotel_id, reservation, stay, stay, created_at FROM granted;
INSERT INTO access_reservation_doors (hotel_id, reservation_id, entrance_id, starts_at, sequence)
SELECT hotel_id, reservation, entrance, starts_at, sequence FROM granted;
UPDATE entrances e SET last_sequence = g.last
FROM (SELECT entrance, max(sequence) AS last FROM granted GROUP BY entrance) g
WHERE e.hotel_id = :hotel AND e.id = g.entrance;
INSERT INTO access_grants (hotel_id, id, integration_id, user_identity_id, reservation_id, reservation_key, room_stay_id,
                           starts_at, ends_at, created_at, updated_at)
SELECT hotel_id, id, :integration, identity, reservation, stay, stay, starts_at, ends_at, created_at, created_at FROM granted;
INSERT INTO access_grant_entrances (hotel_id, grant_id, entrance_id, of_stay)
SELECT hotel_id, id, entrance, true FROM granted;
INSERT INTO access_methods (hotel_id, id, grant_id, integration_id, mode, refused, created_at)
SELECT hotel_id, method, id, :integration, 'CARD', false, created_at FROM granted;
DROP TABLE granted;
