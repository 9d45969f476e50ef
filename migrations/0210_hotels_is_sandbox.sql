-- Hotels to try things in: their data persist as everywhere, and what no guest and no lock does there can be simulated.
-- Safe since 0.1.0: authenticate() only tells more. It is called by its name and its columns are read by theirs; what processes remember
-- of a key is not confirmed once, and looked up anew.
ALTER TABLE hotels ADD COLUMN is_sandbox boolean NOT NULL DEFAULT false;

DROP FUNCTION authenticate;
CREATE FUNCTION authenticate(hash bytea, OUT api_key_id uuid, OUT integration_id uuid, OUT permission text, OUT live boolean,
                             OUT revoked boolean, OUT disabled boolean, OUT hotel_id uuid, OUT slug text, OUT name text,
                             OUT time_zone text, OUT check_in_time time, OUT check_out_time time,
                             OUT room_access_keys_enabled boolean, OUT is_sandbox boolean)
    LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
    SELECT k.id, k.integration_id, k.permission, k.live_hash = hash, k.revoked_at IS NOT NULL, k.disabled_at IS NOT NULL,
           h.id, h.slug, h.name, h.time_zone, h.check_in_time, h.check_out_time, h.room_access_keys_enabled, h.is_sandbox
    INTO api_key_id, integration_id, permission, live, revoked, disabled, hotel_id, slug, name, time_zone, check_in_time,
         check_out_time, room_access_keys_enabled, is_sandbox
    FROM public.api_keys k JOIN public.hotels h ON h.id = k.hotel_id
    WHERE k.live_hash = hash OR k.test_hash = hash;
    PERFORM set_config('latchkey.hotel_id', coalesce(authenticate.hotel_id::text, ''), false);
END $$;
REVOKE EXECUTE ON FUNCTION authenticate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate TO latchkey_app;

-- The same columns, in the same order.
CREATE OR REPLACE FUNCTION confirm_credential(hash bytea, known bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF set_config('latchkey.hotel_id', (
        SELECT h.id::text FROM public.api_keys k JOIN public.hotels h ON h.id = k.hotel_id
        WHERE (k.live_hash = hash OR k.test_hash = hash) AND k.revoked_at IS NULL AND k.disabled_at IS NULL
          AND known = hash_record_extended(
            (k.id, k.integration_id, k.permission, k.live_hash = hash, k.revoked_at IS NOT NULL, k.disabled_at IS NOT NULL,
             h.id, h.slug, h.name, h.time_zone, h.check_in_time, h.check_out_time, h.room_access_keys_enabled,
             h.is_sandbox), 0)
    ), false) <> '' THEN
        RETURN true;
    END IF;
    RAISE 'this credential is not what it was' USING ERRCODE = 'LK001';
END $$;
