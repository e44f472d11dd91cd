//! Ctrl-C and its like: what becomes of a command when somebody wants it to end.

use std::os::raw::c_int;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio_util::sync::CancellationToken;

/// Files that are not complete.
static INCOMPLETE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What a command does that ends in good order of its own when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It may take long, so that a second signal ends it at once.
    Open,
    /// It takes no longer than it says, and a second signal changes nothing of that.
    Bounded,
    /// The same, and the end of the terminal is a signal too.
    BoundedWithTerminal,
}

/// From now on the first signal is only remembered: it cancels what is returned.
pub(super) fn listen(ending: Ending) -> io::Result<CancellationToken> {
    let signals: &[c_int] = match ending {
        Ending::Open | Ending::Bounded => &[SIGINT, SIGTERM],
        Ending::BoundedWithTerminal => &[SIGINT, SIGTERM, SIGHUP],
    };
    let token = CancellationToken::new();
    let heard = token.clone();
    on_each(signals, move |signal| {
        if heard.is_cancelled() && ending == Ending::Open {
            end(signal);
        }
        heard.cancel();
    })?;
    Ok(token)
}

/// From now on SIGINT and SIGTERM take incomplete files away before they end the program. Not for
/// commands that end in good order of their own.
pub(super) fn clean_up() -> io::Result<()> {
    on_each(&[SIGINT, SIGTERM], |signal| {
        for path in INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::debug!("{} is left behind: {error}", path.display());
                }
                Ok(()) | Err(_) => {}
            }
        }
        end(signal);
    })
}

/// The file at `path`, whose name no other ever has, is there until it is complete.
pub(super) fn begin(path: &Path) {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
}

fn on_each(signals: &[c_int], mut then: impl FnMut(c_int) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(signals)?;
    let heed = move || signals.forever().for_each(&mut then);
    thread::Builder::new().name("signals".to_owned()).spawn(heed)?;
    Ok(())
}

fn end(signal: c_int) {
    if let Err(error) = emulate_default_handler(signal) {
        log::error!("signal {signal} has no effect: {error}");
    }
}
