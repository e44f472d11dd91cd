//! Ctrl-C and its like: what becomes of a command when somebody wants it to end.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::raw::c_int;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;

/// What the thread that waits for signals has for its calls.
const STACK_BYTES: usize = 128 << 10;

/// Files that are not complete.
static INCOMPLETE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Files of lines that are not complete, and where they belong.
static LINES: Mutex<Vec<(PathBuf, PathBuf)>> = Mutex::new(Vec::new());

/// Held while a file of lines is written to.
static WRITING: Mutex<()> = Mutex::new(());

/// What a command does that ends in good order of its own when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It may take long, so that a second signal ends it at once.
    Open,
    /// It takes no longer than it says, and a second signal changes nothing of that. A signal is
    /// how it is meant to end.
    Bounded,
    /// It takes no longer than it says, and the end of the terminal is a signal too.
    BoundedWithTerminal,
}

/// What the command does that runs; `None` where it has no end in good order of its own.
static LISTENING: Mutex<Option<(Ending, CancellationToken)>> = Mutex::new(None);

/// The first signal that a command was told of.
static HEARD: OnceLock<c_int> = OnceLock::new();

/// From now on SIGINT and SIGTERM take incomplete files away before they end the program, unless
/// its command listens.
pub(super) fn start() -> io::Result<()> {
    on_each(&[SIGINT, SIGTERM], heed)
}

/// From now on the first signal is only remembered: it cancels what is returned.
pub(super) fn listen(ending: Ending) -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    *LISTENING.lock().unwrap_or_else(PoisonError::into_inner) = Some((ending, token.clone()));
    match ending {
        Ending::Open | Ending::Bounded => {}
        Ending::BoundedWithTerminal => on_each(&[SIGHUP], heed)?,
    }
    Ok(token)
}

/// How the program ends because of a signal that came while its command listened; `None` if none
/// came, or if a signal is how that command is meant to end.
pub(super) fn heard() -> Option<Exit> {
    HEARD.get().map(|&signal| Exit::of_signal(signal))
}

fn heed(signal: c_int) {
    let listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((ending, token)) = &*listening else {
        // Held to the end: nothing is written to a file of lines any more.
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        keep_whole_lines();
        take_incomplete_files_away();
        end(signal);
    };
    match ending {
        Ending::Open if token.is_cancelled() => {
            clear_bar();
            end(signal);
        }
        Ending::Open | Ending::BoundedWithTerminal => {
            HEARD.get_or_init(|| signal);
        }
        Ending::Bounded => {}
    }
    token.cancel();
}

/// Puts files of lines in their places, as far as they are written.
fn keep_whole_lines() {
    for (written, place) in LINES.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let kept = cut_to_whole_lines(&written).and_then(|bytes| match bytes {
            0 => Ok(()),
            1.. => fs::rename(&written, &place),
        });
        if let Err(error) = kept {
            log::debug!("the lines of {} are not kept: {error}", place.display());
        }
    }
}

/// Cuts off a last line without its newline; how many bytes are left.
fn cut_to_whole_lines(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut end = file.metadata()?.len();
    let mut last = [0];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            break;
        }
        end -= 1;
    }
    file.set_len(end)?;
    Ok(end)
}

fn take_incomplete_files_away() {
    for path in INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::debug!("{} is left behind: {error}", path.display());
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// Takes the line away in which a terminal shows how far the command is.
fn clear_bar() {
    let mut terminal = io::stderr();
    if terminal.is_terminal()
        && let Err(error) = terminal.write_all(b"\r\x1b[K")
    {
        log::debug!("the terminal cannot be written to: {error}");
    }
}

/// The file at `path`, whose name no other ever has, is there until it is complete.
pub(super) fn begin(path: &Path) {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
}

/// Of the file at `written`, its whole lines are kept at `place` when a signal ends the program. It
/// is written through [`Lines`].
pub(super) fn keep_lines(written: &Path, place: &Path) {
    let kept = (written.to_owned(), place.to_owned());
    LINES.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
}

/// A file to which nothing is written any more once a signal ends the program.
pub(super) struct Lines(pub(super) File);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn on_each(signals: &[c_int], mut then: impl FnMut(c_int) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(signals)?;
    let heed = move || signals.forever().for_each(&mut then);
    // It does little, and needs little where memory is short.
    thread::Builder::new().name("signals".to_owned()).stack_size(STACK_BYTES).spawn(heed)?;
    Ok(())
}

fn end(signal: c_int) -> ! {
    low_level::exit(Exit::of_signal(signal).code().into())
}
