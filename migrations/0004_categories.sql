-- Kinds of room that a guest books.
CREATE TABLE categories (
    hotel_id    uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    description text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT categories_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT categories_hotel_id_name_key UNIQUE (hotel_id, name),
    CONSTRAINT categories_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT categories_name_check CHECK (char_length(name) BETWEEN 1 AND 200)
);
