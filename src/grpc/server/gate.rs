//! Whether requests are let in.

/// Whether requests are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They wait: the branch asks its peers for what it may have forgotten, and serves nobody yet.
    Returning,
    /// They are.
    Open,
    /// They are turned away: the bank is closing.
    Draining,
}
