-- Names of rooms and categories and codes of reservations as they are compared: case-folded, composed, spaces collapsed. The
-- service writes them, since PostgreSQL 15 has no full case folding. NULL: of a row that a release before wrote, or whose name
-- another row already had when this came; such rows are found by the name itself.
ALTER TABLE categories ADD COLUMN IF NOT EXISTS name_folded text;
ALTER TABLE room_setups ADD COLUMN IF NOT EXISTS name_folded text;
ALTER TABLE reservations ADD COLUMN IF NOT EXISTS code_folded text;
