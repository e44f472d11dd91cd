//! The picture as a sequence diagram for Mermaid, which issues and pull requests show.

use std::io::{self, Write};

use super::layout::{Arrow, Carries, Diagram, End, Mark, Role};
use super::limits::Limits;
use super::moments::Moment;
use super::wording::time;
use crate::history::Process;
use crate::report::words::wrapped;

/// What Mermaid draws so that it can be read.
const LIMITS: Limits = Limits { messages: 100, moments: 500, lanes: 50, cone_times: 10 };
/// As wide notes are.
const COLUMNS: usize = 60;

/// Writes `diagram`.
pub(crate) fn write_mermaid(out: &mut dyn Write, diagram: &Diagram) -> io::Result<()> {
    let diagram = &*diagram.within(&LIMITS);
    writeln!(out, "sequenceDiagram")?;
    for lane in &diagram.lanes {
        writeln!(out, "    participant {} as {}", id(lane.process), lane.process)?;
    }
    let ends = [diagram.lanes.first(), diagram.lanes.last()].into_iter().flatten();
    let ends: Vec<String> = ends.map(|lane| id(lane.process)).collect();
    if let Some(headline) = diagram.headline() {
        let told = diagram.sentences().join(". ");
        let lines = [format!("✗ {headline}")].into_iter().chain(wrapped(&told, COLUMNS));
        let lines: Vec<String> = lines.map(|line| plain(&line)).collect();
        writeln!(out, "    Note over {}: {}", ends.join(","), lines.join("<br/>"))?;
    }
    for Moment { arrows, marks, .. } in diagram.by_moment() {
        arrows.into_iter().try_for_each(|arrow| write_arrow(out, diagram, arrow))?;
        marks.into_iter().try_for_each(|mark| write_mark(out, diagram, mark))?;
    }
    match diagram.what_is_left_out() {
        Some(told) => writeln!(out, "    Note over {}: {}", ends.join(","), plain(&told)),
        None => Ok(()),
    }
}

fn write_arrow(out: &mut dyn Write, diagram: &Diagram, arrow: &Arrow) -> io::Result<()> {
    let lane = |lane: usize| id(diagram.lanes[lane].process);
    let shaft = match (arrow.end, arrow.carries) {
        (End::Lost(_), _) => "-x",
        (_, Carries::Written | Carries::Balance(_) | Carries::Failure(_)) => "-->>",
        (_, Carries::Acknowledgement) => "--)",
        (_, Carries::Request(_)) => "->>",
        (_, Carries::Propagation(_) | Carries::CatchUp | Carries::Missed { .. }) => "-)",
    };
    let told = match (arrow.carries, arrow.role) {
        (_, Role::Missing) => arrow.way(),
        (Carries::Propagation(Some(write)), _) => write.to_string(),
        (Carries::Acknowledgement, _) => "has it".to_owned(),
        _ => arrow.told(),
    };
    let told = if told.is_empty() { "the write".to_owned() } else { told };
    writeln!(out, "    {}{shaft}{}: {}", lane(arrow.from.lane), lane(arrow.to()), plain(&told))
}

fn write_mark(out: &mut dyn Write, diagram: &Diagram, mark: &Mark) -> io::Result<()> {
    let told = mark.what.told();
    if told.is_empty() {
        return Ok(());
    }
    let broken = diagram.broken_at(mark);
    let broken = match broken.is_empty() {
        true => String::new(),
        false => format!(" ✗ {}", broken.join(", ")),
    };
    let lane = id(diagram.lanes[mark.at.lane].process);
    let at = time(diagram.moments[mark.at.moment]);
    writeln!(out, "    Note over {lane}: {}", plain(&format!("{at} · {told}{broken}")))
}

fn id(process: Process) -> String {
    match process {
        Process::Customer(id) => format!("C{id}"),
        Process::Branch(id) => format!("B{id}"),
    }
}

/// Text with nothing in it that Mermaid reads as its own.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '#' => safe.push_str("#35;"),
            ';' => safe.push_str("#59;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            _ => safe.push(sign),
        }
    }
    safe
}
