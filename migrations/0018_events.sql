-- What happened, for the feed and the webhooks. Partitioned by time from the start: retention drops partitions.
CREATE TABLE events (
    hotel_id       uuid        NOT NULL,
    position       bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    -- On the wire as 64 hexadecimal digits.
    id             bytea       NOT NULL,
    type           text        NOT NULL,
    object_id      uuid        NOT NULL,
    updated_fields text[],
    actor_type     text        NOT NULL,
    actor_id       uuid,
    -- The one integration that may see it; NULL = all of the hotel.
    integration_id uuid,
    CONSTRAINT events_pkey PRIMARY KEY (hotel_id, position, created_at),
    CONSTRAINT events_id_check CHECK (octet_length(id) = 32),
    CONSTRAINT events_actor_type_check CHECK (actor_type IN ('integration', 'import', 'pruner', 'system'))
) PARTITION BY RANGE (created_at);

-- Catches what no partition was made for in time. Partitions are made days ahead, so it stays empty.
CREATE TABLE events_default PARTITION OF events DEFAULT;
