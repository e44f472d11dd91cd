//! What to compare, and how far a comparison is.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Load, Transport};
use crate::scenario::Settings;

/// How to compare transports, beyond what the scenario says itself.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// What overrides the scenario's own settings. Lag is not simulated here.
    pub overrides: Settings,
    /// What is compared. A transport may be there twice: the difference is noise then.
    pub transports: Vec<Transport>,
    /// How many rounds of each.
    pub rounds: usize,
    /// About how long a round takes.
    pub round_time: Duration,
    /// How many copies of the scenario's customers there are at the same time, each under other
    /// customer ids. Where customers take turns, those of one copy do: so many requests are under
    /// way at the same time.
    pub copies: usize,
    /// How customers ask.
    pub load: Load,
    /// The program that serves a branch as a process of its own: `passbook`.
    pub program: Option<PathBuf>,
    /// Ends the comparison before its time, when it is cancelled.
    pub stop: CancellationToken,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            overrides: Settings::default(),
            transports: Transport::ALL.into(),
            rounds: 10,
            round_time: Duration::from_millis(110),
            copies: 1,
            load: Load::Closed,
            program: None,
            stop: CancellationToken::new(),
        }
    }
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It finds out how much work makes a round.
    WarmingUp(Transport),
    /// It begins a round.
    Round {
        /// Of this transport.
        transport: Transport,
        /// Which of all rounds, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
}
