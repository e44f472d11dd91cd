//! The few colours of the text report, and the marks that say the same without colour.

use anstyle::{AnsiColor, Style};

pub(super) const PLAIN: Style = Style::new();
pub(super) const TITLE: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const UNSURE: Style = AnsiColor::Yellow.on_default();

pub(super) const YES: &str = "✓";
pub(super) const NO: &str = "✗";
pub(super) const MAYBE: &str = "?";
