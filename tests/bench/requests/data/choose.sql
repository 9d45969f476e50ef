-- Reservations whose rooms all have a room access key, and the keys that stay when others are cleared away.
CREATE TABLE bench.parties AS
SELECT r.hotel_id, r.code, count(*) AS rooms
FROM reservations r JOIN room_stays s ON s.hotel_id = r.hotel_id AND s.reservation_id = r.id
WHERE r.id IN (SELECT k.reservation_id FROM room_stays k
               WHERE k.hotel_id = r.hotel_id AND k.room_access_key_id IS NOT NULL)
GROUP BY r.hotel_id, r.id HAVING count(*) = count(s.room_access_key_id);
CREATE TABLE bench.keys AS SELECT hotel_id, id FROM room_access_keys;
ALTER TABLE bench.keys ADD PRIMARY KEY (hotel_id, id);
