//! Recorded statements as scripts of pgbench, each transaction with the values of another request.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::fmt::Hyphenated;

use super::pgbench::{Length, Script};
use super::postgres::run;
use super::recording::Recorded;
use super::wrk::CONNECTIONS;

/// Transactions of a reading script that take the values of the same request: looking the values up must not count.
const SAME_VALUES: usize = 50;

/// Columns of a table of values: a row has to fit into a page.
const MOST_COLUMNS: usize = 60;

/// Statements and where their values are.
pub struct Replay {
    /// Tables and their columns.
    tables: Vec<(String, Vec<String>)>,
    statements: Vec<String>,
    /// Values that are the same for all requests.
    constants: Vec<(String, String)>,
    /// Number of requests.
    rows: usize,
}

impl Replay {
    /// Keeps of each statement what `part` says, and puts their values into a table of their own.
    pub async fn of(
        conn: &mut PgConnection,
        name: &str,
        recorded: &[Recorded],
        part: fn(&str) -> Option<String>,
    ) -> Self {
        assert!(!recorded.is_empty(), "a request comes to statements");
        let mut columns = vec!["hotel".to_owned()];
        let mut cells = vec![recorded.iter().map(|one| one.hotel.to_string()).collect::<Vec<_>>()];
        let (mut statements, mut constants) = (Vec::new(), Vec::new());
        for (s, first) in recorded[0].statements.iter().enumerate() {
            let Some(mut text) = part(&first.text) else { continue };
            for (p, value) in first.values.iter().enumerate().rev() {
                let name = format!("s{s}p{p}");
                let values: Vec<_> = recorded.iter().map(|one| one.statements[s].values[p].clone()).collect();
                let parameter = format!("${}", p + 1);
                if !text.contains(&parameter) {
                    continue;
                }
                text = text.replace(
                    &parameter,
                    &match value {
                        None => "NULL".to_owned(),
                        Some(value) => format!(":{name}{}", cast(value)),
                    },
                );
                if values.iter().all(|other| other == value) {
                    constants.extend(value.clone().map(|value| (name, value)));
                } else {
                    columns.push(name);
                    cells.push(values.into_iter().map(|value| value.expect("a value in every request")).collect());
                }
            }
            assert!(!text.contains('$'), "every parameter has a value: {text}");
            statements.push(text);
        }
        let mut tables = Vec::new();
        for (columns, cells) in columns.chunks(MOST_COLUMNS).zip(cells.chunks(MOST_COLUMNS)) {
            let table = format!("bench.{name}_{}", tables.len());
            fill(conn, &table, columns, cells).await;
            tables.push((table, columns.to_vec()));
        }
        Self { tables, statements, constants, rows: recorded.len() }
    }

    /// Runs for as long as it is told, the values changing now and then. `bound` to their hotels, as requests are.
    pub fn reading(&self, bound: bool, time: std::time::Duration) -> Script {
        let mut text = format!("\\if :left = 0\n\\set left {SAME_VALUES}\n\\set n random(0, {})\n", self.rows - 1);
        text += &self.look_up();
        if bound {
            text += "SELECT set_config('latchkey.hotel_id', :hotel, false);\n";
        }
        text += "\\endif\n\\set left :left - 1\n";
        self.script(text, ("left", "0"), Length::Time(time))
    }

    /// Each request once.
    pub fn writing(&self) -> Script {
        assert!(self.rows >= CONNECTIONS, "so many requests come to the same statements");
        let text = format!("\\set n :n + {CONNECTIONS}\n\\if :n < {CONNECTIONS}\n\\set n :client_id\n\\endif\n");
        let text = text + &self.look_up();
        self.script(text, ("n", "-1000000"), Length::Transactions(self.rows / CONNECTIONS))
    }

    fn look_up(&self) -> String {
        let mut text = String::new();
        for (table, columns) in &self.tables {
            writeln!(text, "SELECT {} FROM {table} WHERE n = :n \\gset", columns.join(", ")).expect("a text");
        }
        text
    }

    fn script(&self, mut text: String, start: (&str, &str), length: Length) -> Script {
        for statement in &self.statements {
            writeln!(text, "{statement};").expect("a text");
        }
        let mut variables = self.constants.clone();
        variables.push((start.0.to_owned(), start.1.to_owned()));
        Script { text, variables, length }
    }
}

/// Types of parameters follow from the statement, as a rule. But a date to which days are added could be a number as well, and
/// what is chosen among other values is a text unless something is said.
fn cast(value: &str) -> &'static str {
    if value.parse::<NaiveDate>().is_ok() {
        "::date"
    } else if value.parse::<Hyphenated>().is_ok() {
        "::uuid"
    } else if DateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f%#z").is_ok() {
        "::timestamptz"
    } else {
        ""
    }
}

async fn fill(conn: &mut PgConnection, table: &str, columns: &[String], cells: &[Vec<String>]) {
    let declared: Vec<String> = columns.iter().map(|name| format!("{name} text NOT NULL")).collect();
    run(conn, &format!("CREATE TABLE {table} (n bigint PRIMARY KEY, {})", declared.join(", "))).await;
    let arrays: Vec<String> = (1..=columns.len()).map(|n| format!("${n}::text[]")).collect();
    let names = columns.join(", ");
    let statement = format!(
        "INSERT INTO {table} (n, {names}) SELECT n - 1, {names}
         FROM unnest({}) WITH ORDINALITY AS u ({names}, n)",
        arrays.join(", ")
    );
    let mut insert = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    for column in cells {
        insert = insert.bind(column);
    }
    insert.execute(&mut *conn).await.expect("the values");
    run(conn, &format!("GRANT USAGE ON SCHEMA bench TO latchkey_app; GRANT SELECT ON {table} TO latchkey_app")).await;
    run(conn, &format!("ANALYZE {table}")).await;
}
