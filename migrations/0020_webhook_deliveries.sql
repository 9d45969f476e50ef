-- One event on its way to one endpoint. Written by the commit that writes the event. Partitioned like events.
CREATE TABLE webhook_deliveries (
    hotel_id        uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    event_position  bigint      NOT NULL,
    -- When the event happened; also finds its partition.
    created_at      timestamptz NOT NULL,
    -- PENDING: to be sent at next_attempt_at. DELIVERED: answered with 2xx. FAILED: its schedule is used up.
    -- HELD: the endpoint is disabled; it goes out when it is enabled again.
    status          text        NOT NULL DEFAULT 'PENDING',
    -- Attempts that were begun.
    attempts        integer     NOT NULL DEFAULT 0,
    -- The present run through the schedule: attempts of it that failed, and when the first one began. Sending it again by
    -- hand and enabling the endpoint start a new run.
    failed_attempts integer     NOT NULL DEFAULT 0,
    run_began_at    timestamptz,
    next_attempt_at timestamptz,
    -- Until then a worker has it; afterwards it is anybody's again. Also tells the worker that what it records is still its.
    leased_until    timestamptz,
    finished_at     timestamptz,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (hotel_id, endpoint_id, event_position, created_at),
    CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'HELD')),
    CONSTRAINT webhook_deliveries_pending_check CHECK ((status = 'PENDING') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_deliveries_finished_check CHECK ((status IN ('DELIVERED', 'FAILED')) = (finished_at IS NOT NULL))
) PARTITION BY RANGE (created_at);

CREATE TABLE webhook_deliveries_default PARTITION OF webhook_deliveries DEFAULT;
