-- Bookings. The code is what the guest and the front desk say aloud; it is unique within the hotel and is not the id.
CREATE TABLE reservations (
    hotel_id             uuid        NOT NULL,
    id                   uuid        NOT NULL,
    code                 text        NOT NULL,
    status               text        NOT NULL DEFAULT 'ACTIVE',
    client_id            uuid        NOT NULL,
    contact_id           uuid,
    group_name           text,
    booking_channel_code text,
    booking_source       text,
    pms_url              text,
    notes                text,
    selfcheckin_status   text        NOT NULL DEFAULT 'DISABLED',
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    cancelled_at         timestamptz,
    CONSTRAINT reservations_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT reservations_hotel_id_code_key UNIQUE (hotel_id, code),
    CONSTRAINT reservations_client_fkey FOREIGN KEY (hotel_id, client_id) REFERENCES clients (hotel_id, id),
    CONSTRAINT reservations_contact_fkey FOREIGN KEY (hotel_id, contact_id) REFERENCES clients (hotel_id, id),
    CONSTRAINT reservations_code_check CHECK (char_length(code) BETWEEN 1 AND 64),
    CONSTRAINT reservations_status_check CHECK (status IN ('ACTIVE', 'CANCELLED', 'INVOICED')),
    CONSTRAINT reservations_cancelled_at_check CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL)),
    CONSTRAINT reservations_selfcheckin_status_check
        CHECK (selfcheckin_status IN ('DISABLED', 'ENABLED', 'AVAILABLE', 'COMPLETED'))
);
