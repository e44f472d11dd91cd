//! Pictures in a page: cones, and the whole where it is not too much.

use std::io::{self, Write};

use super::slices;
use crate::report::diagram::{Diagram, Dress, LIMITS, write_svg};
use crate::report::words::count;

/// All of `diagram`: at once, or a slice of it at a time.
pub(super) fn write_whole(out: &mut dyn Write, diagram: &Diagram) -> io::Result<()> {
    if !LIMITS.hold(diagram) {
        return slices::write(out, diagram);
    }
    let messages = count(diagram.messages(), "message");
    // Where a cone stands above, all of it is one click away.
    let (is_open, what) = match diagram.has_cone() {
        true => ("", format!("All {messages}")),
        false => (" open", messages),
    };
    writeln!(out, "<details{is_open}><summary>{what}</summary>")?;
    out.write_all(figure(diagram)?.as_bytes())?;
    writeln!(out, "</details>")
}

/// The picture of `diagram`, as markup.
pub(crate) fn figure(diagram: &Diagram) -> io::Result<String> {
    let mut svg = Vec::new();
    write_svg(&mut svg, diagram, Dress::InPage)?;
    let svg = String::from_utf8_lossy(&svg);
    Ok(format!(
        "<figure class=\"picture\"><div class=\"view\" tabindex=\"0\" role=\"region\" \
         aria-label=\"picture\">\n{svg}</div></figure>\n"
    ))
}
