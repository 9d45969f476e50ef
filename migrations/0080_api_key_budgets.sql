-- What each pair of API keys has taken of its budgets and not got back, in sixty-millionths of a request and of a point of cost.
-- Every replica adds what it let in once a second; no request does. What is lost in a crash would have flowed back within two
-- minutes, so nothing of it is logged.
CREATE UNLOGGED TABLE api_key_budgets (
    hotel_id      uuid        NOT NULL,
    api_key_id    uuid        NOT NULL,
    requests_owed bigint      NOT NULL,
    cost_owed     bigint      NOT NULL,
    as_of         timestamptz NOT NULL,
    CONSTRAINT api_key_budgets_pkey PRIMARY KEY (hotel_id, api_key_id),
    CONSTRAINT api_key_budgets_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT api_key_budgets_owed_check CHECK (requests_owed >= 0 AND cost_owed >= 0)
) WITH (fillfactor = 50);
