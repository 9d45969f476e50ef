-- The pruner's claim: assignments of one hotel that are due, the longest overdue first.
CREATE INDEX room_stays_room_access_key_due_idx ON room_stays (hotel_id, room_access_key_due_at)
    WHERE room_access_key_due_at IS NOT NULL;
