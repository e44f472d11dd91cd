//! A look at a file in which nothing changes: what a database writes as soon as it is opened stays in
//! memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::model::number::count;

/// What is written is held in blocks of so many bytes.
const BLOCK: usize = 4096;
const BLOCK_BYTES: u64 = 4096;

/// A file that is read, and never written.
#[derive(Debug)]
pub(super) struct Look {
    file: File,
    over_it: Mutex<Overlay>,
}

/// What lies over the file.
#[derive(Debug)]
struct Overlay {
    len: u64,
    /// How much of the file is still seen: what is cut off does not come back.
    seen: u64,
    /// By their numbers.
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

/// A part of one block, and what it is of the bytes that are asked for.
struct Part {
    block: u64,
    from: usize,
    len: usize,
    place: usize,
}

impl Look {
    /// A look at `file`, on which whoever calls has a lock.
    pub(super) fn at(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, over_it: Mutex::new(Overlay { len, seen: len, blocks: BTreeMap::new() }) })
    }

    fn over_it(&self) -> MutexGuard<'_, Overlay> {
        self.over_it.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file has there; nothing but zeros behind its end.
    fn read_file(&self, seen: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let there = usize::try_from(seen.saturating_sub(offset)).unwrap_or(usize::MAX);
        let there = there.min(out.len());
        self.file.read_exact_at(&mut out[..there], offset)
    }
}

/// The parts of blocks in which `len` bytes lie.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = Part> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let at = offset + count(place);
        let from = usize::try_from(at % BLOCK_BYTES).ok()?;
        let part = (BLOCK - from).min(len - place);
        let found = Part { block: at / BLOCK_BYTES, from, len: part, place };
        place += part;
        (part > 0).then_some(found)
    })
}

impl StorageBackend for Look {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.over_it().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let over_it = self.over_it();
        let end = offset.checked_add(count(out.len()));
        if end.is_none_or(|end| end > over_it.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(over_it.seen, offset, out)?;
        for Part { block, from, len, place } in parts(offset, out.len()) {
            if let Some(block) = over_it.blocks.get(&block) {
                out[place..place + len].copy_from_slice(&block[from..from + len]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut over_it = self.over_it();
        over_it.len = len;
        over_it.seen = over_it.seen.min(len);
        over_it.blocks.retain(|block, _| block * BLOCK_BYTES < len);
        let kept = usize::try_from(len % BLOCK_BYTES).unwrap_or_default();
        if let Some(last) = over_it.blocks.get_mut(&(len / BLOCK_BYTES)) {
            last[kept..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut over_it = self.over_it();
        let seen = over_it.seen;
        for Part { block, from, len, place } in parts(offset, data.len()) {
            let there = match over_it.blocks.entry(block) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(new) => {
                    let mut there = Box::new([0; BLOCK]);
                    self.read_file(seen, block * BLOCK_BYTES, &mut there[..])?;
                    new.insert(there)
                }
            };
            there[from..from + len].copy_from_slice(&data[place..place + len]);
        }
        over_it.len = over_it.len.max(offset + count(data.len()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const LEN: usize = 10_000;

    fn steps() -> impl Strategy<Value = Vec<(bool, usize, usize)>> {
        prop::collection::vec((any::<bool>(), 0..3 * LEN, 1..LEN), 1..20)
    }

    proptest! {
        #[test]
        fn a_look_shows_what_is_written_and_leaves_the_file(steps in steps()) {
            let mut file = tempfile::tempfile().unwrap();
            let mut model: Vec<u8> = (0..=250).cycle().take(LEN).collect();
            let before = model.clone();
            file.write_all(&model).unwrap();
            let look = Look::at(file.try_clone().unwrap()).unwrap();
            for (number, (writes, at, len)) in (1_u8..).zip(steps) {
                if writes {
                    look.write(count(at), &vec![number; len]).unwrap();
                    model.resize(model.len().max(at + len), 0);
                    model[at..at + len].fill(number);
                } else {
                    look.set_len(count(at)).unwrap();
                    model.resize(at, 0);
                }
                prop_assert_eq!(look.len().unwrap(), count(model.len()));
                let mut seen = vec![1; model.len()];
                look.read(0, &mut seen).unwrap();
                prop_assert!(seen == model);
                prop_assert!(look.read(1, &mut seen).is_err() || seen.is_empty());
            }
            let mut after = vec![0; LEN];
            file.read_exact_at(&mut after, 0).unwrap();
            prop_assert!(after == before && file.metadata().unwrap().len() == count(LEN));
        }
    }
}
