-- When the key comes off the stay by itself: two civil days after the departure, in the hotel's zone. Kept beside the
-- dates it follows from, so that the pruner finds what is due by an index.
ALTER TABLE room_stays ADD COLUMN room_access_key_due_at timestamptz;
ALTER TABLE room_stays ADD CONSTRAINT room_stays_room_access_key_due_at_check
    CHECK ((room_access_key_id IS NULL) = (room_access_key_due_at IS NULL));
