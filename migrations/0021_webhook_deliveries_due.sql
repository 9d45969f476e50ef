-- The workers' claim: which endpoints have something to be sent, and what is oldest of each.
CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries (hotel_id, endpoint_id, event_position)
    WHERE status = 'PENDING';
