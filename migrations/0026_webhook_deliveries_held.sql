-- The workers find which endpoints have something kept for them, and send the oldest of it first when they are enabled.
CREATE INDEX webhook_deliveries_held_idx ON webhook_deliveries (hotel_id, endpoint_id, event_position)
    WHERE status = 'HELD';
