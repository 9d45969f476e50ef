-- deleteRoomAccessKey and removeRoomAccessKey: is the key still on a stay?
CREATE INDEX room_stays_room_access_key_idx ON room_stays (hotel_id, room_access_key_id)
    WHERE room_access_key_id IS NOT NULL;
