-- Doors that are opened from afar: commands to an entrance in place of an encoder, which write no card.
-- Safe since 0.1.0: that release knows nothing of the table.
ALTER TABLE lock_commands
    ALTER COLUMN encoder_id DROP NOT NULL,
    ALTER COLUMN card DROP NOT NULL,
    ALTER COLUMN revision DROP NOT NULL,
    ADD COLUMN entrance_id uuid,
    ADD CONSTRAINT lock_commands_entrance_fkey FOREIGN KEY (hotel_id, entrance_id) REFERENCES entrances (hotel_id, id),
    DROP CONSTRAINT lock_commands_kind_check,
    ADD CONSTRAINT lock_commands_kind_check CHECK (
        CASE kind
            WHEN 'ENCODE_CARD' THEN num_nulls(encoder_id, card, revision) = 0 AND entrance_id IS NULL
            WHEN 'UNLOCK_DOOR' THEN num_nonnulls(encoder_id, card, revision) = 0 AND entrance_id IS NOT NULL
            ELSE false
        END
    );
CREATE INDEX lock_commands_by_entrance ON lock_commands (hotel_id, entrance_id) WHERE entrance_id IS NOT NULL;
