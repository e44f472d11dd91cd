//! Names, paths and other words of strangers, in everything that the program says: none of them
//! does anything to a terminal, a page, a table or a shell, and where a format can hold one it is
//! whole.

mod commands;
mod errors;
mod formats;
pub(crate) mod hostile;
