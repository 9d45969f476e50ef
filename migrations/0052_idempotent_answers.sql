-- Answers by idempotency key, written in the transaction of what they answer for. Kept for 48 hours.
CREATE TABLE idempotent_answers (
    hotel_id        uuid        NOT NULL,
    api_key_id      uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    -- Hash of the request and the answer, sealed: answers hold PINs, and a PIN could be guessed from a bare hash.
    sealed          bytea       NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT idempotent_answers_pkey PRIMARY KEY (hotel_id, api_key_id, idempotency_key),
    CONSTRAINT idempotent_answers_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT idempotent_answers_key_check CHECK (char_length(idempotency_key) BETWEEN 1 AND 255)
);
