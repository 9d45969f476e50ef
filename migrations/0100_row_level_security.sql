-- The second wall between tenants: PostgreSQL itself shows a request the rows of its own hotel alone, whatever a statement
-- forgets to say. Nobody logs in as these roles: connections of latchkey become one of them when they are opened.
-- Roles belong to the whole cluster, and another database of it may have made them, even at this moment.
DO $$
BEGIN
    CREATE ROLE latchkey_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    CREATE ROLE latchkey_worker NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA public TO latchkey_app, latchkey_worker;

-- The hotel that the connection works for; NULL, which equals no hotel, before it is told.
CREATE FUNCTION current_hotel_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('latchkey.hotel_id', true), '')::uuid;

-- Every table of tenants gets the same two policies, and later migrations call this for theirs. Requests see their hotel;
-- workers and the command line go from hotel to hotel. FORCE: the owner of the tables is no exception.
CREATE PROCEDURE protect_tenant_table(tenant_table regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY hotel ON %s TO latchkey_app USING (hotel_id = current_hotel_id())', tenant_table);
    EXECUTE format('CREATE POLICY worker ON %s TO latchkey_worker USING (true)', tenant_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchkey_app, latchkey_worker', tenant_table);
END $$;

DO $$
DECLARE
    tenant_table regclass;
BEGIN
    FOR tenant_table IN
        SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'hotel_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        CALL protect_tenant_table(tenant_table);
    END LOOP;
END $$;

ALTER TABLE hotels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY hotel ON hotels TO latchkey_app USING (id = current_hotel_id());
CREATE POLICY worker ON hotels TO latchkey_worker USING (true);
GRANT SELECT, UPDATE ON hotels TO latchkey_app;
GRANT SELECT, INSERT, UPDATE ON hotels TO latchkey_worker;

-- A partition is reached through its table. Only what fell into a default partition is looked for there, by the workers.
DO $$
DECLARE
    default_partition regclass;
BEGIN
    FOR default_partition IN
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relispartition
        AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', default_partition);
        EXECUTE format('CREATE POLICY worker ON %s TO latchkey_worker USING (true)', default_partition);
        EXECUTE format('GRANT SELECT, DELETE ON %s TO latchkey_worker', default_partition);
    END LOOP;
END $$;

-- Functions below act with the rights of whoever owns the tables, and that one passes the workers' policies.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'latchkey_worker', 'MEMBER') THEN
        EXECUTE format('GRANT latchkey_worker TO %I', current_user);
    END IF;
EXCEPTION WHEN unique_violation THEN NULL;
END $$;

-- For whoever starts without the owner's rights: whether the schema is the one that the program needs.
DO $$
BEGIN
    IF to_regclass('_sqlx_migrations') IS NOT NULL THEN
        GRANT SELECT ON _sqlx_migrations TO latchkey_worker;
    END IF;
END $$;
