//! What a command may be given: files, packed or not, folders, globs, lines, standard input.

mod clash;
mod decoding;
mod discovery;
mod document;
mod kind;
pub(crate) mod lines;
mod place;
mod scenarios;

pub(crate) use clash::{Clash, Outputs, own_stream};
pub use decoding::Packing;
pub(crate) use decoding::{Decoded, decoded};
pub(crate) use discovery::{
    FileKind, FilesError, Input, Inputs, ScenarioFile, Survey, expected_results,
};
pub(crate) use document::DocumentError;
pub(crate) use kind::{Kind, OtherKind};
pub(crate) use lines::Text;
pub(crate) use place::{Place, STDIN, is_stdin};
pub(crate) use scenarios::{
    InputError, expect_what_says, expect_what_stands_beside, parse_scenario, read_scenario,
    read_scenario_line, read_text, scenario_beside, what_stands_beside,
};
