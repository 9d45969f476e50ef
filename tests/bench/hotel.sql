INSERT INTO categories (hotel_id, id, name, created_at, updated_at)
SELECT :hotel, gen_random_uuid(), 'Double', :today, :today;
INSERT INTO room_setups (hotel_id, id, name, category_id, created_at, updated_at)
SELECT :hotel, gen_random_uuid(), (100 + n)::text, (SELECT id FROM categories WHERE hotel_id = :hotel), :today, :today
FROM generate_series(1, :rooms) n;
INSERT INTO clients (hotel_id, id, kind, lastname, created_at, updated_at)
SELECT :hotel, gen_random_uuid(), 'PERSON', 'Guest', :today, :today;
INSERT INTO reservations (hotel_id, id, code, client_id, created_at, updated_at)
SELECT :hotel, gen_random_uuid(), 'B-' || n, (SELECT id FROM clients WHERE hotel_id = :hotel), :today, :today
FROM generate_series(1, :stays / 2) n;
CREATE TEMPORARY TABLE r AS
SELECT id, row_number() OVER (ORDER BY code) AS n FROM reservations WHERE hotel_id = :hotel;
CREATE TEMPORARY TABLE m AS SELECT id, row_number() OVER (ORDER BY name) AS n FROM room_setups WHERE hotel_id = :hotel;
CREATE INDEX ON r (n);
ANALYZE r;
INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, room_setup_id, reservation_from, reservation_to,
                        created_at, updated_at)
SELECT :hotel, gen_random_uuid(), r.id, c.id, m.id, s.arrival, s.arrival + 1 + (s.n % 5)::int, :today, :today
FROM (SELECT n, CASE WHEN n <= :in_window THEN :today + (n % 7)
                     WHEN n <= 9500 THEN :today + 40 + (n % 300)
                     ELSE :today - 80 - (n % 2500) END AS arrival
      FROM generate_series(1, :stays) n) s
JOIN r ON r.n = 1 + s.n % (:stays / 2) JOIN m ON m.n = 1 + s.n % :rooms
CROSS JOIN (SELECT id FROM categories WHERE hotel_id = :hotel) c;
INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at)
SELECT :hotel, s.id, :integration, 'PIN', '\x00', :today
FROM room_stays s WHERE s.hotel_id = :hotel AND s.reservation_from >= :today AND s.reservation_from < :today + 3;
UPDATE room_stays s SET room_access_key_id = s.id, room_access_key_kind = 'PIN', room_access_key_due_at = s.reservation_to + 2
WHERE s.hotel_id = :hotel AND s.reservation_from >= :today AND s.reservation_from < :today + 3;
UPDATE hotels SET longest_stay_nights = 60 WHERE id = :hotel;
DROP TABLE r, m;
