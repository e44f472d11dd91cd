//! What a comparison runs on.

use std::{fs, thread};

use super::Machine;

impl Machine {
    /// This one.
    pub(super) fn this() -> Self {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = information.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "model name").then(|| value.trim().to_owned())
        });
        Self {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor,
            threads: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
