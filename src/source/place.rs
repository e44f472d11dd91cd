//! The place that a command is given to read: standard input, a file, or one line of either.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decoding::{Decoded, decoded};
use super::document::{DocumentError, read_document};
use super::lines::Lines;
use crate::model::ByteSize;

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// Whether `path` stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// Where something stands that is read: `-`, `a.json.gz`, or the line `many.jsonl.zst:17`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    path: Arc<Path>,
    line: Option<u64>,
}

impl From<OsString> for Place {
    /// What `argument` names. A file of that very name is meant before a line of another.
    fn from(argument: OsString) -> Self {
        let path = PathBuf::from(argument);
        let line = if path.exists() { None } else { path.to_str().and_then(line_in) };
        match line {
            Some((file, line)) if file == STDIN || is_there(Path::new(file)) => {
                Self::line(Path::new(file), line)
            }
            Some(_) | None => Self::whole(path),
        }
    }
}

impl Place {
    /// All of the file at `path`; `-` is standard input.
    pub(crate) fn whole(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().into(), line: None }
    }

    /// One line of the file at `path`, from 1.
    pub(crate) fn line(path: impl Into<Arc<Path>>, line: u64) -> Self {
        Self { path: path.into(), line: Some(line) }
    }

    /// The file, or `-`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The argument that names it.
    pub(crate) fn argument(&self) -> OsString {
        let mut argument = self.path.as_os_str().to_owned();
        if let Some(line) = self.line {
            argument.push(format!(":{line}"));
        }
        argument
    }

    /// Whether it is standard input, or a line of it.
    pub(crate) fn is_stdin(&self) -> bool {
        is_stdin(&self.path)
    }

    /// Which line it is, from 1; `None` for all of the file.
    pub(crate) const fn number_of_line(&self) -> Option<u64> {
        self.line
    }

    /// Whether it is one line.
    pub(crate) fn is_line(&self) -> bool {
        self.line.is_some()
    }

    /// What it is called in a sentence.
    pub(crate) fn name(&self) -> String {
        if self.is_stdin() && !self.is_line() {
            "standard input".to_owned()
        } else {
            self.to_string()
        }
    }

    /// The file that it is all of.
    pub(crate) fn whole_file(&self) -> Option<&Path> {
        if self.is_line() || self.is_stdin() { None } else { Some(&self.path) }
    }

    /// Opens the file, and undoes its compression. Of a line that is the file it is in.
    pub(crate) fn open(&self) -> io::Result<Decoded> {
        if self.is_stdin() {
            return decoded(io::stdin());
        }
        if self.path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        decoded(File::open(&self.path)?)
    }

    /// Reads the document that stands there, of at most `limit` bytes.
    pub(crate) fn read(&self, limit: ByteSize) -> Result<Vec<u8>, DocumentError> {
        self.read_from(self.open()?.text, limit)
    }

    /// The same from `text`, which is what [`Place::open`] returns.
    pub(crate) fn read_from(
        &self,
        text: Box<dyn Read + Send>,
        limit: ByteSize,
    ) -> Result<Vec<u8>, DocumentError> {
        let wanted = match self.line {
            None => return read_document(text, limit),
            Some(0) => return Err(DocumentError::LineZero),
            Some(line) => line,
        };
        let mut lines = Lines::new(text, limit);
        while let Some(line) = lines.next()? {
            if line.number == wanted {
                return line.text.ok_or(DocumentError::TooLong { limit });
            }
            if line.number > wanted {
                return Err(DocumentError::BlankLine);
            }
        }
        match lines.number() - 1 {
            there if wanted <= there => Err(DocumentError::BlankLine),
            there => Err(DocumentError::PastEnd { lines: there }),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            None => write!(f, "{}", self.path.display()),
            Some(line) => write!(f, "{}:{line}", self.path.display()),
        }
    }
}

/// Whether there is something at `path` that may have lines.
fn is_there(path: &Path) -> bool {
    path.exists() && !path.is_dir()
}

/// The file and the line that `many.jsonl:17` names. A number beyond all is past every end.
fn line_in(place: &str) -> Option<(&str, u64)> {
    let (file, line) = place.rsplit_once(':')?;
    let is_number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (file, line.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn place(argument: &Path) -> Place {
        Place::from(argument.as_os_str().to_owned())
    }

    #[test]
    fn a_place_is_shown_as_it_was_given() {
        for (argument, is_line) in
            [("-", false), ("-:17", true), ("-:0", true), ("none.jsonl:17", false), ("-:x", false)]
        {
            let place = place(Path::new(argument));
            assert_eq!((place.to_string(), place.is_line()), (argument.to_owned(), is_line));
        }
    }

    #[test]
    fn a_file_of_that_very_name_is_meant_before_a_line_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("many.jsonl"), "[1]\n\n[3]\n").unwrap();
        let limit = ByteSize::new(100);
        let read = |name: &str| place(&at(name)).read(limit).map_err(|error| error.to_string());
        assert_eq!(read("many.jsonl:1").unwrap(), b"[1]");
        assert_eq!(read("many.jsonl:003").unwrap(), b"[3]");
        fs::write(at("many.jsonl:1"), "the file").unwrap();
        assert_eq!(read("many.jsonl:1").unwrap(), b"the file");
        for (line, problem) in [
            ("0", "no line: they are counted from 1"),
            ("2", "a blank line"),
            ("4", "past the end: there are 3 lines"),
            ("99999999999999999999", "past the end: there are 3 lines"),
        ] {
            assert_eq!(read(&format!("many.jsonl:{line}")).unwrap_err(), problem);
        }
    }

    #[test]
    fn lines_are_bounded_each() {
        let read = |line| {
            let text = io::Cursor::new("[1,2,3,4]\n[2]\n\n");
            Place::line(Path::new("a"), line).read_from(Box::new(text), ByteSize::new(5))
        };
        assert!(matches!(read(1), Err(DocumentError::TooLong { .. })));
        assert_eq!(read(2).unwrap(), b"[2]");
        assert!(matches!(read(3), Err(DocumentError::BlankLine)));
        assert!(matches!(read(4), Err(DocumentError::PastEnd { lines: 3 })));
    }
}
