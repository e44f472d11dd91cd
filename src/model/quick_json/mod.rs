//! Reads plain JSON quickly: in one pass, with its keys and texts borrowed, and its numbers as they
//! stand. Whatever is not plain is left to `serde_json`; so is all that is wrong: here it is enough
//! that something is.

mod cursor;
mod digits;
mod plain_text;
mod reading;

pub(crate) use reading::{WRITTEN, read, read_bytes};
