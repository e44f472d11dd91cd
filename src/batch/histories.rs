//! The folder that the histories of a batch go to.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tempfile::Builder;

use crate::run::{HistoryOutput, Run, RunError};

/// Where histories go, and of which scenarios.
#[derive(Debug, Clone)]
pub(crate) struct HistoryFolder {
    pub(crate) folder: PathBuf,
    pub(crate) of: HistoryOf,
}

/// Of which scenarios histories are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryOf {
    /// Those that are violated. They are run a second time for it
    #[default]
    Violated,
    /// All
    All,
}

/// So much of a scenario's name is in the name of its history.
const NAME_CHARACTERS_MAX: usize = 64;
/// What that name ends with.
const HISTORY: &str = ".jsonl";

impl HistoryFolder {
    /// Makes the folder at `path`, unless it is there.
    pub(crate) fn create(path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)?;
        // Whether a file can be made in it shows only when one is made.
        tempfile::tempfile_in(path).map(drop)
    }

    /// Whether a history may be called like the file at `path`.
    pub(crate) fn may_hold(path: &Path) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let number = name.strip_suffix(HISTORY).and_then(|name| name.split_once('-'));
        number.is_some_and(|(number, _)| number.parse::<u64>().is_ok())
    }

    /// Runs the scenario that is the `number`th of the input with a file for its history, which is
    /// in its place when the run has ended well.
    pub(super) fn record(
        &self,
        number: u64,
        name: &str,
        run: impl FnOnce(HistoryOutput) -> Result<Run, RunError>,
    ) -> Result<Run, RunError> {
        let begun =
            Builder::new().prefix(".history-").make_in(&self.folder, |path| File::create_new(path));
        let (file, written) = begun.map_err(RunError::History)?.into_parts();
        let run = run(Box::new(BufWriter::with_capacity(1 << 16, file)))?;
        let path = self.folder.join(file_name(number, name));
        written.persist(path).map_err(|error| RunError::History(error.error))?;
        Ok(run)
    }
}

/// What the history of a scenario is called: nothing that a shell or a file system minds.
fn file_name(number: u64, name: &str) -> String {
    let harmless = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => letter,
        _ => '_',
    };
    let name: String = name.chars().take(NAME_CHARACTERS_MAX).map(harmless).collect();
    format!("{number}-{name}{HISTORY}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_history_is_harmless() {
        assert_eq!(
            file_name(7, "read your/../writes\n\u{1b}[31m"),
            "7-read_your_.._writes___31m.jsonl"
        );
        assert_eq!(file_name(1, ""), "1-.jsonl");
        for (name, is_one) in [("1-.jsonl", true), ("rows.jsonl", false), ("1-a.csv", false)] {
            assert_eq!(HistoryFolder::may_hold(Path::new(name)), is_one, "{name}");
        }
        assert!(file_name(u64::MAX, &"ü".repeat(1000)).len() < 100);
    }
}
