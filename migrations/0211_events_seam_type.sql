-- What an event is called in Seam's API; NULL where that has none. Nothing that it calls anything was ever released before.
ALTER TABLE events ADD COLUMN seam_type text;
