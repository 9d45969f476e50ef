-- Entries of the audit trail are written and read. They go with their week's partition, and no other way.
REVOKE UPDATE, DELETE ON audit_entries FROM latchkey_app, latchkey_worker;
