-- In whose names and form an endpoint is told: ours or those of Seam's API. `events` holds types of that format; of Seam's, `*` is all.
ALTER TABLE webhook_endpoints ADD COLUMN format text NOT NULL DEFAULT 'LATCHKEY'
    CONSTRAINT webhook_endpoints_format_check CHECK (format IN ('LATCHKEY', 'SEAM'));
