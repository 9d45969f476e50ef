-- What came of each attempt to deliver, for the delivery log. Partitioned like events.
CREATE TABLE webhook_attempts (
    hotel_id       uuid        NOT NULL,
    endpoint_id    uuid        NOT NULL,
    event_position bigint      NOT NULL,
    attempt        integer     NOT NULL,
    created_at     timestamptz NOT NULL,
    duration_ms    integer     NOT NULL,
    -- HTTP status of the answer; NULL when there was none.
    status_code    smallint,
    -- Why there was none, or what was wrong with it; one of a closed list.
    failure        text,
    -- The start of the answer's body.
    answer         text,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (hotel_id, endpoint_id, event_position, attempt, created_at)
) PARTITION BY RANGE (created_at);

CREATE TABLE webhook_attempts_default PARTITION OF webhook_attempts DEFAULT;
