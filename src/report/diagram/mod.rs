//! A run as a space-time diagram: laid out once, as a value, and drawn in several ways.

mod build;
mod cone;
mod faults;
mod layout;
mod limits;
mod mermaid;
mod moments;
#[cfg(feature = "png")]
mod png;
#[cfg(test)]
mod snapshots;
mod svg;
mod terminal;
mod wording;

pub(crate) use build::fact_bytes;
pub(crate) use layout::{Arrow, Carries, Diagram, End, Happening};
pub(crate) use limits::Limits;
pub(crate) use mermaid::write_mermaid;
#[cfg(feature = "png")]
pub(crate) use png::write_png;
pub(crate) use svg::{DEFINITIONS, Dress, LIMITS, STYLE, write_svg};
pub(crate) use terminal::{Charset, write_terminal};
pub(crate) use wording::time;
