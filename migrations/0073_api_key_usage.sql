-- How much each pair is used. Apart from api_keys, so that counting never waits for whoever changes a pair, and requests
-- are let in by rows that hardly ever change. Written every few seconds, not by requests.
CREATE TABLE api_key_usage (
    hotel_id      uuid        NOT NULL,
    api_key_id    uuid        NOT NULL,
    request_count bigint      NOT NULL,
    last_used_at  timestamptz NOT NULL,
    CONSTRAINT api_key_usage_pkey PRIMARY KEY (hotel_id, api_key_id),
    CONSTRAINT api_key_usage_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT api_key_usage_request_count_check CHECK (request_count > 0)
) WITH (fillfactor = 50);
