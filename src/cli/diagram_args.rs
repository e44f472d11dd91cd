//! How a picture is drawn on a terminal.

use std::io::{self, Write};

use clap::Args;

use crate::report::Width;
use crate::report::diagram::{Charset, Diagram, write_terminal};

#[derive(Debug, Clone, Args)]
pub(super) struct DiagramArgs {
    /// Draw what happened below the report, time running down (text)
    #[arg(long)]
    diagram: bool,

    /// Draw with characters of ASCII alone
    #[arg(long, requires = "diagram")]
    ascii: bool,
}

impl DiagramArgs {
    pub(super) const fn is_wanted(&self) -> bool {
        self.diagram
    }

    pub(super) fn draw(
        &self,
        out: &mut dyn Write,
        diagram: &Diagram,
        width: Width,
    ) -> io::Result<()> {
        let charset = if self.ascii { Charset::Ascii } else { Charset::Unicode };
        write_terminal(out, diagram, width.of_pictures(), charset)
    }
}
