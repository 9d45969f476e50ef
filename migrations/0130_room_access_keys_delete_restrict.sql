-- Deleting a key asks PostgreSQL once whether a stay has it. NO ACTION asked twice: it also looked whether another key had
-- taken the deleted one's place. Nothing relies on that, and the pruner deletes keys by the thousand.
-- Safe since 0.1.0: whatever the one constraint lets pass, the other does, too; keys leave their stays before they are deleted.
ALTER TABLE room_stays
    DROP CONSTRAINT room_stays_room_access_key_fkey,
    -- Holds for everything that is written from now on; the next migration looks at what is there, holding nobody up.
    ADD CONSTRAINT room_stays_room_access_key_fkey FOREIGN KEY (hotel_id, room_access_key_id, room_access_key_kind)
        REFERENCES room_access_keys (hotel_id, id, kind) ON DELETE RESTRICT NOT VALID;
