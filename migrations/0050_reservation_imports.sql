-- importReservation and check-ins by a hotel's own system: which reservation did this integration bring under which id?
CREATE TABLE reservation_imports (
    hotel_id       uuid        NOT NULL,
    integration_id uuid        NOT NULL,
    external_id    text        NOT NULL,
    reservation_id uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT reservation_imports_pkey PRIMARY KEY (hotel_id, integration_id, external_id),
    -- A reservation is brought once, so that it has one external id.
    CONSTRAINT reservation_imports_reservation_key UNIQUE (hotel_id, reservation_id),
    CONSTRAINT reservation_imports_integration_fkey
        FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT reservation_imports_reservation_fkey
        FOREIGN KEY (hotel_id, reservation_id) REFERENCES reservations (hotel_id, id),
    CONSTRAINT reservation_imports_external_id_check CHECK (char_length(external_id) BETWEEN 1 AND 64)
);
