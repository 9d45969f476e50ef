-- A vendor's connection to one hotel. It, not its API key, owns room access keys, so a regenerated key orphans nothing.
CREATE TABLE integrations (
    hotel_id   uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT integrations_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT integrations_hotel_id_name_key UNIQUE (hotel_id, name),
    CONSTRAINT integrations_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT integrations_name_check CHECK (char_length(name) BETWEEN 1 AND 200)
);
