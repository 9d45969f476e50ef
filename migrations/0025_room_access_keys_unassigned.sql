-- The pruner's claim: keys of one hotel that have been on no stay for two days, the longest unused first.
CREATE INDEX room_access_keys_unassigned_idx ON room_access_keys (hotel_id, unassigned_since)
    WHERE unassigned_since IS NOT NULL;
