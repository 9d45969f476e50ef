-- Reservations whose rooms all have a room access key, and the keys that stay when others are cleared away.
CREATE TABLE bench.parties AS
SELECT r.hotel_id, r.code, count(*) AS rooms
FROM (SELECT DISTINCT hotel_id, reservation_id FROM room_stays WHERE room_access_key_id IS NOT NULL) k
JOIN reservations r ON r.hotel_id = k.hotel_id AND r.id = k.reservation_id
JOIN room_stays s ON s.hotel_id = r.hotel_id AND s.reservation_id = r.id
GROUP BY r.hotel_id, r.id HAVING count(*) = count(s.room_access_key_id);
CREATE TABLE bench.keys AS SELECT hotel_id, id FROM room_access_keys;
ALTER TABLE bench.keys ADD PRIMARY KEY (hotel_id, id);
ANALYZE bench.parties, bench.keys;
