//! Whether two names are one file, however they are spelled: nothing is written over what is read,
//! and no file is written twice.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::place::is_stdin;

/// Why what is to be written cannot be.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum Clash {
    #[error("{path} is read and written by the same command")]
    #[diagnostic(help("write to another file"))]
    InputIsOutput { path: String },
    #[error("{path} is written to, and is in a folder that the same command reads")]
    #[diagnostic(help("write to a folder elsewhere"))]
    FolderIsRead { path: String },
    #[error("{path} is in {folder}, where the same command may write another file over it")]
    #[diagnostic(help("write to a folder elsewhere"))]
    FileInFolder { path: String, folder: String },
    #[error("{path} is written twice")]
    #[diagnostic(help("give each output a file of its own"))]
    OutputTwice { path: String },
}

/// Which file it is, by whatever name. Devices and pipes are none: they take what many write.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    /// One that is there.
    Inode { device: u64, inode: u64 },
    /// One that is to come.
    Place(PathBuf),
}

/// What a command writes.
#[derive(Debug, Default)]
pub(crate) struct Outputs(Vec<Identity>);

/// Since when an output is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// It was there before.
    Old,
    /// This command made it.
    New,
}

impl Identity {
    /// The file that `path` names.
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(there) => Self::of_file(&there),
            Err(_) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
                Some(Self::Place(folder.join(path.file_name()?)))
            }
        }
    }

    /// The file that is described like this.
    fn of_file(there: &fs::Metadata) -> Option<Self> {
        there.is_file().then(|| Self::Inode { device: there.dev(), inode: there.ino() })
    }

    fn of_stream(stream: BorrowedFd<'_>) -> Option<Self> {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        Self::of_file(&file.metadata().ok()?)
    }

    /// The file that is read as `path`, where `-` is standard input.
    fn of_input(path: &Path) -> Option<Self> {
        if is_stdin(path) { Self::of_stream(io::stdin().as_fd()) } else { Self::of(path) }
    }
}

impl Outputs {
    /// What is written to `paths` and to standard output; no file twice.
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<Self, Clash> {
        let mut outputs = Self(Vec::new());
        for path in paths {
            // What goes to standard output is meant to be there with the rest.
            if names_own_stream(path) {
                continue;
            }
            let Some(identity) = Identity::of(path) else { continue };
            if outputs.has(&identity) {
                return Err(Clash::OutputTwice { path: path.display().to_string() });
            }
            outputs.0.push(identity);
        }
        if let Some(results) = Identity::of_stream(io::stdout().as_fd()) {
            if outputs.has(&results) {
                return Err(Clash::OutputTwice { path: "standard output".to_owned() });
            }
            outputs.0.push(results);
        }
        Ok(outputs)
    }

    fn has(&self, identity: &Identity) -> bool {
        self.0.contains(identity)
    }

    /// Whether the file `path`, which `there` describes, is one of them, and whether it was there
    /// before.
    pub(crate) fn find(&self, path: &Path, there: &fs::Metadata) -> Option<Output> {
        let is_that = |output: &Identity| match output {
            Identity::Inode { .. } => Identity::of_file(there).as_ref() == Some(output),
            Identity::Place(place) => {
                place.file_name() == path.file_name()
                    && fs::canonicalize(path).is_ok_and(|path| path == *place)
            }
        };
        self.0.iter().find(|output| is_that(output)).map(|output| match output {
            Identity::Inode { .. } => Output::Old,
            Identity::Place(_) => Output::New,
        })
    }

    /// Refuses an input that is one of them; `-` is standard input.
    pub(crate) fn refuse(&self, input: &Path) -> Result<(), Clash> {
        match Identity::of_input(input) {
            Some(identity) if self.has(&identity) => {
                Err(Clash::InputIsOutput { path: input.display().to_string() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether `path` is a name of our own standard output or error.
fn names_own_stream(path: &Path) -> bool {
    own_stream(path).is_some()
}

/// Our own standard output or error, if that is what `path` names: another handle of the same file,
/// so that what comes over both is written one after the other.
pub(crate) fn own_stream(path: &Path) -> Option<io::Result<File>> {
    let stream = match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => {
            io::stdout().as_fd().try_clone_to_owned()
        }
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => {
            io::stderr().as_fd().try_clone_to_owned()
        }
        _ => return None,
    };
    Some(stream.map(File::from))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_the_same_by_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").unwrap();
        fs::create_dir(at("deep")).unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        symlink(at("a"), at("soft")).unwrap();
        symlink(folder.path(), at("around")).unwrap();
        for name in ["a", "./a", "deep/../a", "hard", "soft", "around/a", "around/soft"] {
            assert_eq!(Identity::of(&at(name)), Identity::of(&at("a")), "{name}");
            assert!(Outputs::new([&*at("a"), &*at(name)]).is_err(), "{name}");
            assert!(Outputs::new([&*at("a")]).unwrap().refuse(&at(name)).is_err(), "{name}");
        }
        for name in ["new", "./new", "deep/../new", "around/new"] {
            assert!(Outputs::new([&*at("new"), &*at(name)]).is_err(), "{name}");
        }
        fs::write(at("b"), "").unwrap();
        for name in ["b", "deep/a", "new"] {
            assert!(Outputs::new([&*at("a"), &*at(name)]).unwrap().refuse(&at("deep/b")).is_ok());
        }
        let null = Path::new("/dev/null");
        assert!(Outputs::new([null, null]).unwrap().refuse(null).is_ok());
    }
}
