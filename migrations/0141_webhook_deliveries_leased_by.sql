-- Which process holds the lease of a delivery, so that others take over at once what a dead one held. NULL where nobody can tell whether
-- the holder lives: then the lease runs out by itself.
ALTER TABLE webhook_deliveries ADD COLUMN leased_by integer;
