//! What integrators and operators rely on, and what must therefore not change unseen: the schema, the codes of errors, the
//! types of events, the shape of the database, and which test stands for which line of the conformance checklist.
//!
//! `UPDATE=1` writes `schema.graphql`, `docs/ERRORS.md`, the table in `docs/EVENTS.md` and `src/graphql/event_types.md`
//! instead of comparing them; the schema has the last one in it after the next build.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use latchkey::app::KINDS;
use latchkey::audit::ObjectType;
use latchkey::db::MIGRATOR;
use latchkey::error::{Category, ErrorCode};
use latchkey::events::{Audience, SeamType};
use latchkey::graphql::{Schema, limits, scan};
use latchkey::throttle::ThrottleSettings;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestDb;

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a file of the project with what it has to hold.
fn expect_file(path: &str, text: &str) {
    let file = project().join(path);
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, text).expect("the file can be written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "{path} is out of step; UPDATE=1 cargo nextest run contract:: writes it anew");
}

#[test]
fn schema_graphql_is_the_schema() {
    expect_file("schema.graphql", &Schema::new().sdl());
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let query = "{ __schema { types { name description fields { name description args { name description } } \
        inputFields { name description } enumValues { name description } } \
        directives { name description args { name description } } } }";
    let response = Schema::new().executable.execute(query).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let schema = response.data.into_json().expect("JSON")["__schema"].take();
    let mut bare = Vec::new();
    for list in ["types", "directives"] {
        for item in schema[list].as_array().expect("a list") {
            let builtin = ["Boolean", "Float", "ID", "Int", "String", "include", "skip", "deprecated", "specifiedBy"];
            let name = item["name"].as_str().expect("a name");
            if !name.starts_with("__") && !builtin.contains(&name) && name != "oneOf" {
                collect_bare(item, name, &mut bare);
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

fn collect_bare(item: &Value, path: &str, bare: &mut Vec<String>) {
    if item["description"].as_str().is_none_or(str::is_empty) {
        bare.push(path.to_owned());
    }
    for list in ["fields", "args", "inputFields", "enumValues"] {
        for part in item[list].as_array().into_iter().flatten() {
            collect_bare(part, &format!("{path}.{}", part["name"].as_str().unwrap_or("?")), bare);
        }
    }
}

#[test]
fn errors_md_is_the_table_of_error_codes() {
    expect_file("docs/ERRORS.md", &errors_md());
}

#[test]
fn every_error_code_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.spec().wire).collect();
    assert_eq!(names.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let spec = code.spec();
        assert!(spec.wire.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{}", spec.wire);
        assert!((400..600).contains(&spec.http_status), "{}", spec.wire);
        assert!(!spec.retryable || spec.category.is_none(), "{}: a refusal stays one", spec.wire);
    }
}

#[test]
fn events_md_has_the_table_of_event_types() {
    let path = "docs/EVENTS.md";
    let text = fs::read_to_string(project().join(path)).expect("docs/EVENTS.md");
    let (before, rest) = text.split_once("## Types\n\n").expect("a heading");
    let (_, after) = rest.split_once("\n\n").expect("something behind the table");
    expect_file(path, &format!("{before}## Types\n\n{}\n\n{after}", event_types_table()));
}

fn event_types_table() -> String {
    let mut text = String::from(
        "| type | when | `updated_fields` | who is told | [in Seam's API](#in-seams-names) |\n|---|---|---|---|---|",
    );
    for kind in KINDS.kinds() {
        let told = match kind.audience {
            Audience::Hotel => "every integration of the hotel",
            Audience::Owner => "the integration that owned it",
            Audience::Endpoint => "that endpoint alone",
            Audience::Nobody => continue,
        };
        let fields = if kind.names_fields { "yes" } else { "–" };
        let seam: Vec<String> = kind.seam.iter().map(seam_type).collect();
        let seam = if seam.is_empty() { "–".to_owned() } else { seam.join(", else ") };
        write!(text, "\n| `{}` | {} | {fields} | {told} | {seam} |", kind.event_type, kind.meaning).expect("a text");
    }
    text
}

/// A type of Seam's API, and the fields of which it tells.
fn seam_type(seam: &SeamType) -> String {
    let fields: Vec<String> = seam.fields.iter().map(|field| format!("`{field}`")).collect();
    if fields.is_empty() { format!("`{}`", seam.name) } else { format!("{}: `{}`", fields.join(" or "), seam.name) }
}

#[test]
fn the_schema_names_the_types_of_events_and_what_they_are_about() {
    let types: Vec<String> = KINDS.types().map(|name| format!("`{name}`")).collect();
    let [all @ .., before_last, last] = &types[..] else { panic!("two types at least") };
    let text = format!(
        "{},\n{before_last} or {last}. More may be added at any time: leave alone what\nyou do not know.\n",
        all.join(", ")
    );
    expect_file("src/graphql/event_types.md", &text);

    let schema = fs::read_to_string(project().join("schema.graphql")).expect("schema.graphql");
    let (_, object) = schema.split_once("type EventObject {").expect("the type");
    let (description, _) = object.split_once("id: ID!").expect("its field");
    for kind in KINDS.kinds().iter().filter(|kind| KINDS.types().any(|name| name == kind.event_type)) {
        let word = match kind.object {
            ObjectType::RoomAccessKey => "key".to_owned(),
            object => object.as_str().to_lowercase().replace('_', " "),
        };
        assert!(description.contains(&word), "EventObject.id: {word} is missing");
    }
}

#[test]
fn every_kind_of_change_has_a_type_of_its_own() {
    let types: BTreeSet<&str> = KINDS.kinds().iter().map(|kind| kind.event_type).collect();
    assert_eq!(types.len(), KINDS.kinds().len());
}

fn errors_md() -> String {
    let mut text = String::from(
        "# Errors\n\nEvery error carries `extensions.code`, one of the codes below; the list is closed, and \
            codes are never \
         renamed. Most carry\n`extensions.category` too, and `extensions.argumentPath` where one argument is at fault. \
         Messages are for people and may change.\nThis page is written from the table in `src/error.rs` by a test.\n\n\
         *HTTP* is the status of an answer that consists of that error alone and has no data, where the client \
             accepts\n\
         `application/graphql-response+json`. *Again* tells whether the same request can succeed later without being \
         changed.\n",
    );
    for (category, title) in [
        (Some(Category::Auth), "auth: the credential"),
        (Some(Category::Configuration), "configuration: the hotel has to change a setting; never shown to guests"),
        (Some(Category::Validation), "validation: what was asked for cannot be done; safe to show to guests"),
        (None, "No category: the request itself, or the service"),
    ] {
        writeln!(text, "\n## {title}\n\n| Code | HTTP | Again | When |\n|---|---|---|---|").expect("a text");
        for code in ErrorCode::ALL.iter().filter(|code| code.spec().category == category) {
            let spec = code.spec();
            let again = if spec.retryable { "yes" } else { "no" };
            writeln!(text, "| `{}` | {} | {again} | {} |", spec.wire, spec.http_status, spec.meaning).expect("a text");
        }
    }
    text
}

/// Tables that are found without a hotel, or have none. Every other table is a tenant's.
const REFERENCE_TABLES: [&str; 3] = ["hotels", "api_keys", "secret_keys"];
/// Indexes of background workers, which look across hotels for what is due next.
const WORKER_INDEXES: [&str; 2] = ["webhook_deliveries_due_idx", "idempotent_answers_expired_idx"];

/// Runs a query of one text column against the catalogue. Partitions are left out: they copy their parents.
async fn catalogue(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.expect("the catalogue can be read")
}

#[tokio::test]
async fn the_hotel_leads_every_key_and_index_of_tenant_tables() {
    let db = TestDb::new().await;
    let mut without = catalogue(
        &db.pool,
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
         AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'
         AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                         WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'hotel_id' AND a.attnotnull)",
    )
    .await;
    without.retain(|table| !REFERENCE_TABLES.contains(&table.as_str()));
    assert!(without.is_empty(), "primary keys that do not begin with hotel_id: {without:?}");

    let mut not_first = catalogue(
        &db.pool,
        "SELECT c.relname || '.' || ic.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_class ic ON ic.oid = i.indexrelid
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
         WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'
         AND a.attname IS DISTINCT FROM 'hotel_id'",
    )
    .await;
    not_first.retain(|index| {
        let (table, name) = index.split_once('.').expect("table.index");
        !REFERENCE_TABLES.contains(&table) && !WORKER_INDEXES.contains(&name)
    });
    assert!(not_first.is_empty(), "indexes that do not begin with hotel_id: {not_first:?}");

    let loose = catalogue(
        &db.pool,
        "SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
         WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
         AND NOT (a.attname = 'hotel_id' AND (f.attname = 'hotel_id' OR k.confrelid = 'hotels'::regclass))",
    )
    .await;
    assert!(loose.is_empty(), "foreign keys that could cross hotels: {loose:?}");
}

#[tokio::test]
async fn the_database_has_no_sequences_and_no_names_that_no_migration_gave() {
    let db = TestDb::new().await;
    let sequences = catalogue(
        &db.pool,
        "SELECT relname::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace",
    );
    assert!(sequences.await.is_empty());
    let migrations: String = MIGRATOR.iter().map(|migration| migration.sql.as_str()).collect();
    let constraints = catalogue(
        &db.pool,
        "SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND c.relnamespace = 'public'::regnamespace
         AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'",
    )
    .await;
    assert!(constraints.len() > 30);
    for name in constraints {
        assert!(migrations.contains(&format!("CONSTRAINT {name}")), "{name}");
    }
    let indexes = catalogue(
        &db.pool,
        "SELECT ic.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         JOIN pg_class ic ON ic.oid = i.indexrelid
         WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'
         AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
    )
    .await;
    for name in indexes {
        let made = |prefix: &str| migrations.contains(&format!("INDEX {prefix}{name} "));
        assert!(made("") || made("IF NOT EXISTS "), "{name}");
    }
}

/// Lines that have to be kept: all of A, and of F what is offered.
fn kept_lines() -> BTreeSet<String> {
    let a = (1..=69).map(|line| format!("A{line:02}")).chain(["A59b".to_owned()]);
    let f = (1..=17).map(|line| format!("F{line:02}"));
    a.chain(f).collect()
}

#[test]
fn conformance_md_names_the_test_of_every_line() {
    let table = fs::read_to_string(project().join("docs/CONFORMANCE.md")).expect("docs/CONFORMANCE.md");
    let mut named = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| ")) {
        let Some(((line, _), (_, tests))) = row.split_once(" | ").zip(row.rsplit_once(" | ")) else { continue };
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if !tests.is_empty() {
            kept.insert(line.to_owned());
        }
        for test in tests {
            let prefix = format!("{}_", line.to_lowercase());
            assert!(test.starts_with(&prefix), "{test} bears the name of its line, {line}");
            named.insert(test.to_owned());
        }
    }
    let missing: Vec<String> = kept_lines().difference(&kept).cloned().collect();
    assert!(missing.is_empty(), "lines without a test: {missing:?}");
    let written = tests_of_lines(&project().join("tests/it"));
    assert_eq!(named, written, "the table and the tests that bear the name of a line");
}

/// Names of the tests below a folder that begin with a line of the checklist, such as `a59b_`.
fn tests_of_lines(folder: &Path) -> BTreeSet<String> {
    let is_of_line = |name: &str| {
        let line = name.split('_').next().unwrap_or_default();
        let digits = line.get(1..3).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        digits && line.starts_with(|letter| ('a'..='g').contains(&letter)) && matches!(line.get(3..), Some("" | "b"))
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names.extend(tests_of_lines(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            let tests = text.split("#[tokio::test").skip(1).chain(text.split("#[test]").skip(1));
            let tests =
                tests.filter_map(|test| test.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.to_owned()));
            names.extend(tests.filter(|name| is_of_line(name)));
        }
    }
    names
}

#[test]
fn the_limits_that_are_promised_are_the_limits_that_are_kept() {
    let text = fs::read_to_string(project().join("docs/API.md")).expect("docs/API.md");
    let number = |text: &str| text.parse().expect("a number");
    for (row, numbers) in [
        ("Document", vec![scan::MAX_BYTES as u64 / 1024, scan::MAX_BRACKETS as u64]),
        ("Fields, fragments expanded", vec![limits::MAX_FIELDS, limits::MAX_DEPTH]),
        (
            "Aliases, uses of fragments, directives",
            vec![limits::MAX_ALIASES, limits::MAX_SPREADS, limits::MAX_DIRECTIVES],
        ),
        ("Values in the answers of a request, by its page sizes", vec![limits::MAX_VALUES]),
        ("Requests of an API key", vec![number(ThrottleSettings::DEFAULT_REQUESTS)]),
        ("Cost of the requests of an API key", vec![number(ThrottleSettings::DEFAULT_COST)]),
        ("Requests without a valid API key from an address", vec![number(ThrottleSettings::DEFAULT_AUTH_FAILURES)]),
    ] {
        let found = text.lines().find_map(|line| line.strip_prefix(&format!("| {row} | "))).expect(row);
        let found: Vec<u64> =
            found.split(' ').filter_map(|word| word.trim_end_matches(',').replace(',', "").parse().ok()).collect();
        assert_eq!(found, numbers, "{row}");
    }
}
