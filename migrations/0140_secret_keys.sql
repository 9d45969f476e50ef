-- Which secret keys this database is sealed with, so that a process with other ones is refused before it seals anything. It lies
-- in the database to be in every dump of it.
CREATE TABLE secret_keys (
    number        bigint      NOT NULL,
    -- An HMAC under the key: tells it from any other key, and nothing about it. NULL for one that was given up unseen.
    fingerprint   bytea,
    registered_at timestamptz NOT NULL,
    -- Since when processes start without it: nothing is sealed with it any more, or it was given up.
    released_at   timestamptz,
    CONSTRAINT secret_keys_pkey PRIMARY KEY (number),
    CONSTRAINT secret_keys_number_check CHECK (number BETWEEN 0 AND 4294967295),
    CONSTRAINT secret_keys_fingerprint_check CHECK (
        CASE WHEN fingerprint IS NULL THEN released_at IS NOT NULL ELSE octet_length(fingerprint) = 32 END
    )
);

-- No hotel's, and none of the requests' business.
ALTER TABLE secret_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON secret_keys TO latchkey_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON secret_keys TO latchkey_worker;
