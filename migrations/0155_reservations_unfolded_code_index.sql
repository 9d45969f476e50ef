-- Which reservation of before codes were folded goes by this code, in capitals or not?
CREATE INDEX IF NOT EXISTS reservations_unfolded_code_idx ON reservations (hotel_id, lower(code COLLATE "C"))
    WHERE code_folded IS NULL;
