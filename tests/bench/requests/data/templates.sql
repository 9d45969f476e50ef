-- Puts the imported hotels aside as templates: each record with the place, in the order of arrivals, of the first stay that
-- needs it, so that a hotel of n stays is what has a place up to n.
CREATE SCHEMA bench;
CREATE TABLE bench.stays AS
SELECT row_number() OVER (PARTITION BY hotel_id ORDER BY reservation_from, id) AS place, s.* FROM room_stays s;
CREATE TABLE bench.guests AS
SELECT s.place, g.* FROM room_stay_guests g JOIN bench.stays s ON s.hotel_id = g.hotel_id AND s.id = g.room_stay_id;
CREATE TABLE bench.reservations AS
SELECT first.place, r.* FROM reservations r
JOIN (SELECT hotel_id, reservation_id AS id, min(place) AS place FROM bench.stays GROUP BY 1, 2) first USING (hotel_id, id);
CREATE TABLE bench.clients AS
SELECT first.place, c.* FROM clients c
JOIN (SELECT hotel_id, id, min(place) AS place
      FROM (SELECT hotel_id, client_id AS id, place FROM bench.reservations
            UNION ALL SELECT hotel_id, contact_id, place FROM bench.reservations
            UNION ALL SELECT hotel_id, client_id, place FROM bench.guests) used
      GROUP BY 1, 2) first USING (hotel_id, id);
CREATE TABLE bench.rooms AS SELECT * FROM room_setups;
CREATE TABLE bench.categories AS SELECT * FROM categories;
CREATE TABLE bench.templates AS
SELECT h.id, h.longest_stay_nights, (SELECT count(*) FROM room_stays s WHERE s.hotel_id = h.id) AS stays FROM hotels h;
-- The id that a template's record has in a hotel. Copy 0 are the file's own years, the others lie before them.
CREATE FUNCTION bench.new_id(hotel uuid, id uuid, copy int) RETURNS uuid IMMUTABLE LANGUAGE sql AS
$$ SELECT md5(uuid_send(hotel) || uuid_send(id) || int4send(copy))::uuid $$;
SET client_min_messages = warning;
TRUNCATE hotels CASCADE;
TRUNCATE events, audit_entries, webhook_deliveries, webhook_attempts;
RESET client_min_messages;
ANALYZE;
