//! The frame of every page: its head, its style, its sections.

use std::io::{self, Write};

use crate::model::Shown;
use crate::report::diagram;
use crate::report::markup::escaped;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// What a page begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// The command that made it: `passbook run`.
    pub(crate) program: &'static str,
    /// What it is of.
    pub(crate) title: &'a str,
    /// What came out, in a sentence or two.
    pub(crate) answer: &'a str,
    /// Whether it shows runs.
    pub(crate) has_pictures: bool,
}

impl Sheet<'_> {
    /// Writes all up to the first section.
    pub(crate) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { program, title, answer, has_pictures } = self;
        let title = escaped(&Shown::name(title).to_string());
        writeln!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title} · {program}</title>\n<style>\n{STYLE}"
        )?;
        if *has_pictures {
            write!(out, "{}", diagram::STYLE)?;
        }
        writeln!(out, "</style>\n</head>\n<body>")?;
        if *has_pictures {
            writeln!(
                out,
                "<svg class=\"nothing\" width=\"0\" height=\"0\" aria-hidden=\"true\">{}</svg>",
                diagram::DEFINITIONS
            )?;
        }
        writeln!(
            out,
            "<main>\n<header>\n<p class=\"program\">{program}</p>\n<h1>{title}</h1>\n\
             <p class=\"answer\">{}</p>\n</header>",
            // An interval stays on one line.
            escaped(answer).replace('–', "\u{2060}–\u{2060}")
        )
    }

    /// Writes what comes after the last section.
    pub(crate) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "</main>")?;
        if self.has_pictures {
            writeln!(out, "<script>\n{SCRIPT}</script>")?;
        }
        writeln!(out, "</body>\n</html>")
    }
}

/// Writes a section: `body` is markup.
pub(crate) fn section(out: &mut dyn Write, title: &str, text: &str, body: &str) -> io::Result<()> {
    let (title, text) = (escaped(title), escaped(text));
    writeln!(out, "<section>\n<h2>{title}</h2>\n<p>{text}</p>\n{body}</section>")
}
