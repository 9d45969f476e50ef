-- Partitions belong to the owner of their table, which the workers are not: they ask for one by its table and its week.

-- `events_w20261123` for the week of a Monday.
CREATE FUNCTION week_partition(partitioned regclass, monday date) RETURNS text LANGUAGE sql STABLE
    RETURN format('%s_w%s', partitioned, to_char(monday, 'YYYYMMDD'));

-- Also for the definer's rights: what is not partitioned by time is none of the workers' business.
CREATE PROCEDURE create_week_partition(partitioned regclass, monday date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET TimeZone = 'UTC' AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', week_partition(partitioned, monday),
                   partitioned, monday::timestamptz, (monday + 7)::timestamptz);
END $$;

CREATE PROCEDURE drop_week_partition(partitioned regclass, monday date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = partitioned
                   AND inhrelid = to_regclass(quote_ident(week_partition(partitioned, monday)))) THEN
        RAISE EXCEPTION 'no such partition';
    END IF;
    EXECUTE format('DROP TABLE %I', week_partition(partitioned, monday));
END $$;

REVOKE EXECUTE ON PROCEDURE create_week_partition, drop_week_partition FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE create_week_partition, drop_week_partition TO latchkey_worker;
