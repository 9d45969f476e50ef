-- The clean-up of idempotency: which answers are past their time, whatever their hotel?
CREATE INDEX idempotent_answers_expired_idx ON idempotent_answers (created_at);
