-- The rows that were there before satisfy the constraints of 0187 and 0188, as they did their predecessors; PostgreSQL
-- looks without stopping writes.
ALTER TABLE events VALIDATE CONSTRAINT events_actor_type_check;
ALTER TABLE audit_entries VALIDATE CONSTRAINT audit_entries_actor_check;
