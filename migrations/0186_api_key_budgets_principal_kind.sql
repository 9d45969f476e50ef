-- Limits are those of whoever sends requests, as in 0185: api_key_id is the id of the principal, of the kind that is told
-- here.
ALTER TABLE api_key_budgets ADD COLUMN principal_kind text NOT NULL DEFAULT 'api_key'
    CONSTRAINT api_key_budgets_principal_kind_check CHECK (principal_kind IN ('api_key', 'staff', 'guest'));
