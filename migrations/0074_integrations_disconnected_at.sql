-- A disconnected integration keeps its row: events and revoked API keys go on naming it.
ALTER TABLE integrations ADD COLUMN disconnected_at timestamptz;
