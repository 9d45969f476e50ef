-- Replaced by room_stays_room_access_key_due_by_hotel_idx: the pruner works hotel by hotel.
DROP INDEX room_stays_room_access_key_due_idx;
