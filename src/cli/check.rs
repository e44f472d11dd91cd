//! `passbook check`: judges recorded histories.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::args::is_stdin;
use super::check_args::{CheckArgs, CheckFormat};
use super::clash::Outputs;
use super::exit::Exit;
use super::terminal::Terminal;
use crate::check::{CheckError, judge_history};
use crate::history::Reader;
use crate::report::judgement::{self, Judgement};

/// Judges the history that `args` name.
pub(super) fn check_history(args: &CheckArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let clash = Outputs::new([]).and_then(|outputs| outputs.refuse(&args.history));
    if let Err(error) = clash {
        terminal.diagnostic(&error);
        return Ok(Exit::BadInput);
    }
    let name = if is_stdin(&args.history) {
        "standard input".to_owned()
    } else {
        args.history.display().to_string()
    };
    let input = match open(&args.history) {
        Ok(input) => input,
        Err(error) => {
            terminal.error(&format!("cannot read {name}: {error}"));
            return Ok(Exit::BadInput);
        }
    };
    let opened = Reader::with_line_max(input, args.document.document_max);
    let judged = opened.map_err(CheckError::from).and_then(|reader| {
        let header = reader.header().clone();
        judge_history(reader).map(|verdicts| (header, verdicts))
    });
    let (header, verdicts) = match judged {
        Ok(judged) => judged,
        Err(error) => {
            terminal.error(&format!("{name} is no history that can be judged: {error}"));
            return Ok(Exit::BadInput);
        }
    };
    let summary = verdicts.overall(args.demand());
    let judgement = Judgement { header: &header, verdicts: &verdicts, summary };
    match args.format {
        CheckFormat::Text => judgement::write_text(terminal.results(), &judgement)?,
        CheckFormat::Json => judgement::write_json(terminal.results(), &judgement)?,
    }
    Ok(summary.into())
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, File::open(path)?)))
}
