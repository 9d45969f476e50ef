//! The second wall: PostgreSQL shows a request the rows of its hotel, whatever a statement forgets.

use axum::http::HeaderValue;
use latchkey::db::roles;
use latchkey::hotels::HotelId;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::support::{DataDir, House, TestApp, TestDb};

/// Reads one column of text, as the owner.
async fn catalogue(db: &TestDb, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(&db.pool).await.expect("the catalogue can be read")
}

#[tokio::test]
async fn every_table_is_behind_the_wall() {
    let db = TestDb::new().await;
    let open = catalogue(
        &db,
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
         AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND c.relname <> '_sqlx_migrations'
         AND EXISTS (SELECT FROM unnest(ARRAY['latchkey_app', 'latchkey_worker', 'public']) AS role
                     WHERE has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE'))",
    );
    assert_eq!(open.await, [""; 0], "not behind it, and yet not closed");
    let policies = catalogue(
        &db,
        "SELECT DISTINCT concat_ws(' ', polname, polcmd, polpermissive, polroles::regrole[]::text,
                                   pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
         FROM pg_policy ORDER BY 1",
    );
    let expected = [
        "hotel * t {latchkey_app} (hotel_id = ( SELECT current_hotel_id() AS current_hotel_id))",
        "hotel * t {latchkey_app} (id = ( SELECT current_hotel_id() AS current_hotel_id))",
        "worker * t {latchkey_worker} true",
    ];
    assert_eq!(policies.await, expected);
    let without = catalogue(
        &db,
        "SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relname <> '_sqlx_migrations'
         AND 2 <> (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)",
    );
    assert_eq!(without.await, ["secret_keys"], "tables that requests or workers cannot use");
    let for_requests = catalogue(
        &db,
        "SELECT polrelid::regclass::text FROM pg_policy
         WHERE polrelid = 'secret_keys'::regclass AND 'latchkey_app'::regrole = ANY (polroles)
         UNION SELECT 'secret_keys' WHERE has_table_privilege('latchkey_app', 'secret_keys', 'SELECT, INSERT, UPDATE, DELETE')",
    );
    assert_eq!(for_requests.await, [""; 0], "it is no hotel's");
    let other_hotel = catalogue(
        &db,
        "SELECT polrelid::regclass::text FROM pg_policy WHERE pg_get_expr(polqual, polrelid) LIKE '(id = %'",
    );
    assert_eq!(other_hotel.await, ["hotels"]);
}

#[tokio::test]
async fn the_roles_may_do_nothing_that_goes_round_the_wall() {
    let db = TestDb::new().await;
    let strong = catalogue(
        &db,
        "SELECT rolname::text FROM pg_roles
         WHERE rolname IN ('latchkey_app', 'latchkey_worker', 'latchkey')
         AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
              OR rolcanlogin AND rolname <> 'latchkey')",
    );
    assert_eq!(strong.await, [""; 0]);
    let owned = catalogue(
        &db,
        "SELECT relname::text FROM pg_class WHERE relowner::regrole::text IN ('latchkey_app', 'latchkey_worker', 'latchkey')
         UNION SELECT proname FROM pg_proc WHERE proowner::regrole::text IN ('latchkey_app', 'latchkey_worker', 'latchkey')",
    );
    assert_eq!(owned.await, [""; 0]);
    let creators = catalogue(
        &db,
        "SELECT role FROM unnest(ARRAY['latchkey_app', 'latchkey_worker']) AS role
         WHERE has_schema_privilege(role, 'public', 'CREATE')",
    );
    assert_eq!(creators.await, [""; 0]);
    let definers = catalogue(
        &db,
        "SELECT concat_ws(' ', proname, role) FROM pg_proc, unnest(ARRAY['latchkey_app', 'latchkey_worker', 'public']) AS role
         WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege(role, oid, 'EXECUTE')
         ORDER BY 1",
    );
    let expected = [
        "authenticate latchkey_app",
        "confirm_credential latchkey_app",
        "create_week_partition latchkey_worker",
        "drop_week_partition latchkey_worker",
    ];
    assert_eq!(definers.await, expected, "functions with the owner's rights");
}

#[tokio::test]
async fn nobody_changes_the_audit_trail() {
    let db = TestDb::new().await;
    let changers = catalogue(
        &db,
        "SELECT role FROM unnest(ARRAY['latchkey_app', 'latchkey_worker', 'public']) AS role
         WHERE has_table_privilege(role, 'audit_entries', 'UPDATE, DELETE, TRUNCATE')",
    );
    assert_eq!(changers.await, [""; 0]);
}

/// Two hotels, each with something of everything that a request makes.
async fn two_houses() -> (House, HotelId) {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.locks.pin("1").await).await;
    let other = house.test.hotel("other-hotel", house.hotel.time_zone).await;
    (house, other.id)
}

async fn rows_of(conn: &mut PgConnection, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(conn).await.expect("a count")
}

#[tokio::test]
async fn a_statement_that_names_no_hotel_sees_the_rows_of_its_own() {
    let (house, other) = two_houses().await;
    let tables = ["hotels", "api_keys", "integrations", "reservations", "room_stays", "room_access_keys", "events"];
    for table in tables {
        let mut own = house.test.pool.of_hotel(house.hotel.id).await.expect("a connection");
        assert!(rows_of(&mut own, table).await > 0, "{table}");
        drop(own);
        let mut others = house.test.pool.of_hotel(other).await.expect("a connection");
        assert_eq!(rows_of(&mut others, table).await, i64::from(table == "hotels"), "{table}");
        drop(others);
        let mut nobodys = house.test.pool.of_hotel(Uuid::nil()).await.expect("a connection");
        assert_eq!(rows_of(&mut nobodys, table).await, 0, "{table}");
    }
    let mut worker = house.test.worker_pool.acquire().await.expect("a connection");
    assert_eq!(rows_of(&mut worker, "hotels").await, 2);
}

#[tokio::test]
async fn a_row_of_another_hotel_can_be_neither_written_nor_moved_nor_removed() {
    let (house, other) = two_houses().await;
    let mut tx = house.test.pool.begin(other, None).await.expect("a transaction");
    for statement in ["UPDATE room_stays SET adults = 9", "DELETE FROM room_access_keys"] {
        assert_eq!(tx.execute(statement).await.expect("runs").rows_affected(), 0, "{statement}");
    }
    drop(tx);
    for statement in [
        "INSERT INTO integrations (hotel_id, id, name, created_at) SELECT $1, gen_random_uuid(), 'x', '2026-01-30'",
        "UPDATE categories SET hotel_id = $1",
    ] {
        let mut tx = house.test.pool.begin(house.hotel.id, None).await.expect("a transaction");
        let refused = sqlx::query(statement).bind(other).execute(&mut *tx).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_transaction_leaves_no_hotel_behind_on_its_connection() {
    let (house, other) = two_houses().await;
    let tx = house.test.pool.begin(house.hotel.id, None).await.expect("a transaction");
    tx.commit().await.expect("commits");
    let mut conn = house.test.pool.of_hotel(other).await.expect("a connection");
    assert_eq!(rows_of(&mut conn, "room_stays").await, 0);
}

#[tokio::test]
async fn an_admitted_connection_sees_the_hotel_of_its_key_and_nothing_else() {
    let (house, other) = two_houses().await;
    let key = HeaderValue::from_str(&format!("Bearer {}", house.keys.live)).expect("a header");
    let mut admission = house.test.authenticate(Some(&key)).await.expect("let in");
    let hotels: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM hotels").fetch_all(&mut *admission.conn).await.expect("rows");
    assert_eq!(hotels, [house.hotel.id]);
    assert_ne!(hotels, [other]);
}

#[tokio::test]
async fn an_unknown_key_takes_the_hotel_from_the_connection() {
    let house = House::new().await;
    let mut conn = house.test.pool.of_hotel(house.hotel.id).await.expect("a connection");
    let unknown = sqlx::query("SELECT FROM authenticate($1)").bind(&[0_u8; 32][..]);
    unknown.execute(&mut *conn).await.expect("runs");
    assert_eq!(rows_of(&mut conn, "room_stays").await + rows_of(&mut conn, "api_keys").await, 0);
}

/// Roles belong to the whole server, which tests share.
fn login_name(db: &TestDb) -> String {
    format!("{}_login", db.options().get_database().expect("a name"))
}

/// A database of our own, with a login that may only become the two roles.
async fn plain_login(db: &TestDb) -> String {
    let name = login_name(db);
    let mut conn = db.pool.acquire().await.expect("a connection");
    conn.execute(AssertSqlSafe(format!("CREATE ROLE {name} LOGIN NOINHERIT"))).await.expect("a role");
    roles::allow(&mut conn, &name).await.expect("a member");
    name
}

#[tokio::test]
async fn the_service_runs_as_a_login_that_owns_nothing() {
    let db = TestDb::new().await;
    let login = plain_login(&db).await;
    let data = DataDir::with_database_as(&db, &login);
    let create = ["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"];
    data.print(&create);
    assert!(data.print(&["hotel", "list"]).contains("\ngrand-hotel "));
    // One migration short, it says who has to make it.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 1").execute(&db.pool).await.expect("runs");
    let refused = data.run(&["hotel", "list"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("LATCHKEY_MIGRATE_DATABASE_URL"), "{said}");
    db.pool.execute(AssertSqlSafe(format!("DROP OWNED BY {login}; DROP ROLE {login}"))).await.expect("dropped");
}

#[tokio::test]
async fn another_url_makes_the_migrations_and_lets_the_login_in() {
    let db = TestDb::empty().await;
    let login = login_name(&db);
    db.pool.execute(AssertSqlSafe(format!("CREATE ROLE {login} LOGIN NOINHERIT"))).await.expect("a role");
    let data = DataDir::with_database_as(&db, &login);
    let refused = data.run(&["hotel", "list"]);
    assert_eq!(refused.status.code(), Some(1), "nobody made the migrations");
    data.print(&["hotel", "list", "--migrate-database-url", &db.url()]);
    data.print(&["hotel", "list"]);
    let mut conn = PgConnection::connect_with(&db.options().username(&login)).await.expect("connects");
    let seen = sqlx::query("SELECT FROM hotels").execute(&mut conn).await;
    assert!(seen.is_err(), "the login itself may do nothing");
    conn.close().await.expect("closes");
    db.pool.execute(AssertSqlSafe(format!("DROP OWNED BY {login}; DROP ROLE {login}"))).await.expect("dropped");
}

#[tokio::test]
async fn a_test_of_the_wall_can_fail() {
    let app = TestApp::new().await;
    app.hotel("grand-hotel", chrono_tz::Tz::Europe__Berlin).await;
    let mut conn = app.pool.of_hotel(Uuid::nil()).await.expect("a connection");
    assert_eq!(rows_of(&mut conn, "hotels").await, 0);
    app.db.pool.execute("ALTER TABLE hotels DISABLE ROW LEVEL SECURITY").await.expect("runs");
    assert_eq!(rows_of(&mut conn, "hotels").await, 1);
}
