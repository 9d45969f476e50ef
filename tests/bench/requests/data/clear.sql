-- Takes the keys that requests have made off their stays and away, and the grants that they have made, which follow no stay; and
-- empties the tables that only grow.
SET statement_timeout = 0;
UPDATE room_stays s
SET room_access_key_id = NULL, room_access_key_kind = NULL, room_access_key_due_at = NULL
WHERE s.room_access_key_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM bench.keys k WHERE k.hotel_id = s.hotel_id AND k.id = s.room_access_key_id);
DELETE FROM room_access_keys r
WHERE NOT EXISTS (SELECT FROM bench.keys k WHERE k.hotel_id = r.hotel_id AND k.id = r.id);
CREATE TEMPORARY TABLE made AS SELECT hotel_id, id FROM access_grants WHERE room_stay_id IS NULL;
DELETE FROM access_methods m USING made WHERE m.hotel_id = made.hotel_id AND m.grant_id = made.id;
DELETE FROM access_grant_entrances e USING made WHERE e.hotel_id = made.hotel_id AND e.grant_id = made.id;
DELETE FROM access_grant_spaces s USING made WHERE s.hotel_id = made.hotel_id AND s.grant_id = made.id;
DELETE FROM access_grants g USING made WHERE g.hotel_id = made.hotel_id AND g.id = made.id;
DROP TABLE made;
DELETE FROM access_reservation_doors d USING access_reservations r
WHERE r.hotel_id = d.hotel_id AND r.id = d.reservation_id AND r.room_stay_id IS NULL;
DELETE FROM access_reservations WHERE room_stay_id IS NULL;
TRUNCATE events, audit_entries;
