-- The tenants. Every other tenant table is keyed by hotel_id first, so that it can be distributed by it.
CREATE TABLE hotels (
    id                       uuid        NOT NULL,
    slug                     text        NOT NULL,
    name                     text        NOT NULL,
    -- IANA name, never an offset: a departure is a civil date at a local time.
    time_zone                text        NOT NULL,
    check_in_time            time        NOT NULL,
    check_out_time           time        NOT NULL,
    -- Upper bound of reservation_to - reservation_from over the hotel's stays. Bounds the overlap scan of
    -- room_stays from its far side; grows with the longest stay and never shrinks.
    longest_stay_nights      integer     NOT NULL DEFAULT 0,
    room_access_keys_enabled boolean     NOT NULL DEFAULT true,
    created_at               timestamptz NOT NULL,
    CONSTRAINT hotels_pkey PRIMARY KEY (id),
    CONSTRAINT hotels_slug_key UNIQUE (slug),
    CONSTRAINT hotels_slug_check CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    CONSTRAINT hotels_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT hotels_longest_stay_nights_check CHECK (longest_stay_nights >= 0)
);
