//! Standard output and standard error: results on one, errors and warnings on the other, colour
//! where it is wanted.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stderr, StdoutLock, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::guard::{Colours, Guard};
use crate::model::Shown;
use crate::report::Width;
use crate::scenario::{Level, Warning};
use crate::source::Place;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();
const WIDTH: usize = 100;
/// When there is colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Heeds FORCE_COLOR, which anstream knows nothing of, wherever colour is not said otherwise: 0 is
/// none, all else is colour. NO_COLOR, CLICOLOR and CLICOLOR_FORCE are its own, and NO_COLOR wins;
/// but for CLICOLOR_FORCE=0, which it takes for colour, and which forces nothing.
pub(super) fn heed_forced_color() {
    let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let is_none = |value: &OsString| ["0", "false"].iter().any(|none| value == none);
    if says("NO_COLOR").is_some() {
        return;
    }
    match says("FORCE_COLOR") {
        Some(forced) if is_none(&forced) => ColorChoice::Never.write_global(),
        Some(_) => ColorChoice::AlwaysAnsi.write_global(),
        None => {
            let is_zero = says("CLICOLOR_FORCE").is_some_and(|forced| is_none(&forced));
            if is_zero && !io::stdout().is_terminal() {
                ColorChoice::Never.write_global();
            }
        }
    }
}

/// The variable that says what is logged.
const LOG: &str = "PASSBOOK_LOG";

/// As long as a message with a path gets. A longer one quotes something without an end, and is cut.
const MESSAGE_MAX: usize = 6000;

pub(super) struct Terminal {
    results: Guard<BufWriter<AutoStream<StdoutLock<'static>>>>,
    messages: Guard<AutoStream<Stderr>>,
}

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        let results = AutoStream::new(io::stdout().lock(), choice);
        // What a stream without colour is given it takes apart byte by byte: the guard is quicker.
        let (results, colours) = match results.current_choice() {
            ColorChoice::Never => (AutoStream::always_ansi(results.into_inner()), Colours::Dropped),
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                (results, Colours::Kept)
            }
        };
        Self {
            results: Guard::with(BufWriter::with_capacity(1 << 16, results), colours),
            messages: Guard::new(AutoStream::new(io::stderr(), choice)),
        }
    }

    /// Says that `what` is waited for, where `place` is standard input and that is a terminal.
    pub(super) fn before_reading(&mut self, place: &Place, what: &str) {
        if place.is_stdin() && io::stdin().is_terminal() {
            self.note(&format!("waiting for {what} from standard input; Ctrl-D ends it"));
        }
    }

    /// How wide results may be: as the terminal is, else as COLUMNS says.
    pub(super) fn width(&self) -> Width {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        let columns = terminal.map(|(terminal_size::Width(columns), _)| usize::from(columns));
        let said = || std::env::var("COLUMNS").ok()?.parse().ok();
        columns.or_else(said).filter(|&columns| columns > 0).map_or(Width::Unknown, Width::Columns)
    }

    /// Where results go. ANSI codes in them are dropped where colour is not wanted.
    pub(super) fn results(&mut self) -> &mut dyn Write {
        &mut self.results
    }

    /// Hands on what is written so far.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.results.flush()
    }

    /// `message` on one line, whatever is in it, as in all that is told here.
    pub(super) fn error(&mut self, message: &str) {
        self.say(&format!("{ERROR}error{ERROR:#}: {}\n", shown(message)));
    }

    /// What to do about the error before, a line each.
    pub(super) fn advice(&mut self, lines: &[&str]) {
        let lines = lines.iter().map(|line| format!("  {}\n", shown(line)));
        self.say(&format!("\n{}", lines.collect::<String>()));
    }

    pub(super) fn warning(&mut self, message: &str) {
        self.say(&format!("{WARNING}warning{WARNING:#}: {}\n", shown(message)));
    }

    pub(super) fn note(&mut self, message: &str) {
        self.say(&format!("{NOTE}note{NOTE:#}: {}\n", shown(message)));
    }

    /// What is odd in an input.
    pub(super) fn remarks(&mut self, warnings: &[Warning]) {
        for Warning { level, message } in warnings {
            match level {
                Level::Warning => self.warning(message),
                Level::Note => self.note(message),
            }
        }
    }

    /// Shows an error in an input, with the place in it, and then what is related to it.
    pub(super) fn diagnostic(&mut self, diagnostic: &dyn Diagnostic) {
        let theme = match self.messages.get_ref().current_choice() {
            ColorChoice::Never => GraphicalTheme::unicode_nocolor(),
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                GraphicalTheme::unicode()
            }
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
        let related = diagnostic.related().into_iter().flatten();
        for diagnostic in std::iter::once(diagnostic).chain(related) {
            let mut text = String::new();
            match handler.render_report(&mut text, &Harmless(diagnostic)) {
                Ok(()) => self.say(&text),
                Err(_) => self.error(&diagnostic.to_string()),
            }
        }
    }

    /// Logs go to standard error, by default warnings; [`LOG`] says otherwise.
    pub(super) fn start_logging(&mut self) {
        let style = match self.messages.get_ref().current_choice() {
            ColorChoice::Never => env_logger::WriteStyle::Never,
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                env_logger::WriteStyle::Always
            }
        };
        let wanted = std::env::var(LOG).unwrap_or_default();
        let wrong = wanted.split(',').find(|part| !is_of_a_log(part.trim()));
        if let Some(wrong) = wrong {
            self.warning(&format!(
                "{LOG} of the environment: `{wrong}` is no level; write error, warn, info, debug \
                 or trace, or for one part passbook::grpc=debug"
            ));
        }
        let is_given = wrong.is_none() && !wanted.is_empty();
        let mut builder = env_logger::Builder::new();
        builder.parse_filters(if is_given { &wanted } else { "warn" });
        let started = builder.write_style(style).format(log_line).try_init();
        if let Err(error) = started {
            log::debug!("logging is on already: {error}");
        }
    }

    /// Results so far come first. If they cannot be written, the last flush says so again; where
    /// even standard error is closed, nobody is there to be told.
    fn say(&mut self, text: &str) {
        if let Err(error) = self.results.flush() {
            log::debug!("results are held back: {error}");
        }
        if let Err(error) = self.messages.write_all(text.as_bytes()) {
            log::debug!("cannot tell: {error}");
        }
    }
}

/// Whether `part` of what [`LOG`] says is a level, a module, or a level for a module.
fn is_of_a_log(part: &str) -> bool {
    let is_level = |text: &str| text.parse::<log::LevelFilter>().is_ok();
    match part.split_once('=') {
        Some((module, level)) => !is_level(module) && is_level(level),
        None => part.is_empty() || is_level(part) || part.starts_with("passbook"),
    }
}

/// A line of the log on one line: much of it is what clients and peers send.
fn log_line(out: &mut env_logger::fmt::Formatter, record: &log::Record<'_>) -> io::Result<()> {
    let style = out.default_level_style(record.level());
    let (level, message) = (record.level(), record.args().to_string());
    writeln!(out, "[{style}{level:<5}{style:#} {}] {}", record.target(), shown(&message))
}

/// Prints help, the version, or what is wrong with the arguments.
pub(super) fn print_usage(answer: &clap::Error) -> io::Result<()> {
    let text = answer.render().ansi().to_string();
    if answer.use_stderr() {
        Guard::new(anstream::stderr()).write_all(text.as_bytes())
    } else {
        Guard::new(anstream::stdout()).write_all(text.as_bytes())
    }
}

const fn shown(message: &str) -> Shown<'_> {
    Shown::brief(message, MESSAGE_MAX)
}

/// A diagnostic whose words are each on one line, with nothing in them that a terminal obeys. Its
/// source sees to itself, and ours name their causes in their message.
#[derive(Debug)]
struct Harmless<'a>(&'a dyn Diagnostic);

impl fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.0.to_string()).fmt(f)
    }
}

impl Error for Harmless<'_> {}

impl Diagnostic for Harmless<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = shown(&self.0.help()?.to_string()).to_string();
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use log::{Level, Log, Record};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_logged_is_a_line_and_moves_no_cursor() {
        let lines = Lines::default();
        let out = env_logger::Target::Pipe(Box::new(lines.clone()));
        let mut builder = env_logger::Builder::new();
        let logger =
            builder.target(out).filter_level(log::LevelFilter::Warn).format(log_line).build();
        let peer = "a\u{1b}[2J\n[ERROR passbook] b\u{202e}";
        let mut record = Record::builder();
        record.level(Level::Warn).target("passbook::grpc");
        logger.log(&record.args(format_args!("refused {peer}")).build());
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line = r"refused a\u{1b}[2J\n[ERROR passbook] b\u{202e}";
        assert_eq!(told, format!("[WARN  passbook::grpc] {line}\n"));
    }
}
