-- room_stays(filter: {updatedAt: {ge}}): what changed since an integration last asked.
CREATE INDEX room_stays_updated_idx ON room_stays (hotel_id, updated_at);
