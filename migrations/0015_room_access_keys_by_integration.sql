-- roomAccessKeys: the keys that the asking integration may grant or revoke, in the order of its cursor.
CREATE INDEX room_access_keys_integration_idx ON room_access_keys (hotel_id, integration_id, id);
