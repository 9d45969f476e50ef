-- Names of rooms and categories and codes of reservations as they are compared: case-folded, composed, spaces collapsed. The
-- service writes them, since PostgreSQL 15 has no full case folding. NULL: written by a release before, or by a row whose name
-- another one already had when this came; such rows are found by the name itself.
ALTER TABLE categories ADD COLUMN name_folded text;
ALTER TABLE room_setups ADD COLUMN name_folded text;
ALTER TABLE reservations ADD COLUMN code_folded text;
