//! `passbook draw`: a history as a picture.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use anstream::StripStream;
use clap::Args;

use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::history_input::HistoryInput;
use super::kept_history::KeptHistory;
use super::memory_args::MemoryArgs;
use super::new_file::{OutputFile, unwritable};
use super::terminal::Terminal;
use crate::check::JudgeOptions;
#[cfg(feature = "png")]
use crate::report::diagram::write_png;
use crate::report::diagram::{Charset, Dress, write_mermaid, write_svg, write_terminal};
use crate::report::page::{RunPage, write_run};
use crate::report::shell;
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json; passbook draw a.jsonl
  passbook draw a.jsonl -o picture.svg             for a slide or a document
  passbook draw a.jsonl -o picture.mmd             for an issue or a pull request
  passbook draw --cone a.jsonl                     what shows what is broken, and nothing else";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::DRAW))]
pub(super) struct DrawArgs {
    #[arg(value_name = "HISTORY")]
    #[arg(help = format!("A history, as `passbook run --history` writes it, {ONE_FILE}"))]
    pub(super) history: Place,

    /// Where the picture goes; its name says what it is: .svg, .html, .png, .mmd (Mermaid) or .txt
    /// [default: text on standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PictureFile>,

    /// Draw only what shows what is broken: the two operations, the missing write and its way
    #[arg(long)]
    cone: bool,

    /// Draw with characters of ASCII alone (text)
    #[arg(long)]
    ascii: bool,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,
}

/// A file for a picture.
#[derive(Debug, Clone)]
pub(super) struct PictureFile {
    path: PathBuf,
    kind: Picture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    Svg,
    #[cfg(feature = "png")]
    Png,
    Html,
    Mermaid,
    Text,
}

impl FromStr for PictureFile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let path = PathBuf::from(name);
        let end = path.extension().and_then(OsStr::to_str).map(str::to_lowercase);
        let kind = match end.as_deref() {
            Some("svg") => Picture::Svg,
            #[cfg(feature = "png")]
            Some("png") => Picture::Png,
            #[cfg(not(feature = "png"))]
            Some("png") => {
                return Err(
                    "this passbook was built without the feature `png`; use .svg".to_owned()
                );
            }
            Some("html" | "htm") => Picture::Html,
            Some("mmd") => Picture::Mermaid,
            Some("txt") => Picture::Text,
            Some(_) | None => {
                return Err(
                    "its end says no picture; use .svg, .html, .png, .mmd or .txt".to_owned()
                );
            }
        };
        Ok(Self { path, kind })
    }
}

/// Draws the history that `args` name.
pub(super) fn draw(args: &DrawArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let output = args.output.as_ref().map(|file| file.path.as_path());
    let (history, text) = HistoryInput::open(&args.history, output, terminal)?;
    let file = output.map(OutputFile::create).transpose()?;
    let judge = JudgeOptions::default();
    let room = args.memory.budget().room();
    let mut kept = KeptHistory::read(text, args.document.document_max, judge, room)
        .map_err(|error| history.unjudged(&error, &args.memory))?;
    if args.cone && kept.diagram.has_cone() {
        kept.diagram = kept.diagram.cone();
    } else if args.cone {
        terminal.note(&format!("nothing in {} is broken, so all of it is drawn", history.name()));
    }
    let columns = terminal.width().of_pictures();
    let (Some(PictureFile { path, kind }), Some(mut file)) = (&args.output, file) else {
        args.write(terminal.results(), &kept, Picture::Text, columns)?;
        return Ok(Exit::Holds);
    };
    let mut picture = Vec::new();
    // A file is no terminal: no colour.
    let drawn = if *kind == Picture::Text {
        args.write(&mut StripStream::new(&mut picture), &kept, *kind, columns)
    } else {
        args.write(&mut picture, &kept, *kind, columns)
    };
    drawn.map_err(|error| unwritable(path, &error))?;
    file.write_all(&picture)?;
    file.finish()?;
    Ok(Exit::Holds)
}

impl DrawArgs {
    fn write(
        &self,
        out: &mut dyn Write,
        kept: &KeptHistory,
        kind: Picture,
        columns: usize,
    ) -> io::Result<()> {
        let KeptHistory { header, diagram, verdicts } = kept;
        let charset = if self.ascii { Charset::Ascii } else { Charset::Unicode };
        match kind {
            Picture::Svg => write_svg(out, diagram, Dress::Alone),
            #[cfg(feature = "png")]
            Picture::Png => write_png(out, diagram),
            Picture::Html => {
                let command = format!("passbook draw {}", shell::file(self.history.name()));
                let (program, verdicts) = ("passbook draw", Some(verdicts));
                write_run(out, &RunPage { program, header, verdicts, diagram, command: &command })
            }
            Picture::Mermaid => write_mermaid(out, diagram),
            Picture::Text => write_terminal(out, diagram, columns, charset),
        }
    }
}
