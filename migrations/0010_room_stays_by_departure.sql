-- room_stays(filter: {reservation_from: {le}, reservation_to: {gt}}): the window page, in the order of its cursor.
CREATE INDEX room_stays_departure_idx ON room_stays (hotel_id, reservation_to, id);
