-- The rows that were there before satisfy the constraint, as they did its predecessor; PostgreSQL looks without stopping writes.
ALTER TABLE room_stays VALIDATE CONSTRAINT room_stays_room_access_key_fkey;
