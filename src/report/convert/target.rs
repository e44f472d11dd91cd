//! The formats by their names, and the one loop that converts.

use std::io::Write;

use super::chrome::Chrome;
use super::converter::{ConvertError, Converter};
use super::csv::Csv;
use super::elle::Elle;
use super::jepsen::Jepsen;
use super::mermaid::Mermaid;
use super::otlp::Otlp;
use super::perfetto::Perfetto;
use super::plume::Plume;
use super::shiviz::Shiviz;
use crate::history::{Entry, Header, HistoryError};
use crate::model::words;

words! {
    /// A format that a history is converted to.
    pub enum Target {
        /// A sequence diagram of Mermaid.
        Mermaid = "mermaid",
        /// Perfetto's own trace format.
        Perfetto = "perfetto",
        /// Trace events of Chrome, JSON.
        Chrome = "chrome",
        /// A log with vector clocks.
        Shiviz = "shiviz",
        /// A history of Jepsen, EDN.
        Jepsen = "jepsen",
        /// A history of elle-cli's model `list-append`, JSON.
        Elle = "elle",
        /// Plume's text, one operation a transaction.
        Plume = "plume",
        /// Traces of OpenTelemetry, JSON.
        Otlp = "otlp",
        /// A row for each operation.
        Csv = "csv",
    }
}

impl Target {
    /// Whether it is text: what is not belongs in no terminal.
    pub const fn is_text(self) -> bool {
        match self {
            Self::Perfetto => false,
            Self::Mermaid
            | Self::Chrome
            | Self::Shiviz
            | Self::Jepsen
            | Self::Elle
            | Self::Plume
            | Self::Otlp
            | Self::Csv => true,
        }
    }

    fn converter(self, bytes_max: u64) -> Box<dyn Converter> {
        match self {
            Self::Mermaid => Box::new(Mermaid::new(bytes_max)),
            Self::Perfetto => Box::new(Perfetto::default()),
            Self::Chrome => Box::new(Chrome::default()),
            Self::Shiviz => Box::new(Shiviz::default()),
            Self::Jepsen => Box::new(Jepsen::default()),
            Self::Elle => Box::new(Elle::default()),
            Self::Plume => Box::new(Plume::default()),
            Self::Otlp => Box::new(Otlp::default()),
            Self::Csv => Box::new(Csv::default()),
        }
    }
}

/// Writes the history of `header` and `facts` to `out` as `target`. Where that keeps all facts, in
/// no more than `bytes_max` of memory. What is written before an error is no whole file.
pub fn convert(
    target: Target,
    bytes_max: u64,
    out: &mut dyn Write,
    header: &Header,
    facts: impl IntoIterator<Item = Result<Entry, HistoryError>>,
) -> Result<(), ConvertError> {
    let mut converter = target.converter(bytes_max);
    converter.begin(out, header)?;
    for entry in facts {
        converter.add(out, &entry?)?;
    }
    converter.end(out)?;
    Ok(out.flush()?)
}
