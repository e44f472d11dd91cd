//! The folder with the files of the branches of a bank.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::backends::FileBackend;

use super::look::Look;
use super::order::out_of_order;
use super::{About, DiskError, OpenError, Store};
use crate::bank::Memory;
use crate::model::{BranchId, Life, LogPosition};

/// A process that makes a file of the same folder looks at this one for a moment: so often it is
/// tried again, and after this.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The folder in which branches of one bank keep what must outlive their process.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    writes_max: u64,
}

/// What the file of a branch holds.
#[derive(Debug)]
pub struct BranchFile {
    /// What it says of its bank.
    pub about: About,
    /// What was kept there; `None` of a branch that has never begun.
    pub memory: Option<Memory>,
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
        let new: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        let synced = made.and_then(|()| new.iter().filter_map(|it| it.parent()).try_for_each(sync));
        synced.map_err(|reason| FolderError::Folder { path: path.to_owned(), reason })?;
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

    /// All files of the bank that are here.
    pub fn files(&self) -> Result<Vec<PathBuf>, FolderError> {
        let branches = self.branches()?.into_iter().map(|branch| self.file(branch));
        Ok(branches.chain([self.secret()]).collect())
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

    /// What the file of each branch holds, ascending. All must be of one bank, and nobody may have them
    /// open. Nothing in them changes: where one has to be mended, that is done in memory.
    pub fn read_all(&self) -> Result<Vec<BranchFile>, FolderError> {
        let mut read: Vec<BranchFile> = Vec::new();
        for branch in self.branches()? {
            let asked = read.first().map(|first| About { branch, ..first.about.clone() });
            let file = shared(&self.file(branch));
            let held = file.and_then(|file| self.look(&file, branch, asked.as_ref()));
            read.push(held.map_err(|reason| self.unusable(branch, reason))?);
        }
        self.check_beginning(read.iter().map(|file| &file.about))?;
        Ok(read)
    }

    /// Opens the files of the branches that `asked` are of, all of one bank, or makes those that are not
    /// there. Where one is refused none is changed. Files of other branches are left to their processes:
    /// they are looked at where all that is asked for is new, and must be of the same bank then.
    pub fn open_all(&self, asked: &[About]) -> Result<Vec<KeptBranch>, FolderError> {
        let there = self.branches()?;
        let (old, new): (Vec<&About>, Vec<&About>) =
            asked.iter().partition(|about| there.contains(&about.branch));
        let mut looked_at = Vec::new();
        for about in old {
            let branch = about.branch;
            let look = || {
                let file = locked(&self.file(branch))?;
                let held = self.look(&file, branch, Some(about))?;
                in_order(branch, held.memory.as_ref())?;
                Ok((file, held))
            };
            looked_at.push(look().map_err(|reason| self.unusable(branch, reason))?);
        }
        self.check_beginning(looked_at.iter().map(|(_, held)| &held.about))?;
        let mut first_life = looked_at.first().map(|(_, held)| held.about.roster.first_life());
        if let (None, Some(about)) = (first_life, new.first()) {
            first_life = self.beginning_of_others(about)?;
        }
        let mut opened = Vec::new();
        for (file, BranchFile { about, memory }) in looked_at {
            let branch = about.branch;
            let store = FileBackend::new(file).map_err(OpenError::from).and_then(Store::open);
            let (store, _) = store.map_err(|reason| self.unusable(branch, reason))?;
            opened.push(KeptBranch { branch, store, about, memory });
        }
        for about in new {
            let roster = about.roster.clone();
            let roster = roster.beginning_in(first_life.unwrap_or(about.roster.first_life()));
            opened.push(self.create(About { roster, ..about.clone() })?);
        }
        opened.sort_by_key(|kept| kept.branch);
        Ok(opened)
    }

    /// When the bank of `about` began, as the files of other branches here say, if there are any that
    /// no process serves.
    fn beginning_of_others(&self, about: &About) -> Result<Option<Life>, FolderError> {
        for branch in self.branches()? {
            let asked = About { branch, ..about.clone() };
            let look = |file| unless_it_panics(|| looked_at(&file, branch, Some(&asked)));
            match shared(&self.file(branch)).and_then(look) {
                Ok((_, other)) => return Ok(Some(other.roster.first_life())),
                Err(OpenError::Busy) => {}
                Err(reason) => return Err(self.unusable(branch, reason)),
            }
        }
        Ok(None)
    }

    /// What stands in a file, on which there is a lock, if it is of the bank that is asked for and all of
    /// it is as it was written.
    fn look(
        &self,
        file: &File,
        branch: BranchId,
        asked: Option<&About>,
    ) -> Result<BranchFile, OpenError> {
        unless_it_panics(|| {
            let (mut store, about) = looked_at(file, branch, asked)?;
            let (held, most) = (store.writes(), self.writes_max);
            if held > most {
                return Err(OpenError::TooLarge { held, most });
            }
            store.check_integrity()?;
            Ok(BranchFile { about, memory: store.memory()? })
        })
    }

    /// Refuses files of banks that began at different times.
    fn check_beginning<'a>(
        &self,
        mut files: impl Iterator<Item = &'a About>,
    ) -> Result<(), FolderError> {
        let Some(first) = files.next() else { return Ok(()) };
        let first_life = first.roster.first_life();
        match files.find(|other| other.roster.first_life() != first_life) {
            Some(other) => Err(FolderError::OtherBeginning { path: self.file(other.branch) }),
            None => Ok(()),
        }
    }

    /// Makes the file under a name of its own first: so it is whole wherever it has its right one, and of
    /// two processes that make it at the same time one fails.
    fn create(&self, about: About) -> Result<KeptBranch, FolderError> {
        let branch = about.branch;
        let create = || -> Result<Store, OpenError> {
            let prefix = format!("branch-{branch}.new-");
            let new = tempfile::Builder::new().prefix(&prefix).tempfile_in(&self.path);
            let (file, unfinished) = new.map_err(DiskError::from)?.into_parts();
            let store = Store::create(&about, FileBackend::new(file)?)?;
            match unfinished.persist_noclobber(self.file(branch)) {
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(OpenError::Busy);
                }
                placed => placed.map_err(|failed| DiskError::from(failed.error))?,
            }
            sync(&self.path).map_err(DiskError::from)?;
            Ok(store)
        };
        match create() {
            Ok(store) => Ok(KeptBranch { branch, store, about, memory: None }),
            Err(reason) => Err(self.unusable(branch, reason)),
        }
    }

    fn unusable(&self, branch: BranchId, reason: OpenError) -> FolderError {
        FolderError::Open { path: self.file(branch), reason: Box::new(reason) }
    }

    fn file(&self, branch: BranchId) -> PathBuf {
        self.path.join(format!("branch-{branch}.redb"))
    }
}

/// The file at `path`. To open a pipe would be to wait for who writes into it.
fn opened(path: &Path, how: &OpenOptions) -> Result<File, OpenError> {
    if !fs::metadata(path).map_err(DiskError::from)?.is_file() {
        return Err(OpenError::Damaged("it is no file".to_owned()));
    }
    Ok(how.open(path).map_err(DiskError::from)?)
}

/// What a file says of its bank, and a store over it that changes nothing, if it is of the one that is
/// asked for.
fn looked_at(
    file: &File,
    branch: BranchId,
    asked: Option<&About>,
) -> Result<(Store, About), OpenError> {
    let look = file.try_clone().and_then(Look::at).map_err(DiskError::from)?;
    let (store, about) = Store::open(look)?;
    let named = About { branch, ..about.clone() };
    about.check(asked.unwrap_or(&named))?;
    Ok((store, about))
}

/// The file at `path`, which others may look at too.
fn shared(path: &Path) -> Result<File, OpenError> {
    let file = opened(path, OpenOptions::new().read(true))?;
    file.try_lock_shared()?;
    Ok(file)
}

/// The file at `path`, which no other process has open as long as this is.
fn locked(path: &Path) -> Result<File, OpenError> {
    let file = opened(path, OpenOptions::new().read(true).write(true))?;
    for _ in 1..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => pause(),
            done => return Ok(done.map(|()| file)?),
        }
    }
    file.try_lock()?;
    Ok(file)
}

#[expect(clippy::disallowed_methods, reason = "nothing is served yet")]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

impl From<TryLockError> for OpenError {
    fn from(error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => Self::Busy,
            TryLockError::Error(error) => Self::Disk(error.into()),
        }
    }
}

/// What is out of order was not written by this program, and nobody knows what it means.
fn in_order(branch: BranchId, memory: Option<&Memory>) -> Result<(), OpenError> {
    let came = memory.map_or(&[][..], |memory| &memory.came);
    match out_of_order(branch, came).into_iter().next() {
        Some(flaw) => Err(OpenError::Damaged(flaw)),
        None => Ok(()),
    }
}

/// What a process does about panics is changed by one thread at a time: of two, the later one would put
/// back what the earlier one has set.
static PANICS: Mutex<()> = Mutex::new(());

fn changing_panics() -> MutexGuard<'static, ()> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The database trusts a file that was closed in order, and may panic where that is damaged. Meanwhile
/// no panic of the process is told.
fn unless_it_panics<T>(look: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let changing = changing_panics();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let looked = catch_unwind(AssertUnwindSafe(look));
    panic::set_hook(hook);
    drop(changing);
    looked.unwrap_or_else(|_| Err(OpenError::Damaged("what is in it makes no sense".to_owned())))
}

/// What was put into a folder has its name there after a power failure.
fn sync(folder: &Path) -> io::Result<()> {
    let here = Path::new(".");
    File::open(if folder == Path::new("") { here } else { folder })?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    /// Other threads of the tests panic too.
    const OURS: &str = "panics in order to be told";

    #[test]
    fn a_panic_is_told_again_when_many_files_were_looked_at_at_once() {
        let told = Arc::new(AtomicU32::new(0));
        let changing = changing_panics();
        let (usual, counted) = (panic::take_hook(), Arc::clone(&told));
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some(OURS) {
                counted.fetch_add(1, Ordering::Relaxed);
            } else {
                usual(panic);
            }
        }));
        drop(changing);
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    for _ in 0..200 {
                        let looked = unless_it_panics(|| -> Result<(), _> {
                            // Others are let on.
                            thread::yield_now();
                            panic!("damaged")
                        });
                        assert!(matches!(looked, Err(OpenError::Damaged(_))), "{looked:?}");
                    }
                });
            }
        });
        let changing = changing_panics();
        let panicked = thread::Builder::new().name(OURS.to_owned()).spawn(|| panic!("told"));
        let panicked = panicked.unwrap().join().unwrap_err();
        assert_eq!(panicked.downcast_ref(), Some(&"told"));
        drop(changing);
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }
}
