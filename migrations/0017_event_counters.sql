-- Numbers the events of each hotel without gaps, in commit order: the row is taken last before the commit.
CREATE TABLE event_counters (
    hotel_id      uuid   NOT NULL,
    last_position bigint NOT NULL,
    CONSTRAINT event_counters_pkey PRIMARY KEY (hotel_id),
    CONSTRAINT event_counters_hotel_id_fkey FOREIGN KEY (hotel_id) REFERENCES hotels (id)
) WITH (fillfactor = 50);
