//! Standard output and standard error: results on one, errors and warnings on the other, colour
//! where it is wanted.

use std::io::{self, BufWriter, Stderr, StdoutLock, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use super::args::Color;
use crate::scenario::{Level, Warning};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();
const WIDTH: usize = 100;

pub(super) struct Terminal {
    results: BufWriter<AutoStream<StdoutLock<'static>>>,
    messages: AutoStream<Stderr>,
}

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        Self {
            results: BufWriter::with_capacity(
                1 << 16,
                AutoStream::new(io::stdout().lock(), choice),
            ),
            messages: AutoStream::new(io::stderr(), choice),
        }
    }

    /// Where results go. ANSI codes in them are dropped where colour is not wanted.
    pub(super) fn results(&mut self) -> &mut dyn Write {
        &mut self.results
    }

    /// Hands on what is written so far.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.results.flush()
    }

    pub(super) fn error(&mut self, message: &str) {
        self.say(&format!("{ERROR}error{ERROR:#}: {message}\n"));
    }

    pub(super) fn warning(&mut self, message: &str) {
        self.say(&format!("{WARNING}warning{WARNING:#}: {message}\n"));
    }

    pub(super) fn note(&mut self, message: &str) {
        self.say(&format!("{NOTE}note{NOTE:#}: {message}\n"));
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

    /// Shows an error in an input, with the place in it.
    pub(super) fn diagnostic(&mut self, diagnostic: &dyn Diagnostic) {
        let theme = match self.messages.current_choice() {
            ColorChoice::Never => GraphicalTheme::unicode_nocolor(),
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                GraphicalTheme::unicode()
            }
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
        let mut text = String::new();
        match handler.render_report(&mut text, diagnostic) {
            Ok(()) => self.say(&text),
            Err(_) => self.error(&diagnostic.to_string()),
        }
    }

    /// Logs go to standard error, by default warnings; `PASSBOOK_LOG` says otherwise.
    pub(super) fn start_logging(&self) {
        let style = match self.messages.current_choice() {
            ColorChoice::Never => env_logger::WriteStyle::Never,
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                env_logger::WriteStyle::Always
            }
        };
        let env = env_logger::Env::new().filter_or("PASSBOOK_LOG", "warn");
        let started = env_logger::Builder::from_env(env).write_style(style).try_init();
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
