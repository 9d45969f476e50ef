-- The pruner's claim: assignments that are due, in any hotel.
CREATE INDEX room_stays_room_access_key_due_idx ON room_stays (room_access_key_due_at)
    WHERE room_access_key_due_at IS NOT NULL;
