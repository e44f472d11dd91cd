//! What the design and the style ask of the source and no compiler checks. Nothing is exempt.

mod circles;
mod foreign;
mod layers;
mod rules;
mod snippets;
mod source;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use source::SourceFile;

#[test]
fn the_source_is_tidy() -> io::Result<()> {
    let files = rust_files(&["build.rs", "src", "tests", "benches", "examples"])?;
    for known in ["src/lib.rs", "src/main.rs", "src/model/mod.rs", "tests/tidy/rules.rs"] {
        assert!(files.iter().any(|file| file.path == known), "the walk does not find {known}");
    }
    report(files.iter().flat_map(rules::check_file).map(|finding| finding.to_string()));
    Ok(())
}

#[test]
fn no_files_import_each_other_in_a_circle() -> io::Result<()> {
    report(circles::find(&rust_files(&["src"])?));
    Ok(())
}

#[test]
fn the_library_shows_no_type_of_another_crate() -> io::Result<()> {
    report(rust_files(&["src"])?.iter().flat_map(foreign::find));
    Ok(())
}

#[test]
fn every_input_is_used_by_a_test() -> io::Result<()> {
    report(rules::unused_inputs(&walk("input")?, &rust_files(&["tests"])?));
    Ok(())
}

/// What is built without any feature builds all of these: `tests/trust/mutants` does.
#[test]
fn every_test_that_needs_a_feature_says_so() -> io::Result<()> {
    const NEED_NONE: [&str; 3] = ["judge", "lives", "tidy"];
    let manifest = fs::read_to_string(in_package("Cargo.toml"))?;
    let sections: Vec<&str> = manifest.split("\n[").collect();
    let says_so = |name: &str| {
        let is_of_it = |section: &&&str| section.contains(&format!("name = \"{name}\"\n"));
        let section = sections.iter().filter(|text| text.starts_with("[test]]")).find(is_of_it);
        section.is_some_and(|section| section.contains("required-features"))
    };
    let files = walk("tests")?;
    let names: Vec<&str> = files
        .iter()
        .filter_map(|path| path.strip_prefix("tests/")?.strip_suffix("/main.rs"))
        .filter(|name| !name.contains('/'))
        .collect();
    assert!(NEED_NONE.iter().all(|known| names.contains(known)), "the walk finds {names:?}");
    let silent = names.into_iter().filter(|name| !NEED_NONE.contains(name) && !says_so(name));
    report(silent.map(|name| format!("Cargo.toml does not say which features tests/{name} needs")));
    Ok(())
}

#[track_caller]
fn report(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "{} to mend:\n{}", findings.len(), findings.join("\n"));
}

fn rust_files(places: &[&str]) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for place in places {
        for path in walk(place)?.into_iter().filter(|path| path.ends_with(".rs")) {
            files.push(SourceFile::new(&path, &fs::read_to_string(in_package(&path))?));
        }
    }
    Ok(files)
}

/// The files at or below `place`, which need not exist, by their paths from the package root.
fn walk(place: &str) -> io::Result<Vec<String>> {
    let full = in_package(place);
    if !full.is_dir() {
        return Ok(if full.exists() { vec![place.to_owned()] } else { Vec::new() });
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(full)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut files = Vec::new();
    for name in names {
        files.extend(walk(&format!("{place}/{name}"))?);
    }
    Ok(files)
}

fn in_package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
