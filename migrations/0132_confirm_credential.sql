-- Confirms, within a statement that reads for an API key, that the key stands for what it stood for when it was looked up last:
-- `known` is the hash of that answer of authenticate(), so its columns are the same, in the same order. The hash is not made against
-- forgers, who may choose a hotel's name; so whether the key is good is asked for by itself. Tells the connection the key's
-- hotel as authenticate() does. Anything else is an error, which ends the statement and leaves the connection as it was: so
-- nothing is ever answered for a key that was revoked, disabled or changed.
-- Safe since 0.1.0: what is revoked here is a right to the function that is made here.
CREATE FUNCTION confirm_credential(hash bytea, known bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF set_config('latchkey.hotel_id', (
        SELECT h.id::text FROM public.api_keys k JOIN public.hotels h ON h.id = k.hotel_id
        WHERE (k.live_hash = hash OR k.test_hash = hash) AND k.revoked_at IS NULL AND k.disabled_at IS NULL
          AND known = hash_record_extended(
            (k.id, k.integration_id, k.permission, k.live_hash = hash, k.revoked_at IS NOT NULL, k.disabled_at IS NOT NULL,
             h.id, h.slug, h.name, h.time_zone, h.check_in_time, h.check_out_time, h.room_access_keys_enabled), 0)
    ), false) <> '' THEN
        RETURN true;
    END IF;
    RAISE 'this credential is not what it was' USING ERRCODE = 'LK001';
END $$;
REVOKE EXECUTE ON FUNCTION confirm_credential FROM PUBLIC;
GRANT EXECUTE ON FUNCTION confirm_credential TO latchkey_app;
