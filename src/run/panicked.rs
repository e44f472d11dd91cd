//! What a run that panicked says of it.

use std::any::Any;

/// What is said of a panic that says nothing itself.
const SILENT: &str = "no message";

/// The message of a panic that was caught.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or(SILENT)
}
