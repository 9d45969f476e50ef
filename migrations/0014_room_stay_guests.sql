-- Who sleeps in the room, in the order in which the front desk entered them.
CREATE TABLE room_stay_guests (
    hotel_id     uuid     NOT NULL,
    room_stay_id uuid     NOT NULL,
    position     smallint NOT NULL,
    client_id    uuid     NOT NULL,
    CONSTRAINT room_stay_guests_pkey PRIMARY KEY (hotel_id, room_stay_id, position),
    CONSTRAINT room_stay_guests_client_key UNIQUE (hotel_id, room_stay_id, client_id),
    CONSTRAINT room_stay_guests_room_stay_fkey
        FOREIGN KEY (hotel_id, room_stay_id) REFERENCES room_stays (hotel_id, id) ON DELETE CASCADE,
    CONSTRAINT room_stay_guests_client_fkey FOREIGN KEY (hotel_id, client_id) REFERENCES clients (hotel_id, id)
);
