-- One room's part of a reservation: the half-open range of nights [reservation_from, reservation_to), and its key.
CREATE TABLE room_stays (
    hotel_id             uuid        NOT NULL,
    id                   uuid        NOT NULL,
    reservation_id       uuid        NOT NULL,
    category_id          uuid        NOT NULL,
    room_setup_id        uuid,
    reservation_from     date        NOT NULL,
    reservation_to       date        NOT NULL,
    -- Local time of a late check-out that the front desk agreed on; NULL = the hotel's check-out time.
    departure_time       time,
    -- Physical arrival and departure. They end nothing by themselves.
    check_in             timestamptz,
    check_out            timestamptz,
    room_access_key_id   uuid,
    -- A key's kind never changes. Kept here so that a page of stays can tell it without reading the keys.
    room_access_key_kind text,
    guest_message        text,
    maid_notes           text,
    meal_notes           text,
    rate_code            text,
    adults               smallint    NOT NULL DEFAULT 1,
    child1               smallint    NOT NULL DEFAULT 0,
    child2               smallint    NOT NULL DEFAULT 0,
    free                 smallint    NOT NULL DEFAULT 0,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT room_stays_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT room_stays_reservation_fkey
        FOREIGN KEY (hotel_id, reservation_id) REFERENCES reservations (hotel_id, id),
    CONSTRAINT room_stays_category_fkey FOREIGN KEY (hotel_id, category_id) REFERENCES categories (hotel_id, id),
    CONSTRAINT room_stays_room_setup_fkey FOREIGN KEY (hotel_id, room_setup_id) REFERENCES room_setups (hotel_id, id),
    CONSTRAINT room_stays_room_access_key_fkey FOREIGN KEY (hotel_id, room_access_key_id, room_access_key_kind)
        REFERENCES room_access_keys (hotel_id, id, kind),
    CONSTRAINT room_stays_dates_check CHECK (reservation_from <= reservation_to),
    CONSTRAINT room_stays_check_out_check CHECK (check_out IS NULL OR (check_in IS NOT NULL AND check_in <= check_out)),
    CONSTRAINT room_stays_room_access_key_kind_check
        CHECK ((room_access_key_id IS NULL) = (room_access_key_kind IS NULL)),
    CONSTRAINT room_stays_age_groups_check CHECK (adults >= 0 AND child1 >= 0 AND child2 >= 0 AND free >= 0)
);
