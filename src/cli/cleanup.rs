//! What is to go away when a signal ends the program: files that are not complete.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

static INCOMPLETE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// From now on SIGINT and SIGTERM take incomplete files away before they end the program. Not for commands that come to an end in good order of their own.
pub(super) fn on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            for path in INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                if let Err(error) = fs::remove_file(&path) {
                    log::debug!("{} is left behind: {error}", path.display());
                }
            }
            if let Err(error) = emulate_default_handler(signal) {
                log::error!("signal {signal} has no effect: {error}");
            }
        }
    })?;
    Ok(())
}

/// The file at `path` is not complete.
pub(super) fn begin(path: &Path) {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
}

/// It is complete, or gone.
pub(super) fn end(path: &Path) {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other != path);
}
