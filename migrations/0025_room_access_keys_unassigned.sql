-- The pruner's claim: keys that have been on no stay for two days, in any hotel.
CREATE INDEX room_access_keys_unassigned_idx ON room_access_keys (unassigned_since) WHERE unassigned_since IS NOT NULL;
