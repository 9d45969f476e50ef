-- apiKeys: the pairs of a hotel, in the order of its cursor. Disconnecting an integration finds its pairs by it, too.
CREATE INDEX api_keys_hotel_id_idx ON api_keys (hotel_id, id);
