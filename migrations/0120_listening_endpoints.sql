-- The endpoints that get what a commit tells, as of this moment. The statement that asks has taken the hotel's counter, and may
-- have waited for it: it sees the database as it was when it began, a VOLATILE function what was committed since. So events and
-- their deliveries are one statement. Endpoints that were disabled by themselves are told, too: the workers keep it for them.
CREATE FUNCTION listening_endpoints(hotel uuid, OUT id uuid, OUT integration_id uuid, OUT events text[]) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE ROWS 5 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT w.id, w.integration_id, w.events FROM public.webhook_endpoints w
                 WHERE w.hotel_id = hotel AND (w.status = 'ENABLED' OR w.disabled_at IS NOT NULL);
END $$;
