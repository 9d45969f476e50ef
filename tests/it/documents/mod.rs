//! What README and docs print for people to copy is run as it is printed, or stands in [`NOT_RUN`] with the reason.

mod access_grants;
mod api;
mod dev;
mod events;
mod import;
mod operations;
mod readme;
mod seam;
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use shell::Shell;

/// Document, first line of the block, and why no test runs it.
const NOT_RUN: [(&str, &str, &str); 13] = [
    ("README.md", "./dev run", "builds into its own target folder; `dev.rs` runs the script without the build"),
    ("README.md", "./dev test", "runs this test"),
    ("README.md", "printf 'POSTGRES_PASSWORD=", "needs Docker"),
    ("README.md", "cargo build --release", "takes minutes; what it builds is what the tests run"),
    ("README.md", "latchkey.example.com {", "needs Caddy and a public name"),
    ("docs/ARCHITECTURE.md", "integrations ──HTTP──▶", "is a picture"),
    ("docs/ARCHITECTURE.md", " 13  cli/", "is a drawing, which `floors` reads"),
    ("docs/BENCHMARKS.md", "./dev bench", "takes a quarter of an hour"),
    ("docs/OPERATIONS.md", "docker compose exec postgres pg_dump", "needs Docker"),
    (
        "docs/OPERATIONS.md",
        "docker compose --profile replicas",
        "needs Docker; `replicas` runs two processes behind an address",
    ),
    ("docs/OPERATIONS.md", "POST /graphql", "is written by `traces`"),
    ("docs/WALKTHROUGH.md", "mutation($stay", "is what the document goes through; `front_desk` runs such mutations"),
    ("docs/OPERATIONS.md", "-- Safe since 1.2.0", "is the form of a line, about a column that does not exist"),
];

/// A block of a document between fences.
#[derive(Debug)]
struct Block {
    language: String,
    /// Ends with a line break.
    text: String,
}

/// A document and those of its blocks that nobody has taken yet. When it is dropped, only such may be left that stand in
/// [`NOT_RUN`].
struct Document {
    name: &'static str,
    blocks: Vec<Block>,
}

impl Document {
    fn read(name: &'static str) -> Self {
        Self { name, blocks: blocks(&fs::read_to_string(project().join(name)).expect(name)) }
    }

    /// The text of the next block in that language.
    fn take(&mut self, language: &str) -> String {
        let is_next = |block: &Block| block.language == language && !self.is_not_run(block);
        let at = self.blocks.iter().position(is_next);
        let at = at.unwrap_or_else(|| panic!("{}: no block in {language} is left", self.name));
        self.blocks.remove(at).text
    }

    /// The next blocks in that language, as many as are left.
    fn take_all(&mut self, language: &str) -> Vec<String> {
        let left = self.blocks.iter().filter(|block| block.language == language && !self.is_not_run(block)).count();
        (0..left).map(|_| self.take(language)).collect()
    }

    fn is_not_run(&self, block: &Block) -> bool {
        NOT_RUN.iter().any(|(document, beginning, _)| *document == self.name && block.text.starts_with(beginning))
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        let left: Vec<&Block> = self.blocks.iter().filter(|block| !self.is_not_run(block)).collect();
        assert!(std::thread::panicking() || left.is_empty(), "{}: nothing runs {left:#?}", self.name);
    }
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        // In a list, a block is indented with its fence.
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let text = inside.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect();
        blocks.push(Block { language: language.to_owned(), text });
    }
    blocks
}

/// README, every document below docs, and that of the migrations.
fn documents() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![project().join("README.md"), project().join("migrations/README.md")];
    collect(&project().join("docs"), &mut found);
    let name = |path: &PathBuf| path.strip_prefix(project()).expect("of the project").display().to_string();
    found.iter().map(name).collect()
}

/// JSON values that follow each other.
fn values(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter();
    values.map(|value| value.unwrap_or_else(|error| panic!("{error}: {text}"))).collect()
}

#[test]
fn g18_every_block_of_the_documents_is_run_or_says_why_not() {
    let tests: String = fs::read_dir(project().join("tests/it/documents"))
        .expect("a folder")
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("text"))
        .collect();
    let mut unused: BTreeSet<(&str, &str)> =
        NOT_RUN.iter().map(|(document, beginning, _)| (*document, *beginning)).collect();
    assert_eq!(unused.len(), NOT_RUN.len(), "a block is listed twice");
    let mut found = 0;
    for name in documents() {
        let text = fs::read_to_string(project().join(&name)).expect("text");
        // Its test fails over whatever it leaves.
        let is_read = tests.contains(&format!("Document::read(\"{name}\")"));
        for block in blocks(&text) {
            found += 1;
            let known = ["caddyfile", "graphql", "http", "javascript", "json", "python", "sh", "sql", "text"];
            assert!(known.contains(&block.language.as_str()), "{name}: a block in which language? {block:#?}");
            let listed =
                unused.iter().find(|(document, beginning)| *document == name && block.text.starts_with(beginning));
            match listed.copied() {
                Some(listed) => assert!(unused.remove(&listed)),
                None => assert!(is_read, "{name}: nothing runs {block:#?}"),
            }
        }
    }
    assert!(found > 40, "{found}");
    assert!(unused.is_empty(), "no such block: {unused:#?}");
}

#[test]
fn the_links_of_the_documents_lead_somewhere() {
    let heading = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    for name in documents() {
        let text = fs::read_to_string(project().join(&name)).expect("text");
        let folder = project().join(&name).parent().expect("a folder").to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { project().join(&name) } else { folder.join(file) };
            assert!(path.exists(), "{name}: {target}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&path).expect("text");
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(heading);
                assert!(headings.any(|known| known == anchor), "{name}: {target}");
            }
        }
    }
}

/// A name that leads to a file of the source is declared there.
#[test]
fn the_functions_that_documents_lead_to_exist() {
    let mut found = 0;
    for name in documents() {
        let text = fs::read_to_string(project().join(&name)).expect("text");
        let folder = project().join(&name).parent().expect("a folder").to_owned();
        let links = text.split("[`").skip(1).filter_map(|rest| rest.split_once("`](")).filter_map(|(item, rest)| {
            let (target, _) = rest.split_once(')')?;
            let is_name = item.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
            let is_source = Path::new(target).extension().is_some_and(|extension| extension == "rs");
            (is_name && is_source).then_some((item, target))
        });
        for (item, target) in links {
            let source = fs::read_to_string(folder.join(target)).unwrap_or_else(|_| panic!("{name}: {target} is gone"));
            let declares = |line: &str| {
                let words: Vec<&str> = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
                let kinds = ["fn", "struct", "enum", "trait", "type", "const", "static"];
                words.windows(2).any(|pair| kinds.contains(&pair[0]) && pair[1] == item)
            };
            let is_folder = Path::new(target).parent().is_some_and(|folder| folder.ends_with(item));
            let is_file = Path::new(target).file_stem().is_some_and(|stem| stem == item);
            assert!(is_folder || is_file || source.lines().any(declares), "{name}: {target} has no `{item}`");
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}

#[test]
fn the_index_lists_every_document_and_every_decision_with_its_title() {
    let index = fs::read_to_string(project().join("docs/README.md")).expect("text");
    for name in documents().iter().filter_map(|name| name.strip_prefix("docs/")).filter(|name| *name != "README.md") {
        assert!(index.contains(&format!("({name})")), "docs/README.md does not list {name}");
        if name.starts_with("adr/") {
            let text = fs::read_to_string(project().join("docs").join(name)).expect("text");
            let (number, title) = text.lines().next().and_then(|line| line[2..].split_once(". ")).expect("a title");
            let line = format!("- ADR {number}: [{title}]({name})");
            assert!(index.lines().any(|listed| listed == line), "docs/README.md: {line}");
        }
    }
}
