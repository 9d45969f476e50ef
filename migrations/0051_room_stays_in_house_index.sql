-- Who is in the house: `GET /guests`, the synchronisation of that list, and whether a room is occupied.
CREATE INDEX room_stays_in_house_idx ON room_stays (hotel_id, id) WHERE check_in IS NOT NULL AND check_out IS NULL;
