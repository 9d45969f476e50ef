-- Which line of a hotel's own bookings has made a stay or changed it last. The same line again changes nothing, whatever the
-- front desk has done to the stay meanwhile.
CREATE TABLE imported_lines (
    hotel_id     uuid NOT NULL,
    room_stay_id uuid NOT NULL,
    -- Hash of all that the line says.
    digest       uuid NOT NULL,
    CONSTRAINT imported_lines_pkey PRIMARY KEY (hotel_id, room_stay_id),
    CONSTRAINT imported_lines_room_stay_fkey
        FOREIGN KEY (hotel_id, room_stay_id) REFERENCES room_stays (hotel_id, id) ON DELETE CASCADE
);
CALL protect_tenant_table('imported_lines');
