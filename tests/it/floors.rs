//! The floors of the house: which module of `src` may import which.
//!
//! Paths are read off the text: those of `use` and those written out in code, of everything that is not compiled for tests alone.
//! A path that goes through a `pub use` counts as one to the file behind it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, from the ground up. A module imports those on lower floors, and on its own floor those that stand in an earlier
/// list. So no facade imports another one, and nothing below the facades knows `App`.
const FLOORS: &[&[&[&str]]] = &[
    &[&["clock", "error", "id", "periodic", "text", "tls"], &["telemetry"]],
    &[&["hotels"], &["audit"]],
    &[&["actor", "db", "derive", "secrets"], &["liveness"]],
    &[&["context"], &["queue"]],
    &[&["events"]],
    &[&["unit"]],
    &[&["clients", "integrations", "room_access_keys", "rooms", "webhooks"]],
    &[&["auth", "locks", "reservations"]],
    &[&["lock_commands", "room_stays"]],
    &[
        &["access_grants"],
        &[
            "audit_trail",
            "bookings",
            "disconnection",
            "hotel_settings",
            "idempotency",
            "key_assignments",
            "last_write",
            "simulated_encoder",
            "throttle",
        ],
    ],
    &[&["app", "config"]],
    &[&["graphql", "import", "pruner", "rest", "rotation", "seam"]],
    &[&["demo", "http", "workers"]],
    &[&["cli"], &["main"]],
];

/// Frameworks of facades, each with the modules that may name it.
const FRAMEWORKS: &[(&str, &[&str])] =
    &[("async_graphql", &["graphql", "http"]), ("axum", &["http", "rest"]), ("clap", &["cli", "config"])];

/// The one circle of files: the nodes of GraphQL lead to each other, and their loader knows them all.
const CIRCLE: &[&str] =
    &["graphql/load.rs", "graphql/reservations.rs", "graphql/room_access_keys.rs", "graphql/room_stays.rs"];

/// A file of the crate.
struct File {
    /// Names of the modules that lead to it.
    module: Vec<String>,
    path: PathBuf,
    tokens: Vec<String>,
    /// Names that its `use`s bind, and the modules that it declares, with what they stand for.
    names: BTreeMap<String, Vec<String>>,
}

/// One file that imports another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    from: usize,
    to: usize,
    /// The module and the item of it, as they are written.
    path: String,
}

/// The files of the crate and their imports.
struct House {
    files: Vec<File>,
    /// The file of each module.
    modules: HashMap<Vec<String>, usize>,
    imports: Vec<Import>,
}

impl House {
    fn read(source: &Path) -> Self {
        let mut files = Vec::new();
        for (module, file) in [(Vec::new(), "lib.rs"), (vec!["main".to_owned()], "main.rs")] {
            read_file(module, &source.join(file), source, &mut files);
        }
        let modules = files.iter().enumerate().map(|(index, file)| (file.module.clone(), index)).collect();
        let mut house = Self { files, modules, imports: Vec::new() };
        let mut imports = BTreeSet::new();
        for (from, file) in house.files.iter().enumerate() {
            for path in file.paths() {
                let (to, within) = house.resolve(&path, 0);
                if to != from && to != 0 {
                    let known = path.len() - within.len();
                    let path = path[..path.len().min(known + 1)].join("::");
                    imports.insert(Import { from, to, path });
                }
            }
        }
        house.imports = imports.into_iter().collect();
        house
    }

    /// The file that a path leads to, and what of the path is left in it.
    fn resolve<'path>(&self, path: &'path [String], depth: usize) -> (usize, &'path [String]) {
        let longest = (0..=path.len()).rev().find_map(|length| Some((*self.modules.get(&path[..length])?, length)));
        let (file, length) = longest.expect("the root of the crate");
        let behind = path.get(length).and_then(|name| self.files[file].names.get(name));
        match behind {
            // What is bound there is asked for from outside, so it is a `pub use`.
            Some(target) if depth < 8 && target.as_slice() != path => {
                (self.resolve(target, depth + 1).0, &path[length..])
            }
            _ => (file, &path[length..]),
        }
    }

    fn top(&self, file: usize) -> &str {
        self.files[file].module.first().map_or("lib", String::as_str)
    }

    fn says(&self, import: &Import) -> String {
        format!("{} imports {}", self.files[import.from].path.display(), import.path)
    }

    /// Imports that do not go down.
    fn upward(&self) -> Vec<&Import> {
        self.imports
            .iter()
            .filter(|import| {
                let (from, to) = (self.top(import.from), self.top(import.to));
                from != to && place(from) <= place(to)
            })
            .collect()
    }

    /// Files that import each other, if by way of others. What a module takes from modules below itself makes no circle: they are
    /// its parts.
    fn circles(&self) -> Vec<BTreeSet<&Path>> {
        let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.files.len()];
        for import in self.imports.iter().filter(|import| !self.is_part(import)) {
            next[import.from].insert(import.to);
        }
        let reach: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|file| reach(&next, file)).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in 0..self.files.len() {
            let circle: Vec<usize> =
                reach[file].iter().copied().filter(|other| reach[*other].contains(&file)).collect();
            if circle.len() > 1 && seen.insert(circle.clone()) {
                circles.push(circle.iter().map(|file| self.files[*file].path.as_path()).collect());
            }
        }
        circles
    }

    fn is_part(&self, import: &Import) -> bool {
        self.files[import.to].module.starts_with(&self.files[import.from].module)
    }

    /// Pairs of modules of which one imports the other.
    fn pairs(&self, imports: &[&Import]) -> usize {
        imports.iter().map(|import| (self.top(import.from), self.top(import.to))).collect::<BTreeSet<_>>().len()
    }
}

/// What a file imports, if by way of others.
fn reach(next: &[BTreeSet<usize>], file: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![file];
    while let Some(from) = open.pop() {
        open.extend(next[from].iter().filter(|to| found.insert(**to)));
    }
    found
}

/// Where a module stands; what is on no floor stands above everything.
fn place(module: &str) -> (usize, usize) {
    let floors = FLOORS.iter().enumerate();
    let mut places =
        floors.flat_map(|(floor, lists)| lists.iter().enumerate().map(move |(list, names)| (floor, list, names)));
    let found = places.find(|(_, _, names)| names.contains(&module));
    found.map_or((FLOORS.len(), 0), |(floor, list, _)| (floor, list))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Reads a file and those of the modules that it declares.
fn read_file(module: Vec<String>, path: &Path, source: &Path, files: &mut Vec<File>) {
    let text = fs::read_to_string(path).expect("text");
    let tokens = without_tests(&tokens(&text));
    let children: Vec<String> = tokens
        .windows(3)
        .filter(|window| window[0] == "mod" && window[2] == ";")
        .map(|window| window[1].clone())
        .collect();
    let mut file =
        File { module, path: path.strip_prefix(source).expect("below src").to_owned(), tokens, names: BTreeMap::new() };
    for child in &children {
        file.names.insert(child.clone(), file.below(child));
    }
    file.bind_names();
    let module = file.module.clone();
    files.push(file);
    let is_root = matches!(path.file_name().and_then(|name| name.to_str()), Some("mod.rs" | "lib.rs" | "main.rs"));
    let folder = if is_root { path.parent().expect("a folder").to_owned() } else { path.with_extension("") };
    for child in children {
        let single = folder.join(format!("{child}.rs"));
        let path = if single.exists() { single } else { folder.join(&child).join("mod.rs") };
        read_file([module.as_slice(), &[child]].concat(), &path, source, files);
    }
}

impl File {
    fn below(&self, name: &str) -> Vec<String> {
        [self.module.as_slice(), &[name.to_owned()]].concat()
    }

    /// Where a path that is written in this file begins, as a path from the root of the crate; `None` for another crate's.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = match path[0].as_str() {
            "crate" => Vec::new(),
            // The binary names the library by its name.
            "latchkey" if self.module == ["main"] => Vec::new(),
            "self" | "super" => self.module.clone(),
            name => self.names.get(name)?.clone(),
        };
        let mut rest = path;
        if path[0] == "super" {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
        } else {
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn bind_names(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            if self.tokens[at] == "use" {
                let (paths, end) = tree(&self.tokens, at + 1);
                for (path, name) in paths {
                    if let Some(target) = self.absolute(&path) {
                        self.names.entry(name).or_insert(target);
                    }
                }
                at = end;
            }
            at += 1;
        }
    }

    /// All paths in it, from the root of the crate.
    fn paths(&self) -> BTreeSet<Vec<String>> {
        let mut paths = BTreeSet::new();
        for at in 0..self.tokens.len() {
            let before = at.checked_sub(1).map_or("", |before| self.tokens[before].as_str());
            let is_visibility = before == "in" && at >= 2 && self.tokens[at - 2] == "(";
            let goes_on = self.tokens.get(at + 1).is_some_and(|next| next == "::");
            if before != "::" && before != "." && !is_visibility && goes_on && is_name(&self.tokens[at]) {
                let found = tree(&self.tokens, at).0.into_iter().filter_map(|(path, _)| self.absolute(&path));
                paths.extend(found);
            }
        }
        paths
    }
}

/// The paths of a tree of them, each with the name that it is bound to, and where the tree ends.
fn tree(tokens: &[String], start: usize) -> (Vec<(Vec<String>, String)>, usize) {
    let mut path: Vec<String> = Vec::new();
    let mut at = start;
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            Some("{") if at > start && tokens[at - 1] == "::" => {
                let mut paths = Vec::new();
                at += 1;
                while tokens[at] != "}" {
                    let (below, end) = tree(tokens, at);
                    for (rest, name) in below {
                        let whole: Vec<String> =
                            path.iter().cloned().chain(rest.into_iter().filter(|name| name != "self")).collect();
                        let name = if name == "self" { whole.last().cloned().unwrap_or_default() } else { name };
                        paths.push((whole, name));
                    }
                    at = if tokens[end] == "," { end + 1 } else { end };
                }
                return (paths, at + 1);
            }
            Some("as") if !path.is_empty() && tokens[at - 1] != "::" => {
                let name = tokens[at + 1].clone();
                return (vec![(path, name)], at + 2);
            }
            Some(name) if is_name(name) && (at == start || tokens[at - 1] == "::") => {
                path.push(name.to_owned());
                at += 1;
            }
            Some("*") if at > start && tokens[at - 1] == "::" => return (vec![(path, "*".to_owned())], at + 1),
            _ => {
                let name = path.last().cloned().unwrap_or_default();
                return (if path.is_empty() { Vec::new() } else { vec![(path, name)] }, at.max(start));
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, `::` and single signs, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if first == '"' {
            text_literal(rest)
        } else if first == '\'' {
            character_or_lifetime(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|other: char| !other.is_alphanumeric() && other != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a raw text literal.
fn raw_text(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r').or_else(|| text.strip_prefix("br"))?;
    let start = hashes.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(hashes.len() - start.len()));
    let inside = start.strip_prefix('"')?;
    Some(text.len() - inside.len() + inside.find(&end).expect("an end") + end.len())
}

fn text_literal(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

fn character_or_lifetime(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => 3 + text[3..].find('\'').map_or(0, |end| end + 1),
        Some(_) => characters.next().map_or(1, |(at, character)| if character == '\'' { at + 1 } else { 1 }),
        None => 1,
    }
}

/// Leaves out each item behind `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().map(String::as_str).take(MARK.len()).eq(MARK) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0;
        at += MARK.len();
        loop {
            match tokens[at].as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 && matches!(tokens[at - 1].as_str(), "}" | ";" | ",") {
                break;
            }
        }
    }
    kept
}

#[track_caller]
fn expect_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// What stands in the text, as the other tests see it.
#[test]
fn paths_are_read_off_the_text() {
    let text = r##"
        //! crate::comment::Item
        mod own;
        pub(in crate::visible) use own::Part;
        use crate::{hotels::{self, Hotel as House}, rooms::*};
        use super::sister;
        use std::fmt;
        #[cfg(test)]
        use crate::tests_alone;
        fn run(text: &str) -> &'static str {
            hotels::find(); House::new(); sister::meet::<crate::inline::Item>(); fmt::Error; text.crate_like();
            for one in crate::looped::all() { let _ = ('"', '\\'', b'x', "crate::text::Item", r#"crate::raw::Item"#); }
            ""
        }
        #[cfg(test)]
        mod tests { use crate::tested; fn x() { { crate::tested::deep() } } }
        fn behind() { self::own::part(); }
    "##;
    let module = vec!["house".to_owned(), "room".to_owned()];
    let mut file = File { module, path: PathBuf::new(), tokens: without_tests(&tokens(text)), names: BTreeMap::new() };
    file.names.insert("own".into(), file.below("own"));
    file.bind_names();
    let paths: Vec<String> = file.paths().iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "hotels",
            "hotels::Hotel",
            "hotels::Hotel::new",
            "hotels::find",
            "house::room::own::Part",
            "house::room::own::part",
            "house::sister",
            "house::sister::meet",
            "inline::Item",
            "looped::all",
            "rooms",
        ]
    );
}

#[test]
fn no_module_imports_one_of_its_own_or_of_a_higher_floor() {
    let house = House::read(&source());
    let tops: BTreeSet<&str> = (1..house.files.len()).map(|file| house.top(file)).collect();
    let planned: BTreeSet<&str> =
        FLOORS.iter().flat_map(|lists| lists.iter()).flat_map(|names| names.iter().copied()).collect();
    let upward = house.upward();
    let all: Vec<&Import> =
        house.imports.iter().filter(|import| house.top(import.from) != house.top(import.to)).collect();
    println!(
        "{} of {} pairs of modules upward, {} imports of files",
        house.pairs(&upward),
        house.pairs(&all),
        upward.len()
    );
    expect_none(&upward.into_iter().map(|import| house.says(import)).collect::<Vec<_>>());
    assert_eq!(tops, planned, "every module stands on a floor");
}

#[test]
fn no_files_import_each_other_but_the_nodes_and_their_loader() {
    let house = House::read(&source());
    let circles = house.circles();
    println!("{} of {} files in circles", circles.iter().map(BTreeSet::len).sum::<usize>(), house.files.len());
    let allowed: BTreeSet<&Path> = CIRCLE.iter().map(Path::new).collect();
    let mut said = String::new();
    for circle in circles.iter().filter(|circle| **circle != allowed) {
        writeln!(said, "a circle of {}:", circle.len()).expect("text");
        for import in &house.imports {
            let (from, to) = (&house.files[import.from].path, &house.files[import.to].path);
            if !house.is_part(import) && circle.contains(from.as_path()) && circle.contains(to.as_path()) {
                writeln!(said, "  {}", house.says(import)).expect("text");
            }
        }
    }
    assert!(said.is_empty(), "\n{said}");
    assert!(circles.contains(&allowed), "the circle that is allowed is gone, or has become smaller");
}

#[test]
fn stores_are_private_to_their_folder() {
    let house = House::read(&source());
    let is_foreign = |import: &&Import| {
        let path = &house.files[import.to].module;
        let store = path.iter().position(|name| name == "store");
        store.is_some_and(|store| !house.files[import.from].module.starts_with(&path[..store]))
            && import.path.split("::").any(|name| name == "store")
    };
    expect_none(&house.imports.iter().filter(is_foreign).map(|import| house.says(import)).collect::<Vec<_>>());
}

#[test]
fn frameworks_of_facades_are_named_by_facades_alone() {
    let house = House::read(&source());
    let mut found = Vec::new();
    for (index, file) in house.files.iter().enumerate() {
        for (framework, modules) in FRAMEWORKS {
            let named = file.tokens.iter().any(|token| token == framework);
            if named && !modules.contains(&house.top(index)) {
                found.push(format!("{} names {framework}", file.path.display()));
            }
        }
    }
    expect_none(&found);
}

#[test]
fn the_architecture_draws_the_floors_and_maps_every_module() {
    let text = fs::read_to_string(source().join("../docs/ARCHITECTURE.md")).expect("the architecture");
    let drawing = text.split("## Floors").nth(1).and_then(|text| text.split("```").nth(1)).expect("a drawing");
    let drawn: BTreeSet<&str> = drawing.split_whitespace().map(|word| word.trim_end_matches('/')).collect();
    let is_mapped = |module: &str| {
        let names = [format!("`src/{module}/"), format!("`src/{module}.rs`")];
        text.lines().any(|line| line.starts_with('|') && names.iter().any(|name| line.contains(name)))
    };
    let planned = FLOORS.iter().flat_map(|lists| lists.iter()).flat_map(|names| names.iter());
    let missing = planned.filter(|module| !drawn.contains(**module) || !is_mapped(module));
    expect_none(&missing.map(|module| format!("docs/ARCHITECTURE.md does not show {module}")).collect::<Vec<_>>());
}
