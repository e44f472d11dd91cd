//! A history in the formats of other people's tools: a file a format, and what several of them need
//! of the facts beside them. Knows no file and no argument.

mod chrome;
mod condition;
mod converter;
mod csv;
mod elle;
#[cfg(test)]
pub(in crate::report) mod fixture;
mod jepsen;
mod json_list;
mod logs;
mod mermaid;
mod otlp;
mod perfetto;
mod perfetto_proto;
mod plume;
mod requests;
mod shiviz;
mod target;
mod timeline;
mod told;
mod under_way;

pub use converter::ConvertError;
pub use target::{Target, convert};
