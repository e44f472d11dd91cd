//! A file that a command writes. It is written beside its place and put there when it is complete,
//! so that a run that fails, or is ended, leaves what was there before.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempPath};

use super::exit::Failure;
use super::signal;
use crate::source::own_stream;

/// Names longer than this leave no room for what is added.
const NAME_BYTES_MAX: usize = 200;
/// So much is written at once.
pub(super) const BUFFER_BYTES: usize = 1 << 16;

/// Where a file is until it is complete.
#[derive(Debug)]
pub(super) enum NewFile {
    /// Where it belongs: a device, a pipe, or a place where there was nothing to keep.
    InPlace,
    Beside(Beside),
}

/// A file beside its place. It goes away when this is dropped.
#[derive(Debug)]
pub(super) struct Beside {
    written: TempPath,
    place: PathBuf,
    found: Existing,
}

/// What was at the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Nothing,
    File,
}

impl NewFile {
    /// Begins the file at `path`.
    pub(super) fn create(path: &Path) -> io::Result<(Self, File)> {
        if let Some(stream) = own_stream(path) {
            return Ok((Self::InPlace, stream?));
        }
        match fs::metadata(path) {
            Ok(there) if there.is_file() => {
                // Whoever may not write it may not replace it.
                OpenOptions::new().write(true).open(path)?;
                let is_link = path.is_symlink();
                let place = if is_link { fs::canonicalize(path)? } else { path.to_owned() };
                let (new, file) = Self::beside(place, Existing::File)?;
                file.set_permissions(there.permissions())?;
                Ok((new, file))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                Self::beside(path.to_owned(), Existing::Nothing)
            }
            Ok(_) | Err(_) => Ok((Self::InPlace, File::create(path)?)),
        }
    }

    /// The same for a file that can be gone on with when it is cut off: it begins in its place if
    /// there is nothing yet.
    pub(super) fn create_to_go_on_with(path: &Path) -> io::Result<(Self, File)> {
        match File::create_new(path) {
            Ok(file) => Ok((Self::InPlace, file)),
            Err(_) => Self::create(path),
        }
    }

    /// A whole file at once.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (new, mut file) = Self::create(path)?;
        file.write_all(bytes)?;
        new.finish()
    }

    fn beside(place: PathBuf, found: Existing) -> io::Result<(Self, File)> {
        let name = place.file_name().filter(|name| name.len() <= NAME_BYTES_MAX);
        let mut prefix = name.unwrap_or(OsStr::new("passbook")).to_owned();
        prefix.push(".part-");
        let folder = place.parent().unwrap_or(Path::new(""));
        let begun =
            Builder::new().prefix(&prefix).make_in(folder, |path| File::create_new(path))?;
        let (file, written) = begun.into_parts();
        signal::begin(&written);
        Ok((Self::Beside(Beside { written, place, found }), file))
    }

    /// When a signal ends the program, the whole lines of this file are put in its place, unless
    /// that would replace a file.
    pub(super) fn keep_lines(&self) {
        match self {
            Self::Beside(Beside { written, place, found: Existing::Nothing }) => {
                signal::keep_lines(written, place);
            }
            Self::InPlace | Self::Beside(_) => {}
        }
    }

    /// Puts it in its place. All must have been written.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::InPlace => Ok(()),
            Self::Beside(new) => new.put_in_place(),
        }
    }

    /// Puts it in its place, though it is not all that was to come, unless it would replace a file:
    /// that one stays.
    pub(super) fn finish_early(self) -> io::Result<()> {
        match self {
            Self::InPlace => Ok(()),
            Self::Beside(new) => match new.found {
                Existing::Nothing => new.put_in_place(),
                Existing::File => Ok(()),
            },
        }
    }

    /// The same; and what does not replace a file stays beside it, under the name that is returned.
    pub(super) fn finish_early_or_keep(self) -> io::Result<Option<PathBuf>> {
        match self {
            Self::Beside(new) if new.found == Existing::File => {
                let kept = new.written.keep().map_err(|error| error.error)?;
                Ok(kept.file_name().map(|name| new.place.with_file_name(name)))
            }
            new @ (Self::InPlace | Self::Beside(_)) => new.finish_early().map(|()| None),
        }
    }
}

/// A file that the arguments name. It is begun before the work whose result it takes, so that a
/// name that is of no use is told at once; what is lost later is told with its name.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    new: NewFile,
    out: BufWriter<File>,
}

impl OutputFile {
    /// Begins the file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let (new, file) = NewFile::create(path).map_err(|error| unwritable(path, &error))?;
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { path: path.to_owned(), new, out })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file is there already, which stays until this one is finished.
    pub(super) fn replaces_another(&self) -> bool {
        matches!(&self.new, NewFile::Beside(Beside { found: Existing::File, .. }))
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.out.get_ref().is_terminal()
    }

    /// Puts it in its place. All must have been written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        let Self { path, new, .. } = self;
        new.finish().map_err(|error| lost(&path, &error))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| lost(&self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(|error| lost(&self.path, &error))
    }
}

/// The file at `path` cannot be begun: the arguments are wrong.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::bad_input(format!("cannot write {}: {error}", path.display()))
}

/// What was begun at `path` could not be finished: no fault of the arguments.
pub(super) fn lost(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Beside {
    fn put_in_place(self) -> io::Result<()> {
        self.written.persist(&self.place).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_there_stays_until_the_new_file_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (new, mut file) = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        new.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        drop(NewFile::create(&path).unwrap());
        assert_eq!(names(folder.path()), [""; 0]);
        fs::write(&path, "old").unwrap();
        drop(NewFile::create(&path).unwrap());
        NewFile::create(&path).unwrap().0.finish_early().unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    #[test]
    fn what_came_before_an_early_end_is_kept_beside_an_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let (new, _) = NewFile::create(&path).unwrap();
        assert_eq!(new.finish_early_or_keep().unwrap(), None);
        assert_eq!(names(folder.path()), ["a"]);
        let (new, mut file) = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        let kept = new.finish_early_or_keep().unwrap().unwrap();
        assert_eq!(fs::read_to_string(kept).unwrap(), "half");
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn a_link_stays_and_what_it_names_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [path, link] = ["a", "link"].map(|name| folder.path().join(name));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        NewFile::write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn what_may_not_be_written_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NewFile::create(folder.path()).is_err());
        assert!(NewFile::create(&folder.path().join("none/a")).is_err());
        NewFile::write(Path::new("/dev/null"), b"nothing").unwrap();
        assert!(NewFile::write(Path::new("/dev/full"), b"nothing").is_err());
    }
}
