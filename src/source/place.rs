//! The name that stands for standard input.

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// Whether `path` stands for standard input.
pub(crate) fn is_stdin(path: &std::path::Path) -> bool {
    path.as_os_str() == STDIN
}
