//! The file of one branch. All that is asked for together is kept together, or nothing of it.

use std::collections::BTreeMap;
use std::io;

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageBackend, TableError,
};

use super::about::{About, AboutError};
use super::rows::{ABOUT, CAME, LIVES, Nonsense, REFUSED};
use super::rows::{came_in, came_row, refused_in, refused_row};
use crate::bank::{Kept, LifeList, Memory};
use crate::model::{Life, Roster};

/// How much of a file is held in memory: what is written comes to its end, and is read at the start
/// alone.
const CACHE_BYTES: usize = 8 << 20;

/// The open file of a branch.
#[derive(Debug)]
pub struct Store {
    database: Database,
    roster: Roster,
    /// How many writes came.
    came: u64,
}

/// The disk does not do what it is asked to. Nothing that rests on it may be said.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DiskError(Box<redb::Error>);

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Some process has it open.
    #[error("another process has it open")]
    Busy,
    /// It is not the one that is asked for.
    #[error(transparent)]
    About(#[from] AboutError),
    /// What stands in it cannot be.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// There is not enough memory to read it.
    #[error("it holds {held} writes, and there is memory for {most}; allow more with --memory-max")]
    TooLarge {
        /// How many writes stand in it.
        held: u64,
        /// How many may be read.
        most: u64,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl<E: Into<redb::Error>> From<E> for DiskError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        unreadable(error)
    }
}

/// Why what is in a file cannot be read.
fn unreadable(error: impl Into<redb::Error>) -> OpenError {
    use redb::Error;
    let error = error.into();
    if let Error::DatabaseAlreadyOpen = error {
        OpenError::Busy
    } else if let Error::Corrupted(why) = error {
        OpenError::Damaged(why)
    } else if let Error::Io(why) = &error
        && matches!(why.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
    {
        OpenError::Damaged("it is no database, or not all of one".to_owned())
    } else {
        OpenError::Disk(DiskError(Box::new(error)))
    }
}

impl Store {
    /// Makes the file of a branch. One that begins with its bank is in its first life from then on.
    pub fn create(about: &About, backend: impl StorageBackend) -> Result<Self, DiskError> {
        let database = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
        let write = database.begin_write()?;
        {
            let mut table = write.open_table(ABOUT)?;
            for (name, value) in about.values() {
                table.insert(name, &*value)?;
            }
            write.open_table(CAME)?;
            write.open_table(REFUSED)?;
            let mut lives = write.open_table(LIVES)?;
            let first_life = about.roster.first_life();
            if first_life != Life::FIRST {
                for id in about.roster.ids() {
                    lives.insert(id.get(), first_life.get())?;
                }
            }
        }
        write.commit()?;
        Ok(Self { database, roster: about.roster.clone(), came: 0 })
    }

    /// Opens a file that was made before.
    pub fn open(backend: impl StorageBackend) -> Result<(Self, About), OpenError> {
        let database = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
        let (about, came) = (about(&database)?, writes(&database)?);
        Ok((Self { database, roster: about.roster.clone(), came }, about))
    }

    /// How many writes it holds.
    pub(super) fn writes(&self) -> u64 {
        self.came
    }

    /// Refuses a file of which any part is not as it was written.
    pub(super) fn check_integrity(&mut self) -> Result<(), OpenError> {
        match self.database.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::Damaged("its checksums do not fit it".to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// All that was kept; `None` of a branch that has never begun, and said nothing.
    pub fn memory(&self) -> Result<Option<Memory>, OpenError> {
        let damaged = |Nonsense| OpenError::Damaged("a row makes no sense".to_owned());
        let read = self.database.begin_read().map_err(unreadable)?;
        let lives = match self.lives().map_err(|DiskError(error)| unreadable(*error))? {
            None if self.came == 0 => return Ok(None),
            lives => lives.unwrap_or_default(),
        };
        let mut memory = Memory { lives, ..Memory::default() };
        let table = read.open_table(CAME).map_err(unreadable)?;
        memory.came.reserve_exact(usize::try_from(self.came).unwrap_or_default());
        for row in table.iter().map_err(unreadable)? {
            let (_, row) = row.map_err(unreadable)?;
            memory.came.push(came_in(row.value()).map_err(damaged)?);
        }
        let is_of_the_bank = |origin| self.roster.index(origin).is_some();
        if !memory.came.iter().all(|entry| is_of_the_bank(entry.dot.origin)) {
            return Err(OpenError::Damaged("a write is of a branch that is not there".to_owned()));
        }
        let table = read.open_table(REFUSED).map_err(unreadable)?;
        for row in table.iter().map_err(unreadable)? {
            let (number, row) = row.map_err(unreadable)?;
            memory.refused.push(refused_in(number.value(), row.value()).map_err(damaged)?);
        }
        Ok(Some(memory))
    }

    fn lives(&self) -> Result<Option<LifeList>, DiskError> {
        let table = self.database.begin_read()?.open_table(LIVES)?;
        if table.is_empty()? {
            return Ok(None);
        }
        let mut lives = Vec::with_capacity(self.roster.len());
        for id in self.roster.ids() {
            let life = table.get(id.get())?.map_or(0, |life| life.value());
            lives.push(Life::new(life));
        }
        Ok(LifeList::from_lives(lives, &self.roster))
    }

    /// Keeps all of this, and returns when the disk has it.
    pub fn commit(&mut self, kept: &[Kept]) -> Result<(), DiskError> {
        let write = self.database.begin_write()?;
        let mut came = self.came;
        {
            let mut writes = write.open_table(CAME)?;
            for one in kept {
                match one {
                    Kept::Came(entry) => {
                        writes.insert(came, came_row(entry))?;
                        came += 1;
                    }
                    Kept::Refused(refused) => {
                        if let Some(row) = refused_row(refused) {
                            write.open_table(REFUSED)?.insert(refused.number, row)?;
                        }
                    }
                    Kept::Forgotten(number) => {
                        write.open_table(REFUSED)?.remove(number)?;
                    }
                    Kept::Lives(lives) => {
                        let mut table = write.open_table(LIVES)?;
                        for (id, life) in self.roster.ids().iter().zip(lives.lives(&self.roster)) {
                            table.insert(id.get(), life.get())?;
                        }
                    }
                }
            }
        }
        write.commit()?;
        self.came = came;
        Ok(())
    }
}

fn writes(database: &impl ReadableDatabase) -> Result<u64, OpenError> {
    let read = database.begin_read().map_err(unreadable)?;
    let table = read.open_table(CAME).map_err(unreadable)?;
    table.len().map_err(unreadable)
}

fn about(database: &impl ReadableDatabase) -> Result<About, OpenError> {
    let read = database.begin_read().map_err(unreadable)?;
    let table = match read.open_table(ABOUT) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Err(AboutError::Missing("format").into()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut values = BTreeMap::new();
    for row in table.iter().map_err(unreadable)? {
        let (name, value) = row.map_err(unreadable)?;
        values.insert(name.value().to_owned(), value.value().to_owned());
    }
    Ok(About::read(|name| values.get(name).cloned())?)
}
