-- :number hotels, each with an integration, a category and a reservation of the same id.
INSERT INTO hotels (id, slug, name, time_zone, check_in_time, check_out_time, created_at)
SELECT md5('hotel' || n)::uuid, 'hotel-' || n, 'Hotel', 'Europe/Berlin', '15:00', '11:00', '2026-01-01'
FROM generate_series(1, :number) n;
INSERT INTO integrations SELECT id, id, 'Locks', '2026-01-01' FROM hotels;
INSERT INTO categories SELECT id, id, 'Double', NULL, '2026-01-01', '2026-01-01' FROM hotels;
INSERT INTO clients (hotel_id, id, kind, lastname, created_at, updated_at)
SELECT id, id, 'PERSON', 'Doe', '2026-01-01', '2026-01-01' FROM hotels;
INSERT INTO reservations (hotel_id, id, code, client_id, created_at, updated_at)
SELECT id, id, 'R1', id, '2026-01-01', '2026-01-01' FROM hotels;
