-- Reservation.rooms: the stays of the reservations of one page, in the order of its cursor.
CREATE INDEX room_stays_reservation_idx ON room_stays (hotel_id, reservation_id, id);
