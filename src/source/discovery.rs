//! Which files a batch is to read: what folders, globs and names stand for.

use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::Diagnostic;
use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

use super::clash::{Clash, Output, Outputs};
use super::place::Place;

/// The names of files that hold a scenario, or one a line.
const DOCUMENT: &str = ".json";
const LINES: [&str; 2] = [".jsonl", ".ndjson"];
const PACKED: [&str; 2] = [".gz", ".zst"];
const EXPECTED: &str = ".expected";

/// Why there is nothing that a batch can read.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum FilesError {
    #[error("{path} does not exist")]
    #[diagnostic(help("check the path; a relative one starts at the current directory"))]
    Missing { path: String },
    #[error("cannot read {path}: {reason}")]
    #[diagnostic(help("check that you may read it and everything in it"))]
    Unreadable { path: String, reason: io::Error },
    #[error("nothing fits {pattern}")]
    #[diagnostic(help("check the pattern; `**` stands for folders within folders"))]
    NoMatch { pattern: String },
    #[error("{pattern} is no pattern: {reason}")]
    #[diagnostic(help("put `[` into brackets, `[[]`, where it is part of a name"))]
    BadPattern { pattern: String, reason: glob::PatternError },
    #[error("there is no scenario in {path}")]
    #[diagnostic(help(
        "scenarios are in files named .json, .jsonl or .ndjson, with .gz or .zst after it where \
         they are packed; what .expected.json holds belongs to the scenario beside it"
    ))]
    NoScenario { path: String },
    #[error("standard input (`-`) can be read only once")]
    #[diagnostic(help("name it once"))]
    StandardInputTwice,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Clash(#[from] Clash),
}

/// Something that scenarios are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(ScenarioFile),
    Line(Place),
}

/// A file with one scenario or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScenarioFile {
    pub(crate) path: PathBuf,
    pub(crate) kind: FileKind,
    /// How long it is; 0 if it is not known.
    pub(crate) bytes: u64,
}

/// How many scenarios a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// One.
    Document,
    /// One a line.
    Lines,
}

/// What the arguments name. Folders are not read before they are walked, and never kept.
#[derive(Debug)]
pub(crate) struct Inputs {
    roots: Vec<Root>,
    outputs: Outputs,
    holds_rows: fn(&Path) -> bool,
}

#[derive(Debug)]
enum Root {
    StandardInput,
    Line(Place),
    File(PathBuf),
    Folder(PathBuf),
}

/// What there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Survey {
    /// How many bytes; `None` where that cannot be known before.
    pub(crate) bytes: Option<u64>,
    /// Whether everything can be read twice.
    pub(crate) is_repeatable: bool,
}

impl Inputs {
    /// What `places` name, without the files of `outputs`, which the batch itself writes. In a
    /// folder one of them may be there already, if it `holds_rows` alone.
    pub(crate) fn find<'a>(
        places: &[Place],
        outputs: impl Iterator<Item = &'a Path>,
        holds_rows: fn(&Path) -> bool,
    ) -> Result<Self, FilesError> {
        let outputs = Outputs::new(outputs)?;
        let mut roots = Vec::with_capacity(places.len());
        for place in places {
            let path = place.path();
            let before = roots.len();
            if place.is_line() {
                roots.push(Root::Line(place.clone()));
            } else if place.is_stdin() {
                roots.push(Root::StandardInput);
            } else if path.exists() {
                roots.extend(Root::at(path.to_owned()));
            } else {
                expand(path, &mut roots)?;
            }
            if roots.len() == before {
                return Err(FilesError::NoScenario { path: path.display().to_string() });
            }
        }
        if places.iter().filter(|place| place.is_stdin()).count() > 1 {
            return Err(FilesError::StandardInputTwice);
        }
        for place in places {
            outputs.refuse(place.path())?;
        }
        for root in &roots {
            match root {
                Root::File(path) => {
                    outputs.refuse(path)?;
                    expected_results(path).iter().try_for_each(|beside| outputs.refuse(beside))?;
                }
                Root::StandardInput | Root::Line(_) | Root::Folder(_) => {}
            }
        }
        Ok(Self { roots, outputs, holds_rows })
    }

    /// Refuses to write to a `folder` in which it reads, or in which one of `others` stands.
    pub(crate) fn refuse_folder<'a>(
        &'a self,
        folder: &Path,
        others: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), FilesError> {
        let Some(written) = to_come(folder) else { return Ok(()) };
        let holds =
            |root: &Path| fs::canonicalize(root).is_ok_and(|root| written.starts_with(root));
        let mut files: Vec<&Path> = others.into_iter().collect();
        for root in &self.roots {
            match root {
                Root::Folder(read) if holds(read) => {
                    return Err(Clash::FolderIsRead { path: folder.display().to_string() }.into());
                }
                Root::Folder(_) => {}
                Root::StandardInput => files.push(Path::new("/dev/stdin")),
                Root::Line(place) => files.push(place.path()),
                Root::File(path) => files.push(path),
            }
        }
        match files.into_iter().find(|file| is_in(file, &written)) {
            Some(file) => {
                let [path, folder] = [file, folder].map(|path| path.display().to_string());
                Err(Clash::FileInFolder { path, folder }.into())
            }
            None => Ok(()),
        }
    }

    /// Walks everything once, and says what there is.
    pub(crate) fn survey(&self) -> Result<Survey, FilesError> {
        let mut survey = Survey { bytes: Some(0), is_repeatable: true };
        for root in &self.roots {
            let mut files = 0_u64;
            for input in self.walk_root(root) {
                files += 1;
                match input? {
                    Input::File(ScenarioFile { path, bytes, .. })
                        if bytes > 0 || path.is_file() =>
                    {
                        survey.bytes = survey.bytes.map(|sum| sum.saturating_add(bytes));
                    }
                    Input::Line(place) if place.path().is_file() => survey.bytes = None,
                    Input::Stdin | Input::File(_) | Input::Line(_) => {
                        survey = Survey { bytes: None, is_repeatable: false };
                    }
                }
            }
            if let (0, Root::Folder(path)) = (files, root) {
                return Err(FilesError::NoScenario { path: path.display().to_string() });
            }
        }
        Ok(survey)
    }

    /// Everything to read, in order: the arguments as they were given, folders by name.
    pub(crate) fn walk(&self) -> impl Iterator<Item = Result<Input, FilesError>> {
        self.roots.iter().flat_map(|root| self.walk_root(root))
    }

    fn walk_root<'a>(
        &'a self,
        root: &'a Root,
    ) -> Box<dyn Iterator<Item = Result<Input, FilesError>> + 'a> {
        match root {
            Root::StandardInput => Box::new(std::iter::once(Ok(Input::Stdin))),
            Root::Line(place) => Box::new(std::iter::once(Ok(Input::Line(place.clone())))),
            Root::File(path) => Box::new(std::iter::once(file(path))),
            Root::Folder(folder) => {
                let entries = WalkDir::new(folder)
                    .follow_links(true)
                    .sort_by_file_name()
                    .into_iter()
                    .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
                Box::new(entries.filter_map(|entry| self.in_folder(folder, entry).transpose()))
            }
        }
    }

    /// What `entry` of `folder` is, if it holds scenarios.
    fn in_folder(
        &self,
        folder: &Path,
        entry: walkdir::Result<DirEntry>,
    ) -> Result<Option<Input>, FilesError> {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).display().to_string();
            FilesError::Unreadable { path, reason: error.into() }
        })?;
        let name = entry.file_name().to_string_lossy();
        let Some(kind) = FileKind::of(&name).filter(|_| entry.file_type().is_file()) else {
            return Ok(None);
        };
        let there = entry.metadata().map_err(|error| {
            let path = entry.path().display().to_string();
            FilesError::Unreadable { path, reason: error.into() }
        })?;
        match self.outputs.find(entry.path(), &there) {
            Some(Output::Old) if !(kind == FileKind::Lines && (self.holds_rows)(entry.path())) => {
                let path = entry.path().display().to_string();
                return Err(Clash::InputIsOutput { path }.into());
            }
            Some(Output::Old | Output::New) => return Ok(None),
            None if is_expected_result(entry.path()) => return Ok(None),
            None => {}
        }
        let bytes = there.len();
        Ok(Some(Input::File(ScenarioFile { path: entry.into_path(), kind, bytes })))
    }
}

impl Root {
    /// What stands at `path`; `None` if it is the expected result of the scenario beside it.
    fn at(path: PathBuf) -> Option<Self> {
        if path.is_dir() {
            Some(Self::Folder(path))
        } else if is_expected_result(&path) {
            None
        } else {
            Some(Self::File(path))
        }
    }
}

impl FileKind {
    /// What the file at `path` is taken for that is named. A name that says nothing is taken for a
    /// scenario a line: that has one scenario, if it has one line.
    pub(super) fn of_file(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        Self::of(&name).unwrap_or(Self::Lines)
    }

    /// What a file of this name holds; `None` if the name is of no scenario.
    fn of(name: &str) -> Option<Self> {
        let name = unpacked(name);
        if name.ends_with(DOCUMENT) {
            Some(Self::Document)
        } else if LINES.iter().any(|end| name.ends_with(end)) {
            Some(Self::Lines)
        } else {
            None
        }
    }
}

/// Where `folder` is, or will be when it is made.
fn to_come(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    let there = absolute.ancestors().find(|part| part.exists())?;
    let rest = absolute.strip_prefix(there).ok()?;
    Some(fs::canonicalize(there).ok()?.join(rest))
}

/// Whether `file` stands in `folder`, by the name that it is read by or by its own.
fn is_in(file: &Path, folder: &Path) -> bool {
    let around = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        fs::canonicalize(parent.unwrap_or(Path::new("."))).is_ok_and(|parent| parent == folder)
    };
    around(file) || fs::canonicalize(file).is_ok_and(|file| around(&file))
}

/// As a shell does it: what a pattern matches is taken as if it had been named.
fn expand(path: &Path, roots: &mut Vec<Root>) -> Result<(), FilesError> {
    let shown = || path.display().to_string();
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(pattern) = pattern else { return Err(FilesError::Missing { path: shown() }) };
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let found = glob::glob_with(pattern, options)
        .map_err(|reason| FilesError::BadPattern { pattern: shown(), reason })?;
    let mut matches = 0_usize;
    for path in found {
        matches += 1;
        let path = path.map_err(|error| {
            let path = error.path().display().to_string();
            FilesError::Unreadable { path, reason: error.into() }
        })?;
        roots.extend(Root::at(path));
    }
    if matches == 0 { Err(FilesError::NoMatch { pattern: shown() }) } else { Ok(()) }
}

/// A file that is named.
fn file(path: &Path) -> Result<Input, FilesError> {
    let kind = FileKind::of_file(path);
    let unreadable = |reason| FilesError::Unreadable { path: path.display().to_string(), reason };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    Ok(Input::File(ScenarioFile { path: path.to_owned(), kind, bytes }))
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

/// A name without what says that the file is packed.
pub(crate) fn unpacked(name: &str) -> &str {
    PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Whether `path` holds the expected result of a scenario that is beside it: `x.expected.json`
/// beside `x.json`, packed or not.
fn is_expected_result(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let stem = unpacked(name).strip_suffix(DOCUMENT).and_then(|name| name.strip_suffix(EXPECTED));
    let Some(stem) = stem else { return false };
    let is_beside =
        |packed: &str| path.with_file_name(format!("{stem}{DOCUMENT}{packed}")).is_file();
    ["", PACKED[0], PACKED[1]].into_iter().any(is_beside)
}

/// Where the expected result of the scenario at `path` may be: unpacked, or packed as the scenario.
pub(crate) fn expected_results(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let plain = unpacked(name);
    let Some(stem) = plain.strip_suffix(DOCUMENT) else { return Vec::new() };
    let mut ends = vec![""];
    ends.extend(Some(&name[plain.len()..]).filter(|packed| !packed.is_empty()));
    let beside = |end| path.with_file_name(format!("{stem}{EXPECTED}{DOCUMENT}{end}"));
    ends.into_iter().map(beside).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// What a batch of `names` reads in a folder with these files.
    fn found(names: &[&str]) -> Result<Vec<String>, FilesError> {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.json",
            "a/x.json",
            "a/x.expected.json",
            "a/README.md",
            "a/deep/many.jsonl.gz",
            "a/alone.expected.json",
            "c.ndjson",
            "d.json.zst",
            "d.expected.json.zst",
            "out.jsonl",
            ".hidden.json",
            ".git/config.json",
            "empty/notes.txt",
            "odd name",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "[]").unwrap();
        }
        let paths: Vec<Place> = names
            .iter()
            .map(|name| Place::from(folder.path().join(name).into_os_string()))
            .collect();
        let output = folder.path().join("out.jsonl");
        let inputs = Inputs::find(&paths, [output.as_path()].into_iter(), |_| true)?;
        inputs.survey()?;
        let shown = |input: Input| match input {
            Input::Stdin => "-".to_owned(),
            Input::Line(place) => place.to_string(),
            Input::File(file) => {
                assert_eq!(file.bytes, 2);
                file.path.strip_prefix(folder.path()).unwrap().display().to_string()
            }
        };
        inputs.walk().map(|input| input.map(shown)).collect()
    }

    #[test]
    fn a_folder_is_read_by_name_without_what_is_no_scenario() {
        let all = [
            "a/alone.expected.json",
            "a/deep/many.jsonl.gz",
            "a/x.json",
            "b.json",
            "c.ndjson",
            "d.json.zst",
        ];
        assert_eq!(found(&[""]).unwrap(), all);
    }

    #[test]
    fn globs_come_to_what_a_shell_makes_of_them() {
        assert_eq!(found(&["*.json", "odd*"]).unwrap(), ["b.json", "odd name"]);
        let deep = ["a/alone.expected.json", "a/x.json", "b.json"];
        assert_eq!(found(&["**/*.json"]).unwrap(), deep);
        assert_eq!(found(&["a/d*"]).unwrap(), ["a/deep/many.jsonl.gz"]);
    }

    #[test]
    fn arguments_keep_their_order() {
        assert_eq!(found(&["c.ndjson", "b.json"]).unwrap(), ["c.ndjson", "b.json"]);
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        assert!(matches!(found(&["none.json"]), Err(FilesError::Missing { .. })));
        assert!(matches!(found(&["none*.json"]), Err(FilesError::NoMatch { .. })));
        assert!(matches!(found(&["a/[x.json"]), Err(FilesError::BadPattern { .. })));
        assert!(matches!(found(&["empty"]), Err(FilesError::NoScenario { .. })));
        assert!(matches!(found(&["a/x.expected.json"]), Err(FilesError::NoScenario { .. })));
        assert!(matches!(
            found(&["out.jsonl"]),
            Err(FilesError::Clash(Clash::InputIsOutput { .. }))
        ));
        let twice = ["-", "-:2"].map(|name| Place::from(OsString::from(name)));
        let error = Inputs::find(&twice, std::iter::empty(), |_| false).unwrap_err();
        assert!(matches!(error, FilesError::StandardInputTwice));
    }

    #[test]
    fn an_expected_result_is_looked_for_beside_its_scenario() {
        let beside = |name: &str| expected_results(Path::new(name));
        assert_eq!(beside("a/x.json"), [PathBuf::from("a/x.expected.json")]);
        let packed = ["a/x.expected.json", "a/x.expected.json.gz"].map(PathBuf::from);
        assert_eq!(beside("a/x.json.gz"), packed);
        assert_eq!(beside("a/x.jsonl"), Vec::<PathBuf>::new());
    }
}
