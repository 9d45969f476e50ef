-- Who may open which doors and when, by which means (seed 001).
-- Safe since 0.1.0: it only adds tables, with their constraints and indexes.

-- Somebody to whom access is granted.
CREATE TABLE user_identities (
    hotel_id          uuid        NOT NULL,
    id                uuid        NOT NULL,
    integration_id    uuid        NOT NULL,
    user_identity_key text,
    kind              text        NOT NULL,
    -- How it is called and reached; of a guest who is a client, the client says more.
    full_name         text,
    email_address     text,
    phone_number      text,
    client_id         uuid,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- One that was deleted is kept for its grants, which are deleted, too: without its key and without who it was.
    deleted_at        timestamptz,
    CONSTRAINT user_identities_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT user_identities_integration_fkey FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT user_identities_client_fkey FOREIGN KEY (hotel_id, client_id) REFERENCES clients (hotel_id, id),
    CONSTRAINT user_identities_key_check CHECK (char_length(user_identity_key) BETWEEN 1 AND 200),
    CONSTRAINT user_identities_key_key UNIQUE (hotel_id, integration_id, user_identity_key),
    CONSTRAINT user_identities_kind_check CHECK (kind IN ('GUEST', 'RESIDENT', 'STAFF')),
    CONSTRAINT user_identities_deleted_check CHECK (
        deleted_at IS NULL OR num_nonnulls(user_identity_key, full_name, email_address, phone_number, client_id) = 0
    )
);
CREATE INDEX user_identities_by_integration ON user_identities (hotel_id, integration_id, id) WHERE deleted_at IS NULL;
CREATE INDEX user_identities_by_client ON user_identities (hotel_id, client_id) WHERE client_id IS NOT NULL;
CALL protect_tenant_table('user_identities');

-- What the grants of one reservation key share, from its first grant until its last one has ended. That of a room stay is the
-- hotel's, whoever grants; any other is the integration's own.
CREATE TABLE access_reservations (
    hotel_id        uuid        NOT NULL,
    id              uuid        NOT NULL,
    integration_id  uuid,
    -- Of a room stay its id.
    reservation_key text        NOT NULL,
    room_stay_id    uuid,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    CONSTRAINT access_reservations_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT access_reservations_integration_fkey FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT access_reservations_key_check CHECK (char_length(reservation_key) BETWEEN 1 AND 200),
    CONSTRAINT access_reservations_of_check CHECK ((room_stay_id IS NULL) = (integration_id IS NOT NULL))
);
CREATE UNIQUE INDEX access_reservations_key_key ON access_reservations (hotel_id, integration_id, reservation_key)
    WHERE ended_at IS NULL;
CREATE UNIQUE INDEX access_reservations_stay_key ON access_reservations (hotel_id, room_stay_id) WHERE ended_at IS NULL;
CALL protect_tenant_table('access_reservations');

-- The doors that the first grant of a reservation has fixed. (starts_at, sequence) orders the reservations of a door: at the lock
-- the greater one overrides the lesser one, whichever was issued first. starts_at is the start of its oldest grant on the door.
CREATE TABLE access_reservation_doors (
    hotel_id       uuid        NOT NULL,
    reservation_id uuid        NOT NULL,
    entrance_id    uuid        NOT NULL,
    starts_at      timestamptz NOT NULL,
    sequence       bigint      NOT NULL,
    CONSTRAINT access_reservation_doors_pkey PRIMARY KEY (hotel_id, reservation_id, entrance_id),
    CONSTRAINT access_reservation_doors_order_key UNIQUE (hotel_id, entrance_id, sequence),
    CONSTRAINT access_reservation_doors_reservation_fkey FOREIGN KEY (hotel_id, reservation_id) REFERENCES access_reservations (hotel_id, id),
    CONSTRAINT access_reservation_doors_entrance_fkey FOREIGN KEY (hotel_id, entrance_id) REFERENCES entrances (hotel_id, id)
);
CREATE INDEX access_reservation_doors_by_order ON access_reservation_doors (hotel_id, entrance_id, starts_at, sequence);
CALL protect_tenant_table('access_reservation_doors');

CREATE TABLE access_grants (
    hotel_id         uuid        NOT NULL,
    id               uuid        NOT NULL,
    integration_id   uuid        NOT NULL,
    user_identity_id uuid        NOT NULL,
    access_grant_key text,
    name             text,
    reservation_id   uuid,
    reservation_key  text,
    room_stay_id     uuid,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    -- Deleted grants are kept for the methods that are listed as revoked.
    deleted_at       timestamptz,
    -- Deleted because its stay gave no access meanwhile, and given back with it: until then it has no successor.
    awaits_stay      boolean     NOT NULL DEFAULT false,
    CONSTRAINT access_grants_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT access_grants_integration_fkey FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT access_grants_identity_fkey FOREIGN KEY (hotel_id, user_identity_id) REFERENCES user_identities (hotel_id, id),
    CONSTRAINT access_grants_reservation_fkey FOREIGN KEY (hotel_id, reservation_id) REFERENCES access_reservations (hotel_id, id),
    CONSTRAINT access_grants_key_check CHECK (char_length(access_grant_key) BETWEEN 1 AND 200),
    CONSTRAINT access_grants_frame_check CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX access_grants_key_key ON access_grants (hotel_id, integration_id, access_grant_key) WHERE deleted_at IS NULL;
-- Also of deleted grants: their cards override others once they were written.
CREATE INDEX access_grants_by_reservation ON access_grants (hotel_id, reservation_id) WHERE reservation_id IS NOT NULL;
CREATE INDEX access_grants_by_reservation_key ON access_grants (hotel_id, reservation_key, integration_id, id)
    WHERE deleted_at IS NULL;
CREATE INDEX access_grants_by_stay ON access_grants (hotel_id, room_stay_id)
    WHERE room_stay_id IS NOT NULL AND (deleted_at IS NULL OR awaits_stay);
CREATE INDEX access_grants_by_integration ON access_grants (hotel_id, integration_id, id)
    WHERE deleted_at IS NULL OR awaits_stay;
CREATE INDEX access_grants_by_identity ON access_grants (hotel_id, user_identity_id);
CALL protect_tenant_table('access_grants');

-- The doors of a grant, as its spaces had them when it was made.
CREATE TABLE access_grant_entrances (
    hotel_id    uuid    NOT NULL,
    grant_id    uuid    NOT NULL,
    entrance_id uuid    NOT NULL,
    -- One of the room of its stay, which changes with the room.
    of_stay     boolean NOT NULL,
    CONSTRAINT access_grant_entrances_pkey PRIMARY KEY (hotel_id, grant_id, entrance_id),
    CONSTRAINT access_grant_entrances_grant_fkey FOREIGN KEY (hotel_id, grant_id) REFERENCES access_grants (hotel_id, id),
    CONSTRAINT access_grant_entrances_entrance_fkey FOREIGN KEY (hotel_id, entrance_id) REFERENCES entrances (hotel_id, id)
);
CREATE INDEX access_grant_entrances_by_entrance ON access_grant_entrances (hotel_id, entrance_id);
CALL protect_tenant_table('access_grant_entrances');

-- The spaces that a grant was made for.
CREATE TABLE access_grant_spaces (
    hotel_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    space_id uuid NOT NULL,
    CONSTRAINT access_grant_spaces_pkey PRIMARY KEY (hotel_id, grant_id, space_id),
    CONSTRAINT access_grant_spaces_grant_fkey FOREIGN KEY (hotel_id, grant_id) REFERENCES access_grants (hotel_id, id),
    CONSTRAINT access_grant_spaces_space_fkey FOREIGN KEY (hotel_id, space_id) REFERENCES spaces (hotel_id, id) ON DELETE CASCADE
);
CREATE INDEX access_grant_spaces_by_space ON access_grant_spaces (hotel_id, space_id);
CALL protect_tenant_table('access_grant_spaces');

-- One means of entry: one card, one phone's key, one code. Also one that was asked for and could not be made.
CREATE TABLE access_methods (
    hotel_id          uuid        NOT NULL,
    id                uuid        NOT NULL,
    grant_id          uuid        NOT NULL,
    -- That of the grant.
    integration_id    uuid        NOT NULL,
    mode              text        NOT NULL,
    -- Nothing of this mode can be made for the doors of the grant: it is no method, and an error of the grant.
    refused           boolean     NOT NULL,
    created_at        timestamptz NOT NULL,
    issued_at         timestamptz,
    -- When the card was last written, and whether what it bears is not what the grant says any more.
    encoded_at        timestamptz,
    encoding_required boolean     NOT NULL DEFAULT false,
    -- Rises whenever what a card has to bear changes.
    revision          bigint      NOT NULL DEFAULT 1,
    -- When a lock was seen to refuse it for a later reservation.
    overridden_at     timestamptz,
    revoked_at        timestamptz,
    CONSTRAINT access_methods_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT access_methods_grant_fkey FOREIGN KEY (hotel_id, grant_id) REFERENCES access_grants (hotel_id, id),
    CONSTRAINT access_methods_mode_check CHECK (mode IN ('CARD', 'MOBILE_KEY', 'CODE', 'CLOUD_KEY'))
);
CREATE INDEX access_methods_by_grant ON access_methods (hotel_id, grant_id);
CREATE INDEX access_methods_by_integration ON access_methods (hotel_id, integration_id, id) WHERE NOT refused;
CALL protect_tenant_table('access_methods');

-- The start by which a reservation is ordered on a door that it has from starts_at until ends_at. A card that was written and taken away
-- since opens until its time ends. So it is the start of the latest reservation that this one meets on the door and that has left such
-- a card: then the number on the door decides.
CREATE FUNCTION access_order_start(hotel uuid, entrance uuid, starts_at timestamptz, ends_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest($3, max(d.starts_at)) FROM access_reservation_doors d
    WHERE d.hotel_id = $1 AND d.entrance_id = $2 AND d.starts_at > $3 AND ($4 IS NULL OR d.starts_at < $4) AND EXISTS (
        SELECT FROM access_grants g JOIN access_methods m ON m.hotel_id = $1 AND m.grant_id = g.id
        WHERE g.hotel_id = $1 AND g.reservation_id = d.reservation_id
        AND m.revoked_at IS NOT NULL AND m.encoded_at IS NOT NULL
    )
$$;
