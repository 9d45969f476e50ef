-- The workers' claim: which endpoints have something to be sent, and what of each has been due for longest.
CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries (hotel_id, endpoint_id, next_attempt_at, event_position)
    WHERE status = 'PENDING';
