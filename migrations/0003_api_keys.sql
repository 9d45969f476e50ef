-- Credentials. A small reference table, not a tenant table: a request is known by its key before its hotel is known.
-- No foreign key to integrations: a replicated reference table cannot refer to a distributed one.
-- A row is a pair: the live key and the test key are made, disabled and revoked together.
CREATE TABLE api_keys (
    id             uuid        NOT NULL,
    hotel_id       uuid        NOT NULL,
    integration_id uuid        NOT NULL,
    permission     text        NOT NULL,
    live_hash      bytea       NOT NULL,
    test_hash      bytea       NOT NULL,
    live_preview   text        NOT NULL,
    test_preview   text        NOT NULL,
    created_at     timestamptz NOT NULL,
    disabled_at    timestamptz,
    revoked_at     timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_live_hash_key UNIQUE (live_hash),
    CONSTRAINT api_keys_test_hash_key UNIQUE (test_hash),
    CONSTRAINT api_keys_permission_check CHECK (permission IN ('READ_ONLY', 'WRITE', 'FRONT_DESK')),
    CONSTRAINT api_keys_hash_length_check CHECK (octet_length(live_hash) = 32 AND octet_length(test_hash) = 32)
);
