SELECT id AS stay_id, gen_random_uuid() AS key_id FROM bench_stays WHERE n = :stay + :pair \gset
INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, compartment, created_at, unassigned_since) VALUES (:hotel, :key_id, :integration, 'PIN', decode(repeat('00', 48), 'hex'), NULL, TIMESTAMPTZ '2026-01-30', TIMESTAMPTZ '2026-01-30');
SELECT s.* FROM room_stays s WHERE s.hotel_id = :hotel AND s.id = :stay_id ORDER BY s.id FOR NO KEY UPDATE \gset
SELECT r.id, r.status FROM reservations r WHERE r.hotel_id = :hotel AND r.id = :reservation_id;
UPDATE room_access_keys SET unassigned_since = NULL WHERE hotel_id = :hotel AND integration_id = :integration AND id = :key_id RETURNING kind;
UPDATE room_stays SET room_access_key_id = :key_id, room_access_key_kind = 'PIN', room_access_key_due_at = TIMESTAMPTZ '2026-04-01', updated_at = TIMESTAMPTZ '2026-01-30' WHERE hotel_id = :hotel AND id = :stay_id;
