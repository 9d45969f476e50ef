-- The trail of one record: what was done to others with it, such as the stays that a key was put on.
CREATE INDEX audit_entries_related_idx ON audit_entries (hotel_id, related_id, id) WHERE related_id IS NOT NULL;
