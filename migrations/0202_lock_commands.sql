-- What locks and encoders are told to do: jobs that a bridge, or a simulated encoder, takes, does and answers.
CREATE TABLE lock_commands (
    hotel_id         uuid        NOT NULL,
    id               uuid        NOT NULL,
    encoder_id       uuid        NOT NULL,
    -- The integration that asked for it. It reads how it went, as an action attempt.
    integration_id   uuid        NOT NULL,
    kind             text        NOT NULL,
    -- What it is about: of a card, the access method.
    subject_id       uuid        NOT NULL,
    -- What is to be written, and which state of the subject that is.
    card             jsonb       NOT NULL,
    revision         bigint      NOT NULL,
    status           text        NOT NULL,
    -- How its last attempt failed, or why it was given up.
    error            text,
    created_at       timestamptz NOT NULL,
    -- Nobody waits for it any longer than that.
    expires_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    failed_attempts  integer     NOT NULL DEFAULT 0,
    -- When it may be claimed; NULL once it is finished.
    next_attempt_at  timestamptz,
    leased_until     timestamptz,
    lease_holder     integer,
    -- Names the last claim, which may complete it while it is leased, and the state of the subject that was given with it.
    claim_id         uuid,
    claimed_revision bigint,
    CONSTRAINT lock_commands_pkey PRIMARY KEY (hotel_id, id),
    CONSTRAINT lock_commands_encoder_fkey FOREIGN KEY (hotel_id, encoder_id) REFERENCES encoders (hotel_id, id),
    CONSTRAINT lock_commands_integration_fkey FOREIGN KEY (hotel_id, integration_id) REFERENCES integrations (hotel_id, id),
    CONSTRAINT lock_commands_kind_check CHECK (kind IN ('ENCODE_CARD')),
    CONSTRAINT lock_commands_status_check CHECK (
        status IN ('PENDING', 'SUCCEEDED', 'FAILED')
        AND (status = 'PENDING') = (next_attempt_at IS NOT NULL) AND (status = 'PENDING') = (finished_at IS NULL)
        AND (status <> 'FAILED' OR error IS NOT NULL) AND (status = 'PENDING' OR leased_until IS NULL)
    )
);
CREATE INDEX lock_commands_due ON lock_commands (hotel_id, encoder_id, next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX lock_commands_by_subject ON lock_commands (hotel_id, subject_id);
CREATE INDEX lock_commands_by_integration ON lock_commands (hotel_id, integration_id, id);
CREATE INDEX lock_commands_finished ON lock_commands (hotel_id, finished_at) WHERE finished_at IS NOT NULL;
CALL protect_tenant_table('lock_commands');

CREATE INDEX encoders_simulated ON encoders (hotel_id, id) WHERE simulated;

-- What simulated encoders do by themselves. Nothing but they reads it.
CREATE TABLE simulated_encoders (
    hotel_id   uuid NOT NULL,
    encoder_id uuid NOT NULL,
    -- How the next encoding fails; NULL: it succeeds.
    fails_with text,
    -- The card that was written last.
    card       jsonb,
    CONSTRAINT simulated_encoders_pkey PRIMARY KEY (hotel_id, encoder_id),
    CONSTRAINT simulated_encoders_encoder_fkey FOREIGN KEY (hotel_id, encoder_id)
        REFERENCES encoders (hotel_id, id) ON DELETE CASCADE
);
CALL protect_tenant_table('simulated_encoders');
