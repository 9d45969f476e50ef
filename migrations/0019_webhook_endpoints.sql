-- Where an integration wants to be told what happens.
CREATE TABLE webhook_endpoints (
    hotel_id              uuid        NOT NULL,
    id                    uuid        NOT NULL,
    integration_id        uuid        NOT NULL,
    url                   text        NOT NULL,
    status                text        NOT NULL,
    -- Types of events; at least one.
    events                text[]      NOT NULL,
    -- Sealed. After a rotation the previous one signs, too, until the given instant.
    secret                bytea       NOT NULL,
    previous_secret       bytea,
    previous_secret_until timestamptz,
    -- Why and when Latchkey disabled it by itself.
    disabled_reason       text,
    disabled_at           timestamptz,
    last_success_at       timestamptz,
    -- Attempts in a row that failed. While there are some, nothing is sent before backoff_until, then one delivery at a time.
    failures              integer     NOT NULL DEFAULT 0,
    backoff_until         timestamptz,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT webhook_endpoints_integration_fkey
        FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT webhook_endpoints_status_check CHECK (status IN ('ENABLED', 'DISABLED')),
    CONSTRAINT webhook_endpoints_events_check CHECK (cardinality(events) > 0),
    CONSTRAINT webhook_endpoints_url_check CHECK (char_length(url) BETWEEN 1 AND 2048),
    CONSTRAINT webhook_endpoints_previous_secret_check
        CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL)),
    CONSTRAINT webhook_endpoints_backoff_check CHECK ((failures = 0) = (backoff_until IS NULL)),
    CONSTRAINT webhook_endpoints_disabled_check
        CHECK ((disabled_reason IS NULL) = (disabled_at IS NULL) AND (disabled_at IS NULL OR status = 'DISABLED'))
);
