-- What opens a room, or the box its physical key is in. PIN and QR data are sealed before they reach the database.
CREATE TABLE room_access_keys (
    hotel_id         uuid        NOT NULL,
    id               uuid        NOT NULL,
    integration_id   uuid        NOT NULL,
    kind             text        NOT NULL,
    -- AEAD of the PIN or the QR data; its first bytes name the master key, so that master keys can be rotated.
    secret           bytea       NOT NULL,
    compartment      text,
    created_at       timestamptz NOT NULL,
    -- Since when the key is on no stay; NULL while it is on one or more. The clock of the clean-up of unused keys.
    unassigned_since timestamptz,
    CONSTRAINT room_access_keys_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT room_access_keys_hotel_id_id_kind_key UNIQUE (hotel_id, id, kind),
    CONSTRAINT room_access_keys_integration_fkey
        FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT room_access_keys_kind_check CHECK (kind IN ('PIN', 'KEY_STORAGE', 'QR')),
    CONSTRAINT room_access_keys_compartment_check CHECK ((kind = 'KEY_STORAGE') = (compartment IS NOT NULL))
);
