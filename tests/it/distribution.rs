//! What a database that is distributed by `hotel_id` (Citus) asks of the schema, read off the catalogue. That the hotel
//! leads every key and index is in `contract.rs`; docs/SCALING.md says what the rest is for.

use sqlx::PgPool;

use crate::support::TestDb;

/// Tables that every node has a copy of. All others are distributed.
const REFERENCE_TABLES: &str = "('hotels', 'api_keys', 'secret_keys')";

/// Runs a query of one text column that tells what is against a rule; `$reference` stands for the reference tables,
/// `$distributed` for a condition on `c`.
async fn against(pool: &PgPool, query: &str) -> Vec<String> {
    let distributed = "c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relname NOT LIKE '\\_sqlx%' AND c.relname NOT IN $reference";
    let query = query.replace("$distributed", distributed).replace("$reference", REFERENCE_TABLES);
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(pool).await.expect("the catalogue can be read")
}

/// What Citus refuses to distribute, and the query that finds it.
const RULES: [(&str, &str); 8] = [
    (
        "distributed tables whose hotel_id is not a uuid that is always there: they would not lie together",
        "SELECT c.relname::text FROM pg_class c WHERE $distributed AND NOT EXISTS (
             SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'hotel_id'
             AND a.atttypid = 'uuid'::regtype AND a.attnotnull)",
    ),
    (
        "foreign keys of reference tables to distributed ones",
        "SELECT k.conname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid
         JOIN pg_class c ON c.oid = k.confrelid
         WHERE k.contype = 'f' AND f.relname IN $reference AND $distributed",
    ),
    (
        "foreign keys between distributed tables that do not pair hotel_id with hotel_id",
        "SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         JOIN pg_class f ON f.oid = k.confrelid
         WHERE k.contype = 'f' AND $distributed AND f.relname NOT IN $reference AND NOT EXISTS (
             SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.here AND a.attname = 'hotel_id'
             JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.there AND b.attname = 'hotel_id')",
    ),
    (
        "foreign keys that set columns, hotel_id among them",
        "SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         WHERE k.contype = 'f' AND $distributed AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd'))",
    ),
    (
        "triggers, which would have to be the same on every node",
        "SELECT t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE NOT t.tgisinternal AND $distributed",
    ),
    (
        "unique or exclusion constraints across hotels",
        "SELECT ic.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_class ic ON ic.oid = i.indexrelid
         WHERE (i.indisunique OR i.indisexclusion) AND $distributed AND NOT EXISTS (
             SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'hotel_id' AND a.attnum = ANY (i.indkey))",
    ),
    (
        "partitions of partitions, identity columns",
        "SELECT p.relname::text FROM pg_class p WHERE p.relkind = 'p' AND p.relispartition
         UNION ALL
         SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE $distributed AND a.attidentity <> ''",
    ),
    (
        "views, rules and inheritance other than partitions",
        "SELECT v.relname::text FROM pg_class v WHERE v.relkind IN ('v', 'm', 'f')
         AND v.relnamespace = 'public'::regnamespace
         UNION ALL
         SELECT r.rulename::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE $distributed
         UNION ALL
         SELECT h.relname::text FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhrelid
         WHERE h.relnamespace = 'public'::regnamespace AND h.relkind IN ('r', 'p') AND NOT h.relispartition",
    ),
];

#[tokio::test]
async fn every_tenant_table_can_be_distributed_by_its_hotel() {
    let db = TestDb::new().await;
    let distributed = against(&db.pool, "SELECT c.relname::text FROM pg_class c WHERE $distributed").await;
    assert!(distributed.len() > 15, "{distributed:?}");
    for (rule, query) in RULES {
        assert_eq!(against(&db.pool, query).await, Vec::<String>::new(), "{rule}");
    }
    // A schema that breaks each of them.
    sqlx::raw_sql(
        "CREATE TABLE bad (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hotel_id uuid,
                           other uuid REFERENCES api_keys ON DELETE SET NULL);
         CREATE TABLE bad_child (hotel_id uuid NOT NULL, bad bigint REFERENCES bad, PRIMARY KEY (hotel_id, bad));
         ALTER TABLE hotels ADD COLUMN bad bigint REFERENCES bad;
         CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER bad AFTER INSERT ON bad FOR EACH ROW EXECUTE FUNCTION bad();
         CREATE VIEW bad_view AS SELECT FROM bad",
    )
    .execute(&db.pool)
    .await
    .expect("made");
    for (rule, query) in RULES {
        assert!(!against(&db.pool, query).await.is_empty(), "the rule finds nothing: {rule}");
    }
}
