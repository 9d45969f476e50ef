//! The rule for migrations: the program of the release before goes on working on the new schema. What it uses is taken away
//! only by a later release, and the migration says since which release nothing uses it.

mod upgrade;

use latchkey::db::MIGRATOR;

/// The first migration that the rule binds. There was no release before it.
const FIRST: i64 = 115;
/// How a migration says that nobody needs what it takes away or forbids: `-- Safe since 1.2.0: why`.
const NOTE: &str = "-- Safe since ";

/// Statements of a migration that the program of the release before may not survive.
fn contracting(sql: &str) -> Vec<String> {
    let code: String =
        sql.lines().map(|line| line.split("--").next().unwrap_or_default()).fold(String::new(), |mut code, line| {
            code.push(' ');
            code.push_str(line);
            code
        });
    let statements = code.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "));
    statements.filter(|statement| contracts(&statement.to_uppercase())).collect()
}

fn contracts(statement: &str) -> bool {
    let takes_away = ["DROP ", "RENAME ", "REVOKE ", "TRUNCATE "].iter().any(|word| statement.contains(word));
    let forbids =
        ["SET NOT NULL", "ADD CONSTRAINT ", "CREATE UNIQUE INDEX "].iter().any(|word| statement.contains(word));
    let retypes = statement.contains("ALTER COLUMN ") && statement.contains(" TYPE ");
    let demands = statement.split("ADD COLUMN ").skip(1).any(|column| {
        // Of a list of columns, up to the next one; a comma within a type or a default does no harm.
        column.contains(" NOT NULL") && !column.contains(" DEFAULT ")
    });
    takes_away || forbids || retypes || demands
}

fn says_since_when(sql: &str) -> bool {
    sql.lines().filter_map(|line| line.strip_prefix(NOTE)).filter_map(|note| note.split_once(": ")).any(
        |(release, why)| {
            let numbers: Vec<Option<u32>> = release.split('.').map(|number| number.parse().ok()).collect();
            numbers.len() == 3 && numbers.iter().all(Option::is_some) && !why.is_empty()
        },
    )
}

#[test]
fn no_migration_takes_away_what_the_release_before_uses() {
    for migration in MIGRATOR.iter().filter(|migration| migration.version >= FIRST) {
        let found = contracting(migration.sql.as_str());
        assert!(
            found.is_empty() || says_since_when(migration.sql.as_str()),
            "{} {}: {found:?} needs a line \"{NOTE}<release>: <why>\" (docs/OPERATIONS.md, Upgrades)",
            migration.version,
            migration.description
        );
    }
}

#[test]
fn what_the_rule_takes_for_a_contraction() {
    for safe in [
        "ALTER TABLE t ADD COLUMN c text",
        "ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT ''",
        "CREATE TABLE t (hotel_id uuid NOT NULL, CONSTRAINT t_pkey PRIMARY KEY (hotel_id))",
        "CREATE INDEX t_idx ON t (hotel_id)",
        "-- DROP TABLE t;\nCALL protect_tenant_table('t')",
        "GRANT SELECT ON t TO latchkey_worker",
    ] {
        assert!(contracting(safe).is_empty(), "{safe}");
    }
    for contraction in [
        "DROP TABLE t",
        "ALTER TABLE t\n    DROP COLUMN c",
        "alter table t rename column c to d",
        "ALTER TABLE t ALTER COLUMN c TYPE bigint",
        "ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE t ADD COLUMN c text NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT t_check CHECK (c > 0)",
        "CREATE UNIQUE INDEX t_key ON t (hotel_id, c)",
        "CREATE TABLE a (b text); DROP FUNCTION f",
    ] {
        assert_eq!(contracting(contraction).len(), 1, "{contraction}");
        assert!(!says_since_when(contraction));
        assert!(says_since_when(&format!("-- Why.\n-- Safe since 1.2.0: nothing reads it.\n{contraction}")));
    }
    assert!(!says_since_when("-- Safe since always: it is.\nDROP TABLE t"));
    let known = MIGRATOR.iter().find(|migration| migration.version == 70).expect("0070 replaces a constraint");
    assert!(!contracting(known.sql.as_str()).is_empty());
}
