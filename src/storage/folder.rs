//! The folder with the files of the branches of a bank.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;

use super::about::AboutError;
use super::order::out_of_order;
use super::{About, CreateError, DiskError, OpenError, Store};
use crate::bank::Memory;
use crate::model::{BranchId, Life, LogPosition};

/// The folder in which branches of one bank keep what must outlive their process.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    writes_max: u64,
}

/// A branch that has a file.
#[derive(Debug)]
pub struct KeptBranch {
    /// The branch.
    pub branch: BranchId,
    /// Its file.
    pub store: Store,
    /// What the file says of its bank.
    pub about: About,
    /// What was kept there; `None` of a branch that has never begun.
    pub memory: Option<Memory>,
}

impl KeptBranch {
    /// The life in which the branches of its bank were when that began.
    pub fn first_life(&self) -> Life {
        self.about.roster.first_life()
    }

    /// How many writes its log holds.
    pub fn writes(&self) -> LogPosition {
        LogPosition::new(self.store.writes())
    }

    /// In which life it is, if it has begun.
    pub fn life(&self) -> Option<Life> {
        let roster = &self.about.roster;
        Some(self.memory.as_ref()?.lives.get(roster.index(self.branch)?, roster))
    }
}

/// Why a folder cannot be used. Nothing in it has been changed.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be made or read.
    #[error("cannot use {path} as a folder for data: {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// No branch has a file there.
    #[error(
        "there is no file of a branch in {path}; name a folder that 'passbook serve --data' has kept"
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Its files are of banks that began at different times.
    #[error(
        "{path} is of a bank that began at another time than others beside it; keep one bank in a folder"
    )]
    OtherBeginning {
        /// A file.
        path: PathBuf,
    },
    /// A file of it cannot be made.
    #[error("cannot make {path}: {reason}")]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<CreateError>,
    },
    /// A file of it cannot be used.
    #[error("cannot use {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<OpenError>,
    },
}

impl DataFolder {
    /// The folder at `path`, which is made if it is not there, for nobody else to read.
    pub fn at(path: &Path) -> Result<Self, FolderError> {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.map_err(|reason| FolderError::Folder { path: path.to_owned(), reason })?;
        Ok(Self { path: path.to_owned(), writes_max: u64::MAX })
    }

    /// The folder at `path`, which must be there.
    pub fn existing(path: &Path) -> Result<Self, FolderError> {
        let folder = Self { path: path.to_owned(), writes_max: u64::MAX };
        folder.branches()?;
        Ok(folder)
    }

    /// The same, of which no file is read that holds more writes than these.
    #[must_use]
    pub fn with_writes_max(self, writes_max: LogPosition) -> Self {
        Self { writes_max: writes_max.get(), ..self }
    }

    /// Where the secret of the bank is, where it has made one itself.
    pub fn secret(&self) -> PathBuf {
        self.path.join("bank.secret")
    }

    /// The branches that have a file here, ascending.
    pub fn branches(&self) -> Result<Vec<BranchId>, FolderError> {
        let failed = |reason| FolderError::Folder { path: self.path.clone(), reason };
        let mut branches = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(OsStr::to_str);
            let id = name.and_then(|name| name.strip_prefix("branch-")?.strip_suffix(".redb"));
            let branch = id.and_then(|id| BranchId::new(id.parse().ok()?).ok());
            // Not what only looks like one: `branch-01.redb`.
            branches.extend(branch.filter(|&branch| self.file(branch) == path));
        }
        branches.sort_unstable();
        Ok(branches)
    }

    /// Opens the file of `branch`.
    pub fn open(&self, branch: BranchId) -> Result<KeptBranch, FolderError> {
        self.open_checked(branch, |_| Ok(()))
    }

    /// Opens the files of the branches that `asked` are of, or makes those that are not there. All
    /// files in the folder must be of the same bank.
    pub fn open_all(&self, asked: &[About]) -> Result<Vec<KeptBranch>, FolderError> {
        let Some(first) = asked.first() else { return Ok(Vec::new()) };
        let mut opened = Vec::new();
        for branch in self.branches()? {
            let about = asked.iter().find(|about| about.branch == branch);
            let other = About { branch, ..first.clone() };
            match self.open_checked(branch, |there| there.check(about.unwrap_or(&other))) {
                Ok(kept) => {
                    self.check_order(&kept)?;
                    opened.extend(about.map(|_| kept));
                }
                // Another process serves it.
                Err(FolderError::Open { reason, .. })
                    if about.is_none() && matches!(*reason, OpenError::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        let first_life = opened.first().map_or(first.roster.first_life(), KeptBranch::first_life);
        if let Some(other) = opened.iter().find(|kept| kept.first_life() != first_life) {
            return Err(FolderError::OtherBeginning { path: self.file(other.branch) });
        }
        for about in asked {
            if opened.iter().all(|kept| kept.branch != about.branch) {
                let roster = about.roster.clone().beginning_in(first_life);
                opened.push(self.create(About { roster, ..about.clone() })?);
            }
        }
        opened.sort_by_key(|kept| kept.branch);
        Ok(opened)
    }

    fn open_checked(
        &self,
        branch: BranchId,
        check: impl Fn(&About) -> Result<(), AboutError>,
    ) -> Result<KeptBranch, FolderError> {
        let path = self.file(branch);
        let open = || {
            // What is not asked for is left as it is.
            if let Some((about, writes)) = Store::about_closed(&path)? {
                check(&about)?;
                self.check_room(writes)?;
            }
            let file = OpenOptions::new().read(true).write(true).open(&path);
            let backend = FileBackend::new(file.map_err(DiskError::from)?);
            let (store, about) = Store::open(backend.map_err(OpenError::from)?)?;
            check(&about)?;
            self.check_room(store.writes())?;
            let memory = store.memory()?;
            Ok(KeptBranch { branch, store, about, memory })
        };
        open().map_err(|reason| FolderError::Open { path: path.clone(), reason: Box::new(reason) })
    }

    fn check_room(&self, held: u64) -> Result<(), OpenError> {
        let most = self.writes_max;
        if held > most { Err(OpenError::TooLarge { held, most }) } else { Ok(()) }
    }

    /// What is out of order was not written by this program, and nobody knows what it means.
    fn check_order(&self, kept: &KeptBranch) -> Result<(), FolderError> {
        let came = kept.memory.as_ref().map_or(&[][..], |memory| &memory.came);
        let Some(flaw) = out_of_order(kept.branch, came).into_iter().next() else {
            return Ok(());
        };
        let (path, reason) = (self.file(kept.branch), Box::new(OpenError::Damaged(flaw)));
        Err(FolderError::Open { path, reason })
    }

    /// Makes the file under a name of this process's own first: so it is whole wherever it has its
    /// own, and of two processes that make it at the same time one fails.
    fn create(&self, about: About) -> Result<KeptBranch, FolderError> {
        let branch = about.branch;
        let path = self.file(branch);
        let unfinished = path.with_extension(format!("new-{}", std::process::id()));
        let create = || -> Result<Store, CreateError> {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true).mode(0o600);
            let store = Store::create(&about, FileBackend::new(options.open(&unfinished)?)?)?;
            // It is there under both names, unless another process was sooner.
            let placed = fs::hard_link(&unfinished, &path);
            fs::remove_file(&unfinished)?;
            placed?;
            File::open(&self.path)?.sync_all()?;
            Ok(store)
        };
        match create() {
            Ok(store) => Ok(KeptBranch { branch, store, about, memory: None }),
            Err(reason) => Err(FolderError::Create { path, reason: Box::new(reason) }),
        }
    }

    fn file(&self, branch: BranchId) -> PathBuf {
        self.path.join(format!("branch-{branch}.redb"))
    }
}
