-- Finds the few events of a hotel that Seam's API knows among all the others.
CREATE INDEX IF NOT EXISTS events_of_seam ON events (hotel_id, position, created_at) WHERE seam_type IS NOT NULL;
