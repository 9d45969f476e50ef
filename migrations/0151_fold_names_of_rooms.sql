-- Fills what can be told in SQL: of ASCII alone, lower case is the fold. Of several rooms with the same fold, the oldest gets it.
-- Reservations are not filled: that would rewrite a large table, and an index finds them (0155).
UPDATE categories c SET name_folded = first.fold
FROM (SELECT DISTINCT ON (hotel_id, lower(name COLLATE "C")) hotel_id, id, lower(name COLLATE "C") AS fold FROM categories
      WHERE name COLLATE "C" ~ '^[!-~]+( [!-~]+)*$' ORDER BY hotel_id, lower(name COLLATE "C"), created_at, id) first
WHERE c.hotel_id = first.hotel_id AND c.id = first.id;
UPDATE room_setups r SET name_folded = first.fold
FROM (SELECT DISTINCT ON (hotel_id, lower(name COLLATE "C")) hotel_id, id, lower(name COLLATE "C") AS fold FROM room_setups
      WHERE name COLLATE "C" ~ '^[!-~]+( [!-~]+)*$' ORDER BY hotel_id, lower(name COLLATE "C"), created_at, id) first
WHERE r.hotel_id = first.hotel_id AND r.id = first.id;
