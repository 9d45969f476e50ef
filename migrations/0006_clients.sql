-- Persons and companies that book, pay or stay.
CREATE TABLE clients (
    hotel_id         uuid        NOT NULL,
    id               uuid        NOT NULL,
    kind             text        NOT NULL,
    firstname        text,
    lastname         text,
    company          text,
    language         text,
    email            text,
    telephone        text,
    mobile           text,
    car_plate_number text,
    street           text,
    zipcode          text,
    city             text,
    country          text,
    birthday         date,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT clients_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT clients_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT clients_kind_check CHECK (kind IN ('PERSON', 'COMPANY')),
    CONSTRAINT clients_name_check CHECK (
        (kind = 'PERSON' AND lastname IS NOT NULL AND company IS NULL)
        OR (kind = 'COMPANY' AND company IS NOT NULL AND firstname IS NULL AND lastname IS NULL AND birthday IS NULL)
    )
);
