-- The trail of one record: what was done to it.
CREATE INDEX audit_entries_object_idx ON audit_entries (hotel_id, object_id, id);
