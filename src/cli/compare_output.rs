//! Where a comparison goes: to the terminal and into files, beside an earlier one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::new_file::OutputFile;
use super::signal;
use super::terminal::Terminal;
use crate::compare::{
    Baseline, Comparison, Earlier, Report, write_csv, write_html, write_json, write_markdown,
    write_text,
};
use crate::model::{ByteSize, Propagation};
use crate::report::shell;
use crate::source::{Clash, Kind, OtherKind, Outputs, Place};

#[derive(Debug, Args)]
pub(super) struct CompareOutput {
    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    format: CompareFormat,

    /// Write all that was measured to this file, as JSON: a baseline for later. With `--propagation
    /// both`, this name and those below get `-sync` or `-async` before their extension
    #[arg(long, value_name = "FILE")]
    export_json: Option<PathBuf>,

    /// Write a row for each transport and kind to this file, as CSV
    #[arg(long, value_name = "FILE")]
    export_csv: Option<PathBuf>,

    /// Write tables to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    export_markdown: Option<PathBuf>,

    /// Write a page with charts to this file, as HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    export_html: Option<PathBuf>,

    /// Say what differs from an earlier comparison, exported as JSON
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// End with 1 where a transport is slower than in the baseline by more than this: the lower end
    /// of the 95% interval is beyond it. Such as 10%
    #[arg(long, value_name = "PERCENT", requires = "baseline", value_parser = parse_percent)]
    fail_above: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum CompareFormat {
    /// What a person likes to read
    #[default]
    Text,
    /// All that was measured, as one line of JSON
    Json,
}

/// What a file holds besides its name.
type Export<'a> = (&'a Option<PathBuf>, WriteReport);
type WriteReport = fn(&mut dyn Write, &Report) -> io::Result<()>;

/// What a comparison needs before anything is measured.
pub(super) struct Prepared {
    earlier: Option<Earlier>,
    files: Vec<(OutputFile, WriteReport)>,
}

/// A file for each propagation, where there are two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant(pub(super) Option<Propagation>);

impl CompareOutput {
    /// The earlier comparison for this one, and the files that it goes to. Wrong names are told
    /// before anything is measured.
    pub(super) fn prepare(
        &self,
        variant: Variant,
        document_max: ByteSize,
    ) -> Result<Prepared, Failure> {
        let earlier = self.earlier(variant, document_max)?;
        let mut files = Vec::new();
        for (path, write) in self.exports() {
            let Some(path) = path else { continue };
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
                let (path, what) = (path.display(), folder_problem(path));
                return Err(Failure::bad_input(format!("cannot write {path}: {what}")));
            }
            files.push((OutputFile::create(&variant.of(path))?, write));
        }
        Ok(Prepared { earlier, files })
    }

    fn earlier(
        &self,
        variant: Variant,
        document_max: ByteSize,
    ) -> Result<Option<Earlier>, Failure> {
        let Some(path) = &self.baseline else { return Ok(None) };
        let path = variant.of(path);
        let refuse = |problem: String| {
            Failure::bad_input(format!("cannot compare with {}: {problem}", path.display()))
        };
        let place = Place::whole(&path);
        let text = place.read(document_max).map_err(|error| refuse(error.to_string()))?;
        let earlier = Earlier::parse(&text).map_err(|error| {
            let other = OtherKind::of(&place, &text, Kind::Comparison);
            other.map_or_else(|| refuse(error.to_string()), Failure::from)
        });
        earlier.map(Some)
    }

    /// Prints and writes `comparison`. One that cannot be held against the earlier one is shown by
    /// itself: it took its time.
    pub(super) fn show(
        &self,
        comparison: &Comparison,
        Prepared { earlier, files }: Prepared,
        variant: Variant,
        terminal: &mut Terminal,
    ) -> io::Result<Exit> {
        let mut exit = Exit::Holds;
        let of_the_same =
            earlier.map(|earlier| earlier.of_the_same(&comparison.subject, comparison.load));
        let baseline: Option<Baseline> = match of_the_same.transpose() {
            Ok(baseline) => baseline,
            Err(error) => {
                let path = self.baseline.as_deref().unwrap_or(Path::new("the baseline"));
                let path = variant.of(path);
                terminal.error(&format!("cannot compare with {}: {error}", path.display()));
                exit = Exit::BadInput;
                None
            }
        };
        let report = Report::of(comparison, &command_line(std::env::args_os()), baseline.as_ref());
        match self.format {
            CompareFormat::Text => write_text(terminal.results(), &report)?,
            CompareFormat::Json => write_json(terminal.results(), &report)?,
        }
        exit = exit.max(self.hold_against_limit(&report, terminal)?);
        for (mut file, write) in files {
            if signal::heard().is_some() && file.replaces_another() {
                terminal.warning(&format!("{} stays as it was", file.path().display()));
                continue;
            }
            if let Err(error) = write(&mut file, &report).and_then(|()| file.finish()) {
                terminal.error(&format!("cannot write {error}"));
                exit = exit.max(Exit::Internal);
            }
        }
        Ok(exit)
    }

    /// Says which transports are slower than `--fail-above` allows.
    fn hold_against_limit(&self, report: &Report, terminal: &mut Terminal) -> io::Result<Exit> {
        let Some(share) = self.fail_above else { return Ok(Exit::Holds) };
        let mut exit = Exit::Holds;
        for (name, ratio) in report.slower_than_baseline(share) {
            exit = Exit::Violated;
            let (estimate, limit) = (ratio.estimate, share * 100.0);
            let told = format!(
                "{name} takes {estimate:.2} times as long as in the baseline: more than {limit}% slower"
            );
            match self.format {
                CompareFormat::Text => writeln!(terminal.results(), "\n  {told}")?,
                CompareFormat::Json => terminal.warning(&told),
            }
        }
        Ok(exit)
    }

    /// Refuses a file that is read, or written already, by the comparisons of these `variants`.
    pub(super) fn refuse_clashes(
        &self,
        scenario: Option<&Path>,
        variants: &[Variant],
    ) -> Result<(), Clash> {
        let exports = || self.exports().into_iter().filter_map(|(path, _)| path.as_deref());
        let each =
            |path: &Path| variants.iter().map(|variant| variant.of(path)).collect::<Vec<_>>();
        let written: Vec<PathBuf> = exports().flat_map(each).collect();
        let outputs = Outputs::new(written.iter().map(PathBuf::as_path))?;
        let baselines = self.baseline.as_deref().map(each).unwrap_or_default();
        let read = baselines.iter().map(PathBuf::as_path).chain(scenario);
        read.into_iter().try_for_each(|path| outputs.refuse(path))
    }

    /// Whether a person reads what is printed.
    pub(super) fn is_text(&self) -> bool {
        self.format == CompareFormat::Text
    }

    fn exports(&self) -> [Export<'_>; 4] {
        [
            (&self.export_json, write_json),
            (&self.export_csv, write_csv),
            (&self.export_markdown, write_markdown),
            (&self.export_html, write_html),
        ]
    }
}

/// `10%`, as a share of 1.
fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match number {
        Some(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent / 100.0),
        Some(_) | None => Err("say how many percent, such as 10%".to_owned()),
    }
}

fn folder_problem(path: &Path) -> &'static str {
    if path.is_dir() { "it is a directory" } else { "its directory does not exist" }
}

impl Variant {
    /// `a-sync.html` for `a.html`, where there are two.
    fn of(self, path: &Path) -> PathBuf {
        let Some(propagation) = self.0 else { return path.to_owned() };
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{propagation}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    }
}

/// The arguments as a shell takes them again.
fn command_line(args: impl IntoIterator<Item = OsString>) -> String {
    let args = args.into_iter().skip(1).map(shell::word);
    std::iter::once("passbook".to_owned()).chain(args).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let line = |args: &[&str]| command_line(args.iter().map(OsString::from));
        assert_eq!(
            line(&["/usr/bin/passbook", "compare", "--rounds=5", "it's a.json", ""]),
            r"passbook compare --rounds=5 'it'\''s a.json' ''"
        );
    }

    #[test]
    fn a_limit_is_a_number_of_percent() {
        assert_eq!(parse_percent("10%"), Ok(0.1));
        assert_eq!(parse_percent("0%"), Ok(0.0));
        for wrong in ["10", "-1%", "NaN%", "inf%", "%", ""] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_propagation_has_a_file_of_its_own() {
        let of = |propagation, path: &str| Variant(propagation).of(Path::new(path));
        assert_eq!(of(None, "out/a.html"), Path::new("out/a.html"));
        assert_eq!(of(Some(Propagation::Sync), "out/a.html"), Path::new("out/a-sync.html"));
        assert_eq!(of(Some(Propagation::Async), "a"), Path::new("a-async"));
    }
}
