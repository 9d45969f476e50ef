-- Doors, the spaces that hold them, and the encoders of their cards (seed 001).

-- A door. Its key is how clients of Seam's libraries name it.
CREATE TABLE entrances (
    hotel_id                  uuid        NOT NULL,
    id                        uuid        NOT NULL,
    entrance_key              text,
    name                      text        NOT NULL,
    provider                  text        NOT NULL,
    can_belong_to_reservation boolean     NOT NULL,
    -- Modes of access methods that open it.
    modes                     text[]      NOT NULL,
    -- Sequence number of the last reservation that was established on it. It only rises.
    last_sequence             bigint      NOT NULL DEFAULT 0,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL,
    CONSTRAINT entrances_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT entrances_hotel_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT entrances_key_key UNIQUE (hotel_id, entrance_key),
    CONSTRAINT entrances_key_check CHECK (char_length(entrance_key) BETWEEN 1 AND 200),
    CONSTRAINT entrances_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT entrances_modes_check CHECK (modes <@ '{CARD,MOBILE_KEY,CODE,CLOUD_KEY}' AND cardinality(modes) > 0)
);
CALL protect_tenant_table('entrances');

-- A named set of doors. Each room setup is one, under its own id, and is named by it.
CREATE TABLE spaces (
    hotel_id      uuid        NOT NULL,
    id            uuid        NOT NULL,
    space_key     text,
    name          text        NOT NULL,
    room_setup_id uuid,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT spaces_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT spaces_hotel_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT spaces_room_setup_fkey FOREIGN KEY (hotel_id, room_setup_id)
        REFERENCES room_setups (hotel_id, id) ON DELETE CASCADE,
    CONSTRAINT spaces_room_setup_check CHECK (room_setup_id = id),
    CONSTRAINT spaces_key_key UNIQUE (hotel_id, space_key),
    CONSTRAINT spaces_key_check CHECK (char_length(space_key) BETWEEN 1 AND 200),
    CONSTRAINT spaces_name_check CHECK (char_length(name) BETWEEN 1 AND 200)
);
CREATE INDEX spaces_by_room_setup ON spaces (hotel_id, room_setup_id) WHERE room_setup_id IS NOT NULL;
CALL protect_tenant_table('spaces');

INSERT INTO spaces (hotel_id, id, name, room_setup_id, created_at, updated_at)
SELECT hotel_id, id, name, id, created_at, updated_at FROM room_setups;

CREATE TABLE space_entrances (
    hotel_id    uuid NOT NULL,
    space_id    uuid NOT NULL,
    entrance_id uuid NOT NULL,
    CONSTRAINT space_entrances_pkey PRIMARY KEY (hotel_id, space_id, entrance_id),
    CONSTRAINT space_entrances_space_fkey FOREIGN KEY (hotel_id, space_id) REFERENCES spaces (hotel_id, id) ON DELETE CASCADE,
    CONSTRAINT space_entrances_entrance_fkey FOREIGN KEY (hotel_id, entrance_id)
        REFERENCES entrances (hotel_id, id) ON DELETE CASCADE
);
CREATE INDEX space_entrances_by_entrance ON space_entrances (hotel_id, entrance_id);
CALL protect_tenant_table('space_entrances');

-- What writes cards, at the front desk.
CREATE TABLE encoders (
    hotel_id        uuid        NOT NULL,
    id              uuid        NOT NULL,
    encoder_key     text,
    name            text        NOT NULL,
    provider        text        NOT NULL,
    -- Played by Latchkey itself, for demonstrations and tests.
    simulated       boolean     NOT NULL,
    -- The integration whose bridge takes its commands.
    integration_id  uuid,
    -- How attempts at it went.
    failures        integer     NOT NULL DEFAULT 0,
    backoff_until   timestamptz,
    last_success_at timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT encoders_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT encoders_hotel_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id),
    CONSTRAINT encoders_integration_fkey FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT encoders_key_key UNIQUE (hotel_id, encoder_key),
    CONSTRAINT encoders_key_check CHECK (char_length(encoder_key) BETWEEN 1 AND 200),
    CONSTRAINT encoders_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT encoders_simulated_check CHECK (NOT (simulated AND integration_id IS NOT NULL))
);
CREATE INDEX encoders_by_integration ON encoders (hotel_id, integration_id) WHERE integration_id IS NOT NULL;
CALL protect_tenant_table('encoders');
