-- Takes the keys that requests have made off their stays and away, and empties the tables that only grow.
SET statement_timeout = 0;
UPDATE room_stays s
SET room_access_key_id = NULL, room_access_key_kind = NULL, room_access_key_due_at = NULL
WHERE s.room_access_key_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM bench.keys k WHERE k.hotel_id = s.hotel_id AND k.id = s.room_access_key_id);
DELETE FROM room_access_keys r
WHERE NOT EXISTS (SELECT FROM bench.keys k WHERE k.hotel_id = r.hotel_id AND k.id = r.id);
TRUNCATE events, audit_entries;
