-- No two reservations of a hotel whose codes people take for one.
-- Safe since 0.1.0: the release before writes NULL, which is never taken.
CREATE UNIQUE INDEX IF NOT EXISTS reservations_hotel_id_code_folded_key ON reservations (hotel_id, code_folded);
