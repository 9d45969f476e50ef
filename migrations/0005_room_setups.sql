-- Physical rooms.
CREATE TABLE room_setups (
    hotel_id        uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL,
    area_name       text,
    category_id     uuid        NOT NULL,
    cleaning_status text        NOT NULL DEFAULT 'CLEAN',
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT room_setups_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT room_setups_hotel_id_name_key UNIQUE (hotel_id, name),
    CONSTRAINT room_setups_category_fkey FOREIGN KEY (hotel_id, category_id) REFERENCES categories (hotel_id, id),
    CONSTRAINT room_setups_name_check CHECK (char_length(name) BETWEEN 1 AND 50),
    CONSTRAINT room_setups_cleaning_status_check CHECK (cleaning_status IN ('CLEAN', 'DIRTY'))
);
