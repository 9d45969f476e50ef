-- Entries of the audit trail say which member of staff and which guest it was. An integration has columns of its own.
-- Safe since 0.1.0: whatever the one constraint lets pass, the other does, too, of rows without a person_id.
ALTER TABLE audit_entries
    ADD COLUMN person_id uuid,
    DROP CONSTRAINT audit_entries_actor_check,
    -- Holds for everything that is written from now on, in all partitions; 0189 looks at what is there, holding nobody up.
    ADD CONSTRAINT audit_entries_actor_check CHECK (
        actor_type IN ('INTEGRATION', 'IMPORT', 'PRUNER', 'COMMAND_LINE', 'SYSTEM', 'STAFF', 'GUEST')
        AND (actor_type = 'INTEGRATION') = (integration_id IS NOT NULL)
        AND (actor_type IN ('STAFF', 'GUEST')) = (person_id IS NOT NULL)
        AND (api_key_id IS NULL OR integration_id IS NOT NULL)
    ) NOT VALID;
