//! The roles that row level security knows, and the login that becomes them.
//!
//! | role | who | sees |
//! |---|---|---|
//! | [`APP`] | requests | the hotel that its connection was told |
//! | [`WORKER`] | workers, command line | all hotels |
//! | the owner | migrations alone | nothing but the schema, unless a policy says so |

use sqlx::{AssertSqlSafe, PgConnection, PgPool, query_scalar};

/// The role of connections for requests.
pub const APP: &str = "latchkey_app";
/// The role of workers and of the command line.
pub const WORKER: &str = "latchkey_worker";
/// Who logs in on the embedded server; nothing but what these roles may.
pub const EMBEDDED_LOGIN: &str = "latchkey";

/// Makes the login of the embedded server.
pub async fn create_embedded_login(conn: &mut PgConnection) -> sqlx::Result<()> {
    let exists = query_scalar!(r#"SELECT true AS "exists!" FROM pg_roles WHERE rolname = $1"#, EMBEDDED_LOGIN);
    if exists.fetch_optional(&mut *conn).await?.is_some() {
        return Ok(());
    }
    // NOINHERIT: a connection that has become neither role may do nothing.
    match sqlx::query(AssertSqlSafe(format!("CREATE ROLE {EMBEDDED_LOGIN} LOGIN NOINHERIT"))).execute(conn).await {
        // Another process was faster.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42710" | "23505")) => Ok(()),
        result => result.map(drop),
    }
}

/// Lets `login` become the two roles where it may not yet.
pub async fn allow(conn: &mut PgConnection, login: &str) -> sqlx::Result<()> {
    for role in [APP, WORKER] {
        let may =
            query_scalar!(r#"SELECT pg_has_role($1::text::name, $2::text::name, 'MEMBER') AS "may!""#, login, role);
        if may.fetch_one(&mut *conn).await? {
            continue;
        }
        let grant = format!(r#"GRANT {role} TO "{}""#, login.replace('"', "\"\""));
        match sqlx::query(AssertSqlSafe(grant)).execute(&mut *conn).await {
            // Another process was faster.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("23505") => {}
            result => {
                result?;
            }
        }
    }
    Ok(())
}

/// Whether connections of a pool are what they are meant to be: something between us and the server (a pooler) may lose
/// what they ask for when they are opened.
pub async fn are_in_force(workers: &PgPool) -> sqlx::Result<bool> {
    query_scalar!(
        r#"SELECT current_user = $1 AND NOT r.rolsuper AND NOT r.rolbypassrls AS "in_force!"
           FROM pg_roles r WHERE r.rolname = current_user"#,
        WORKER
    )
    .fetch_one(workers)
    .await
}
