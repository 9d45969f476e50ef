//! Rules of the source that no compiler checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs" || extension == "sql"));
    assert!(!files.is_empty());
    files
}

/// `file:line: text` of every line that `is_wrong` finds in the files that `applies` picks.
fn offences(folder: &str, applies: impl Fn(&Path) -> bool, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for path in files_below(folder).iter().filter(|path| applies(path)) {
        let text = fs::read_to_string(path).expect("text");
        for (number, line) in text.lines().enumerate().filter(|(_, line)| is_wrong(line)) {
            offences.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
        }
    }
    offences
}

/// `store.rs`, or a file of a folder `store`.
fn is_store(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "store.rs" || part.as_os_str() == "store")
}

#[track_caller]
fn expect_none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn sql_stands_only_in_stores_and_in_the_database_module() {
    const MARKS: [&str; 6] = ["query!(", "query_as!(", "query_scalar!(", "sqlx::query", "QueryBuilder", "raw_sql("];
    let elsewhere = |path: &Path| {
        let in_db = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).is_ok_and(|path| path.starts_with("src/db"));
        !in_db && !is_store(path)
    };
    let holds_sql = |line: &str| {
        // As a text, it is the target of the lines that tell of statements.
        let line = line.replace("\"sqlx::query\"", "");
        MARKS.iter().any(|mark| line.contains(mark))
    };
    expect_none(&offences("src", elsewhere, holds_sql));
}

#[test]
fn only_the_clock_reads_the_wall_clock() {
    const MARKS: [&str; 3] = ["Utc::now", "Local::now", "SystemTime::now"];
    let elsewhere = |path: &Path| path.file_name().is_some_and(|name| name != "clock.rs");
    expect_none(&offences("src", elsewhere, |line| MARKS.iter().any(|mark| line.contains(mark))));
}

#[test]
fn no_statement_reads_the_time_of_the_database() {
    const MARKS: [&str; 5] =
        ["current_timestamp", "current_date", "localtimestamp", "clock_timestamp", "statement_timestamp"];
    let reads_time = |line: &str| {
        let line = line.to_lowercase();
        // `clock.now()` and `fn now()` are ours.
        let calls_now = line
            .match_indices("now()")
            .any(|(at, _)| !line[..at].ends_with(['.', ':', '_']) && !line[..at].ends_with("fn "));
        calls_now || MARKS.iter().any(|mark| line.contains(mark))
    };
    expect_none(&offences("src", is_store, reads_time));
    expect_none(&offences("migrations", |_| true, reads_time));
}

#[test]
fn every_migration_begins_by_saying_why() {
    for path in files_below("migrations") {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("-- "), "{}", path.display());
    }
}

/// On hover, a doc comment has no neighbours: it says what the item is, in the words of the trade. Text that clients read in the
/// schema is theirs, and stays as they know it.
#[test]
fn comments_are_understood_alone_and_in_plain_words() {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql")).expect("the schema");
    let comment = |line: &str| {
        let line = line.trim_start();
        let text = ["///", "//!", "//"].iter().find_map(|mark| line.strip_prefix(mark))?.trim();
        (!text.is_empty() && !schema.contains(text)).then(|| text.to_lowercase())
    };
    let words =
        [" whoever ", " anew ", " let in ", " lets in ", " comes off ", " came off ", " come off ", " see the module "];
    let is_riddle = |line: &str| {
        comment(line).is_some_and(|text| {
            let spaced = format!(" {} ", text.replace(|letter: char| !letter.is_alphanumeric(), " "));
            words.iter().any(|word| spaced.contains(word))
        })
    };
    expect_none(&offences("src", |_| true, is_riddle));
    for folder in ["src", "tests"] {
        for path in
            files_below(folder).iter().filter(|path| !path.components().any(|part| part.as_os_str() == "node_modules"))
        {
            let text = fs::read_to_string(path).expect("text");
            let mut before = "";
            for line in text.lines().map(str::trim_start) {
                let begins = line.starts_with("///") && !before.starts_with("///");
                let refers = comment(line).is_some_and(|text| text.starts_with("the same "));
                assert!(!(begins && refers), "{}: {line}", path.display());
                before = line;
            }
        }
    }
}

/// One that is left out is documented nowhere, and nobody can subscribe to it.
#[test]
fn every_kind_of_change_is_in_the_catalogue() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let catalogue = fs::read_to_string(source.join("app/kinds.rs")).expect("the catalogue");
    let mut kinds = 0;
    for path in files_below("src") {
        let text = fs::read_to_string(&path).expect("text");
        let statics = text.lines().filter_map(|line| line.strip_prefix("pub static ")?.split_once(": ChangeKind ="));
        for (name, _) in statics {
            let folder = path.parent().and_then(|folder| folder.strip_prefix(&source).ok()).expect("below src");
            let row = format!("    &{}::{name},", folder.display().to_string().replace('/', "::"));
            assert!(catalogue.lines().any(|line| line == row), "{row} is missing for {}", path.display());
            kinds += 1;
        }
    }
    assert_eq!(kinds, latchkey::app::KINDS.kinds().len());
}

/// A row that no code uses would be translated for nobody.
#[test]
fn every_message_is_used() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/error/messages.rs");
    let text = fs::read_to_string(&table).expect("the table");
    let rows = text.split("\nmessages! {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("rows");
    let names: Vec<&str> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("        ").filter(|line| line.starts_with(char::is_uppercase)))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.len() > 100, "the form of the table has changed");
    let sources = files_below("src").into_iter().filter(|path| *path != table);
    let sources: String = sources.map(|path| fs::read_to_string(path).expect("text")).collect();
    let used: BTreeSet<&str> = sources
        .split("Message::")
        .skip(1)
        .map(|rest| rest.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default())
        .collect();
    let unused: Vec<_> = names.into_iter().filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
