-- RoomStay.overlappingRoomStays: who else has this room in these nights?
CREATE INDEX room_stays_room_setup_idx ON room_stays (hotel_id, room_setup_id, reservation_to);
