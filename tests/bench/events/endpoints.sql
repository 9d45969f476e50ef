-- :number endpoints of each hotel that want every change of a stay.
DELETE FROM webhook_endpoints;
INSERT INTO webhook_endpoints (hotel_id, id, integration_id, url, status, events, secret, created_at, updated_at)
SELECT id, md5(id::text || n)::uuid, id, 'https://example.com', 'ENABLED', '{room_stay.updated}', '\x00', '2026-01-01',
       '2026-01-01'
FROM hotels CROSS JOIN generate_series(1, :number) n;
