-- Replaced by room_access_keys_unassigned_by_hotel_idx: the pruner works hotel by hotel.
DROP INDEX room_access_keys_unassigned_idx;
