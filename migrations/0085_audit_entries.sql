-- Who did what to which record, when and why. Append-only; partitioned by time from the start: retention drops partitions.
-- Names of fields, never their values: a trail must not keep what was erased elsewhere.
CREATE TABLE audit_entries (
    hotel_id       uuid        NOT NULL,
    -- A UUID v7: entries sort in the order in which they were written.
    id             uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    action         text        NOT NULL,
    object_type    text        NOT NULL,
    object_id      uuid        NOT NULL,
    updated_fields text[],
    -- Another record that it concerns, such as the key that was put on a stay.
    related_type   text,
    related_id     uuid,
    actor_type     text        NOT NULL,
    integration_id uuid,
    api_key_id     uuid,
    request_id     text,
    reason         text,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (hotel_id, id, created_at),
    CONSTRAINT audit_entries_related_check CHECK ((related_type IS NULL) = (related_id IS NULL)),
    CONSTRAINT audit_entries_actor_check CHECK (
        actor_type IN ('INTEGRATION', 'IMPORT', 'PRUNER', 'COMMAND_LINE', 'SYSTEM')
        AND (actor_type = 'INTEGRATION') = (integration_id IS NOT NULL)
        AND (api_key_id IS NULL OR integration_id IS NOT NULL)
    ),
    CONSTRAINT audit_entries_reason_check CHECK (char_length(reason) BETWEEN 1 AND 500)
) PARTITION BY RANGE (created_at);

-- Catches what no partition was made for in time. Partitions are made days ahead, so it stays empty.
CREATE TABLE audit_entries_default PARTITION OF audit_entries DEFAULT;
