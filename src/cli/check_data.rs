//! `passbook check --data`: looks at the files of a bank that nobody serves.

use std::io;
use std::path::Path;

use super::check_args::{CheckArgs, CheckFormat};
use super::exit::{Exit, Failure};
use super::new_file::OutputFile;
use super::terminal::Terminal;
use crate::history::Writer;
use crate::model::number::count;
use crate::report::audit;
use crate::run::log_max;
use crate::source::Outputs;
use crate::storage::{Audit, DataFolder, FolderError};

/// Audits the folder at `path`.
pub(super) fn check_data(
    args: &CheckArgs,
    path: &Path,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let folder = DataFolder::existing(path).map_err(Failure::bad_input)?;
    let outputs = Outputs::new(args.export_history.as_deref()).map_err(Failure::bad_input)?;
    for file in folder.files().map_err(Failure::bad_input)? {
        outputs.refuse(&file).map_err(Failure::bad_input)?;
    }
    let history = args.export_history.as_deref().map(OutputFile::create).transpose()?;
    let room = args.memory.budget().room();
    let audit = audited(folder, path, room).map_err(Failure::bad_input)?;
    if let Some(mut history) = history {
        write_history(&audit, &mut history)?;
        history.finish()?;
    }
    let is_sound = audit.flaws.is_empty();
    match args.format {
        CheckFormat::Text if args.quiet && is_sound => {}
        CheckFormat::Text => audit::write_text(terminal.results(), &audit)?,
        CheckFormat::Json => audit::write_json(terminal.results(), &audit)?,
    }
    Ok(if is_sound { Exit::Holds } else { Exit::Violated })
}

/// All files are in memory at the same time, which have `room` there.
fn audited(folder: DataFolder, path: &Path, room: u64) -> Result<Audit, FolderError> {
    let branches = count(folder.branches()?.len());
    let files = folder.with_writes_max(log_max(room, branches, 0)).read_all()?;
    if files.is_empty() {
        return Err(FolderError::Empty { path: path.to_owned() });
    }
    Ok(Audit::of(files))
}

fn write_history(audit: &Audit, out: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = Writer::new(out, &audit.header())?;
    for recorded in audit.facts() {
        writer.record(&recorded)?;
    }
    if audit.is_settled() {
        writer.finish()?;
    }
    // Else the history is cut off: what is missing now comes later.
    Ok(())
}
