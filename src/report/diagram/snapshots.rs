//! Pictures of a history in which everything happens once.

use anstream::StripStream;

use super::{Charset, Diagram, Dress, write_mermaid, write_svg, write_terminal};
use crate::report::convert::fixture::history;

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
