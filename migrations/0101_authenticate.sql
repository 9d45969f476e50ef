-- The one way from an API key to its hotel: whoever has no key's hash learns of no key. Tells the connection, until it is
-- told another one, which hotel it works for; a hash that belongs to nobody leaves it without a hotel. Whether the key is
-- still good is for the caller to judge. Tables are named with their schema, so no search_path bends them, and the roles may
-- create nothing anywhere; a SET clause would cost as much as the look-up.
CREATE FUNCTION authenticate(hash bytea, OUT api_key_id uuid, OUT integration_id uuid, OUT permission text, OUT live boolean,
                             OUT revoked boolean, OUT disabled boolean, OUT hotel_id uuid, OUT slug text, OUT name text,
                             OUT time_zone text, OUT check_in_time time, OUT check_out_time time,
                             OUT room_access_keys_enabled boolean)
    LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
    SELECT k.id, k.integration_id, k.permission, k.live_hash = hash, k.revoked_at IS NOT NULL, k.disabled_at IS NOT NULL,
           h.id, h.slug, h.name, h.time_zone, h.check_in_time, h.check_out_time, h.room_access_keys_enabled
    INTO api_key_id, integration_id, permission, live, revoked, disabled, hotel_id, slug, name, time_zone, check_in_time,
         check_out_time, room_access_keys_enabled
    FROM public.api_keys k JOIN public.hotels h ON h.id = k.hotel_id
    WHERE k.live_hash = hash OR k.test_hash = hash;
    PERFORM set_config('latchkey.hotel_id', coalesce(authenticate.hotel_id::text, ''), false);
END $$;
REVOKE EXECUTE ON FUNCTION authenticate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate TO latchkey_app;
