-- No two rooms of a hotel that people take for one.
-- Safe since 0.1.0: the release before writes NULL, which is never taken.
CREATE UNIQUE INDEX room_setups_hotel_id_name_folded_key ON room_setups (hotel_id, name_folded);
