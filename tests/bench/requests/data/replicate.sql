-- Fills :hotel with :stays stays of :template. What is more than the file holds are further years of history: the same
-- bookings, moved back by two years again and again, as the file spans almost two.
-- Nothing is checked against other tables: it is copied from what has been.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET statement_timeout = 0;
CREATE TEMPORARY TABLE copies AS
SELECT copy, copy * 728 AS days, copy * t.stays AS before
FROM bench.templates t CROSS JOIN LATERAL generate_series(0, (:stays - 1) / t.stays::int) copy WHERE t.id = :template;
UPDATE hotels SET longest_stay_nights = (SELECT longest_stay_nights FROM bench.templates WHERE id = :template)
WHERE id = :hotel;
INSERT INTO categories (hotel_id, id, name, description, created_at, updated_at)
SELECT :hotel, bench.new_id(:hotel, id, 0), name, description, created_at, updated_at
FROM bench.categories WHERE hotel_id = :template;
INSERT INTO room_setups (hotel_id, id, name, area_name, category_id, cleaning_status, created_at, updated_at)
SELECT :hotel, bench.new_id(:hotel, id, 0), name, area_name, bench.new_id(:hotel, category_id, 0), cleaning_status,
       created_at, updated_at
FROM bench.rooms WHERE hotel_id = :template;
INSERT INTO spaces (hotel_id, id, name, room_setup_id, created_at, updated_at)
SELECT hotel_id, id, name, id, created_at, updated_at FROM room_setups WHERE hotel_id = :hotel;
INSERT INTO entrances (hotel_id, id, name, provider, can_belong_to_reservation, modes, created_at, updated_at)
SELECT hotel_id, bench.new_id(hotel_id, id, 0), name, 'VISIONLINE', true, '{CARD,MOBILE_KEY}', created_at, updated_at
FROM room_setups WHERE hotel_id = :hotel;
INSERT INTO space_entrances (hotel_id, space_id, entrance_id)
SELECT hotel_id, id, bench.new_id(hotel_id, id, 0) FROM room_setups WHERE hotel_id = :hotel;
INSERT INTO clients (hotel_id, id, kind, firstname, lastname, company, language, country, created_at, updated_at)
SELECT :hotel, bench.new_id(:hotel, id, 0), kind, firstname, lastname, company, language, country, created_at, updated_at
FROM bench.clients WHERE hotel_id = :template AND place <= :stays;
INSERT INTO reservations (hotel_id, id, code, status, client_id, contact_id, group_name, booking_channel_code,
                          booking_source, created_at, updated_at, cancelled_at)
SELECT :hotel, bench.new_id(:hotel, id, copy), CASE WHEN copy = 0 THEN code ELSE code || '-' || copy END,
       CASE WHEN copy > 0 AND status = 'ACTIVE' THEN 'INVOICED' ELSE status END,
       bench.new_id(:hotel, client_id, 0), bench.new_id(:hotel, contact_id, 0), group_name, booking_channel_code,
       booking_source, created_at - make_interval(days => days), updated_at, cancelled_at
FROM copies JOIN bench.reservations ON hotel_id = :template AND before + place <= :stays;
INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, room_setup_id, reservation_from, reservation_to,
                        check_in, check_out, meal_notes, adults, child1, free, created_at, updated_at)
SELECT :hotel, bench.new_id(:hotel, id, copy), bench.new_id(:hotel, reservation_id, copy),
       bench.new_id(:hotel, category_id, 0), bench.new_id(:hotel, room_setup_id, 0),
       reservation_from - days, reservation_to - days,
       -- A cancelled stay has no room, and nobody came.
       CASE WHEN copy = 0 THEN check_in
            WHEN room_setup_id IS NOT NULL THEN (reservation_from - days)::timestamptz + interval '15 hours' END,
       CASE WHEN copy = 0 THEN check_out
            WHEN room_setup_id IS NOT NULL THEN (reservation_to - days)::timestamptz + interval '18 hours' END,
       meal_notes, adults, child1, free, created_at - make_interval(days => days), updated_at
FROM copies JOIN bench.stays ON hotel_id = :template AND before + place <= :stays;
INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
SELECT :hotel, bench.new_id(:hotel, room_stay_id, copy), position, bench.new_id(:hotel, client_id, 0)
FROM copies JOIN bench.guests ON hotel_id = :template AND before + place <= :stays;
DROP TABLE copies;
