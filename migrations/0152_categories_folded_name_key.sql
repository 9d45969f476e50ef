-- No two categories of a hotel that people take for one.
-- Safe since 0.1.0: the release before writes NULL, which is never taken.
CREATE UNIQUE INDEX categories_hotel_id_name_folded_key ON categories (hotel_id, name_folded);
