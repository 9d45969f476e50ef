//! The guide to imports.

use super::{Document, Shell};
use crate::support::DataDir;

#[test]
fn the_sample_is_imported_as_the_guide_prints_it() {
    let data = DataDir::new();
    let _server = data.serve();
    let shell = Shell::new().with("LATCHKEY_DATA_DIR", &data.path().display().to_string());
    let printed = shell.run(&[Document::read("docs/IMPORT.md").take("sh")]).remove(0);
    let (dry_run, import) = printed.split_once("this was a dry run").expect("a dry run first");
    assert!(dry_run.contains("to create") && import.contains("created"), "{printed}");
}
