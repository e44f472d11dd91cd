//! Pictures of a history in which everything happens once, and of what becomes of it by chance.

use anstream::StripStream;
use proptest::prelude::*;

use super::{Charset, Diagram, Dress, write_mermaid, write_svg, write_terminal};
use crate::history::Recorded;
use crate::model::Time;
use crate::report::Width;
use crate::report::convert::fixture::history;
use crate::report::page::{RunPage, write_run};

fn text(draw: impl FnOnce(&mut dyn std::io::Write, &Diagram) -> std::io::Result<()>) -> String {
    let (header, facts) = history();
    let mut out = Vec::new();
    draw(&mut StripStream::new(&mut out), &Diagram::of(&header, &facts)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn everything_that_can_happen_on_a_terminal() {
    let drawn = text(|out, diagram| write_terminal(out, diagram, 80, Charset::Unicode));
    insta::assert_snapshot!(drawn);
}

#[test]
fn everything_that_can_happen_for_mermaid() {
    insta::assert_snapshot!(text(write_mermaid));
}

#[test]
fn everything_that_can_happen_in_a_document() {
    let drawn = text(|out, diagram| write_svg(out, diagram, Dress::Alone));
    for (class, times) in [
        // The message that is lost, and the marks of a stop, of who gives up, of sets that differ.
        ("class=\"cross\"", 4),
        ("class=\"cut\"", 2),
        ("class=\"down\"", 1),
        ("class=\"slow\"", 1),
        ("class=\"waiting\"", 1),
        ("still on its way</title>", 2),
        ("lost at 11 µs</title>", 1),
    ] {
        assert_eq!(drawn.matches(class).count(), times, "{class}: {drawn}");
    }
    assert!(!drawn.contains("<script>") && !drawn.contains('\u{1b}'));
}

proptest! {
    /// A history that is damaged has what cannot happen: answers before requests, ends of what
    /// never began.
    #[test]
    fn facts_in_any_order_are_drawn(
        order in prop::collection::vec((0_usize..1000, 0_u64..2), 0..80),
        columns in 1_usize..150,
    ) {
        let (header, facts) = history();
        let mut now = 0;
        let facts: Vec<Recorded> = order
            .into_iter()
            .map(|(which, later)| {
                now += later;
                Recorded { at: Time::from_us(now), fact: facts[which % facts.len()].fact.clone() }
            })
            .collect();
        let diagram = Diagram::of(&header, &facts);
        let (columns, mut out) = (Width::Columns(columns).of_pictures(), Vec::new());
        write_terminal(&mut out, &diagram, columns, Charset::Unicode).unwrap();
        write_mermaid(&mut out, &diagram).unwrap();
        write_svg(&mut out, &diagram, Dress::Alone).unwrap();
        let (program, command) = ("passbook draw", "passbook draw h.jsonl");
        let (header, diagram) = (&header, &diagram);
        write_run(&mut out, &RunPage { program, header, verdicts: None, diagram, command }).unwrap();
        prop_assert!(String::from_utf8(out).is_ok());
    }
}
