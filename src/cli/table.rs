//! Lists as people read them, in columns below a header row, and as programs read them, in JSON.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

/// How to print a list.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Records of one kind.
pub(super) struct Table {
    /// Names of the columns, as in JSON.
    keys: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table without rows.
    pub(super) const fn new(keys: &'static [&'static str]) -> Self {
        Self { keys, rows: Vec::new() }
    }

    /// Adds a row with a value for each column.
    #[must_use]
    pub(super) fn row(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.rows.push(values.into_iter().collect());
        self
    }

    /// All rows.
    pub(super) fn print(&self, output: &Output) -> String {
        if output.json { self.json() } else { self.text() }
    }

    /// The first row, one line for each of its values.
    pub(super) fn print_first(&self, output: &Output) -> String {
        if output.json {
            return pretty(&self.objects().into_iter().next().unwrap_or_default());
        }
        let titles: Vec<String> = self.keys.iter().map(|key| words(key)).collect();
        let width = titles.iter().map(|title| title.width()).max().unwrap_or_default();
        let values = self.rows.first().into_iter().flatten().map(cell);
        titles
            .iter()
            .zip(values)
            .fold(String::new(), |text, (title, value)| text + &format!("{title:<width$}  {value}\n"))
    }

    /// All rows in columns.
    pub(super) fn text(&self) -> String {
        let header: Vec<String> = self.keys.iter().map(|key| words(key).to_uppercase()).collect();
        let rows: Vec<Vec<String>> =
            std::iter::once(header).chain(self.rows.iter().map(|row| row.iter().map(cell).collect())).collect();
        let widths: Vec<usize> = (0..self.keys.len())
            .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or_default())
            .collect();
        let mut text = String::new();
        for row in &rows {
            let mut line = String::new();
            for (value, width) in row.iter().zip(&widths) {
                // `{:<width$}` would count characters, of which some are two columns wide.
                line.extend([value, " ".repeat(width - value.width() + 2).as_str()]);
            }
            text.extend([line.trim_end(), "\n"]);
        }
        text
    }

    fn json(&self) -> String {
        pretty(&self.objects().into())
    }

    fn objects(&self) -> Vec<Value> {
        let object = |row: &Vec<Value>| {
            let pairs = self.keys.iter().zip(row).map(|(key, value)| ((*key).to_owned(), value.clone()));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// `room access keys` of `roomAccessKeys`.
fn words(key: &str) -> String {
    key.chars().fold(String::new(), |mut words, letter| {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        words
    })
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    // What somebody typed must not move the cursor of a terminal.
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        let table = Table::new(&["slug", "roomAccessKeys", "lastUsedAt"]);
        table.row([json!("東京"), json!(true), json!(null)]).row([json!("a\u{1b}[2J"), json!(false), json!("now")])
    }

    #[test]
    fn columns_stand_below_their_titles() {
        let expected = "SLUG   ROOM ACCESS KEYS  LAST USED AT\n\
                        東京   on                -\n\
                        a\u{fffd}[2J  off               now\n";
        assert_eq!(table().text(), expected);
        assert_eq!(
            table().print_first(&Output { json: false }),
            "slug              東京\nroom access keys  on\nlast used at      -\n"
        );
    }

    #[test]
    fn programs_get_the_values_as_they_are() {
        let rows: Value = serde_json::from_str(&table().print(&Output { json: true })).expect("JSON");
        assert_eq!(rows[1], json!({"slug": "a\u{1b}[2J", "roomAccessKeys": false, "lastUsedAt": "now"}));
        let first: Value = serde_json::from_str(&table().print_first(&Output { json: true })).expect("JSON");
        assert_eq!(first, rows[0]);
    }
}
