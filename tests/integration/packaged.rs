//! What is published builds: all that the source takes in is in the package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The files that the source files in `folder` and below take in, from the package's root.
fn taken_in(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            taken_in(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            for how in ["include_str!(\"", "include_bytes!(\""] {
                let names = text.split(how).skip(1).filter_map(|rest| rest.split_once('"'));
                found.extend(names.map(|(name, _)| folder.join(name)));
            }
        }
    }
}

#[test]
fn every_file_that_the_source_takes_in_is_published() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    taken_in(&root.join("src"), &mut found);
    assert!(found.len() >= 4, "{found:?}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut list = Command::new(cargo);
    list.args(["package", "--list", "--allow-dirty", "--offline"]).current_dir(root);
    let listed = list.output().expect("cargo");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let listed: BTreeSet<&str> = listed.lines().collect();
    for path in found {
        let path = fs::canonicalize(&path).expect("a file that is there");
        let name = path.strip_prefix(root).expect("a file of the package").display().to_string();
        assert!(listed.contains(&*name), "{name} is not in the package; add it to `include`");
    }
}
