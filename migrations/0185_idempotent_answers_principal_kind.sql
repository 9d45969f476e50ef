-- Answers are kept for whoever sends requests: API keys, staff, guests. api_key_id is the id of the principal, of the kind
-- that is told here; it keeps its name as long as the release before runs, which knows API keys alone and finds and keeps
-- their answers as ever.
ALTER TABLE idempotent_answers ADD COLUMN principal_kind text NOT NULL DEFAULT 'api_key'
    CONSTRAINT idempotent_answers_principal_kind_check CHECK (principal_kind IN ('api_key', 'staff', 'guest'));
