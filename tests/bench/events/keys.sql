-- :number keys: every other one on a stay that departed on 2 February, the rest on none since 1 January.
WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM hotels)
INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at, unassigned_since)
SELECT h.id, md5('key' || n)::uuid, h.id, 'PIN', '\x00', '2026-01-01',
       CASE WHEN n % 2 = 0 THEN timestamptz '2026-01-01' END
FROM generate_series(1, :number) n JOIN numbered h ON h.place = n / 2 % (SELECT count(*) FROM hotels);
INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, reservation_from, reservation_to, room_access_key_id,
                        room_access_key_kind, room_access_key_due_at, created_at, updated_at)
SELECT hotel_id, gen_random_uuid(), hotel_id, hotel_id, '2026-01-30', '2026-02-02', id, 'PIN', '2026-02-04 10:00+00',
       '2026-01-01', '2026-01-01'
FROM room_access_keys WHERE unassigned_since IS NULL;
ANALYZE room_access_keys;
ANALYZE room_stays;
