-- The hotel of the connection is asked for once per statement and table, and not for each row of a scan: a setting is a text that is
-- parsed anew each time. As a subquery it is also known to be the same for all rows, so that every plan can look it up.
DO $$
DECLARE
    policy record;
BEGIN
    FOR policy IN
        SELECT format('%I.%I', schemaname, tablename) AS of_table,
               CASE tablename WHEN 'hotels' THEN 'id' ELSE 'hotel_id' END AS hotel
        FROM pg_policies WHERE schemaname = 'public' AND policyname = 'hotel'
    LOOP
        EXECUTE format('ALTER POLICY hotel ON %s USING (%I = (SELECT current_hotel_id()))', policy.of_table, policy.hotel);
    END LOOP;
END $$;

CREATE OR REPLACE PROCEDURE protect_tenant_table(tenant_table regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY hotel ON %s TO latchkey_app USING (hotel_id = (SELECT current_hotel_id()))', tenant_table);
    EXECUTE format('CREATE POLICY worker ON %s TO latchkey_worker USING (true)', tenant_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchkey_app, latchkey_worker', tenant_table);
END $$;
