//! The page of one run: what the judge says, what shows it, and all that happened.

use std::io::{self, Write};

use super::pictures::{figure, write_whole};
use super::sheet::{Sheet, section};
use crate::check::{Overall, Property, Verdict, Verdicts};
use crate::history::{Extent, Header};
use crate::report::diagram::Diagram;
use crate::report::markup::escaped;
use crate::report::text::broken;
use crate::report::words::{count, grouped};

/// A run to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunPage<'a> {
    /// The command that makes the page.
    pub(crate) program: &'static str,
    pub(crate) header: &'a Header,
    /// What the judge says; `None` if it was not asked.
    pub(crate) verdicts: Option<&'a Verdicts>,
    pub(crate) diagram: &'a Diagram,
    /// A command that shows the same again.
    pub(crate) command: &'a str,
}

/// Writes the page of a run.
pub(crate) fn write_run(out: &mut dyn Write, page: &RunPage<'_>) -> io::Result<()> {
    let RunPage { program, header, verdicts, diagram, command } = *page;
    let answer = answer(verdicts);
    let sheet = Sheet { program, title: &header.scenario, answer: &answer, has_pictures: true };
    sheet.begin(out)?;
    if let Some(verdicts) = verdicts {
        tiles(out, verdicts)?;
        for (property, verdict) in verdicts.iter() {
            if verdict.summary() == Overall::Violated {
                let shown = diagram.of_one(property, verdicts);
                violation(out, &shown, property, verdict)?;
            }
        }
    }
    let text = "Time runs down, a line for each customer and branch. A dot asks or applies, a ring \
                reads; beside a branch's mark stands its balance from then on, beside a ring what \
                the customer was told.";
    let mut whole = Vec::new();
    write_whole(&mut whole, diagram)?;
    section(out, "What happened", text, &String::from_utf8_lossy(&whole))?;
    origin(out, header, command)?;
    sheet.end(out)
}

fn answer(verdicts: Option<&Verdicts>) -> String {
    let Some(verdicts) = verdicts else { return "The run was not judged.".to_owned() };
    let broken: Vec<String> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.summary() == Overall::Violated)
        .map(|(property, _)| property.to_string())
        .collect();
    let cut_off = match verdicts.extent {
        Extent::Whole => "",
        Extent::CutOff => " The history was cut off, so nothing is said of its end.",
    };
    match broken.as_slice() {
        [] => format!("Nothing is broken.{cut_off}"),
        _ => format!("Broken: {}.{cut_off}", broken.join(", ")),
    }
}

/// Each property at a glance, with the way to what shows it.
fn tiles(out: &mut dyn Write, verdicts: &Verdicts) -> io::Result<()> {
    writeln!(out, "<ul class=\"tiles verdicts\">")?;
    for (property, verdict) in verdicts.iter() {
        let (failed, tested) = (verdict.violations().total(), verdict.tested());
        let name = escaped(&property.to_string());
        match verdict.summary() {
            Overall::Violated => writeln!(
                out,
                "<li class=\"broken\"><a href=\"#{}\"><span class=\"transport\">✗ {name}</span>\
                 <strong>{} of {}</strong><span class=\"quiet\">tests failed</span></a></li>",
                anchor(property),
                grouped(failed),
                grouped(tested)
            )?,
            Overall::Holds => writeln!(
                out,
                "<li class=\"holds\"><span class=\"transport\">✓ {name}</span><span \
                 class=\"quiet\">holds in {}</span></li>",
                count(tested, "test")
            )?,
            Overall::Undecided => writeln!(
                out,
                "<li><span class=\"transport quiet\">– {name}</span><span class=\"quiet\">not \
                 decided</span></li>"
            )?,
        }
    }
    writeln!(out, "</ul>")
}

fn anchor(property: Property) -> String {
    property.to_string().replace(' ', "-")
}

fn violation(
    out: &mut dyn Write,
    diagram: &Diagram,
    property: Property,
    verdict: &Verdict,
) -> io::Result<()> {
    let label = broken(verdict).unwrap_or_default();
    writeln!(out, "<section id=\"{}\" class=\"violation\">", anchor(property))?;
    writeln!(out, "<h2>✗ {property}: {label}</h2>")?;
    if let Some(witness) = verdict.witness() {
        writeln!(out, "<p class=\"sentence\">{}</p>", escaped(&witness.sentence))?;
    }
    out.write_all(figure(diagram)?.as_bytes())?;
    writeln!(out, "</section>")
}

fn origin(out: &mut dyn Write, header: &Header, command: &str) -> io::Result<()> {
    writeln!(out, "<section class=\"origin\">\n<h2>How it was run</h2>\n<dl>")?;
    let seed = header.seed.to_string();
    let settings = header.config.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (label, value) in settings.chain([("seed", seed.as_str())]) {
        let (label, value) = (escaped(label), escaped(value));
        writeln!(out, "<div><dt>{label}</dt><dd>{value}</dd></div>")?;
    }
    writeln!(
        out,
        "</dl>\n<pre><code>{}</code></pre>\n<p class=\"quiet\">passbook {}</p>\n</section>",
        escaped(command),
        env!("CARGO_PKG_VERSION")
    )
}
