//! How much memory runs may take: as the arguments say, else as the machine allows.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::model::ByteSize;
use crate::run::MemoryBudget;

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct MemoryArgs {
    /// How much memory may be taken; what would take more, by an estimate, is refused before it
    /// begins [default: half of what the machine or its control group allows]
    #[arg(long, value_name = "SIZE", env = "PASSBOOK_MEMORY_MAX", hide_env_values = true)]
    memory_max: Option<ByteSize>,
}

impl MemoryArgs {
    pub(super) fn budget(self) -> MemoryBudget {
        MemoryBudget::new(self.max())
    }

    /// How much may be taken.
    pub(super) fn max(self) -> ByteSize {
        self.memory_max.unwrap_or_else(half_of_what_is_allowed)
    }

    /// The option of a command line that does the same again.
    pub(super) fn option(self) -> Option<String> {
        self.memory_max.map(|size| format!("--memory-max {size}"))
    }
}

/// So much is allowed on the smallest machine.
const LEAST_BYTES: u64 = 64 * MEBIBYTE;

const MEBIBYTE: u64 = 1 << 20;

/// Half of the smaller of the machine's memory and the limits of the control groups around this
/// process, in whole mebibytes; anything where nobody says.
fn half_of_what_is_allowed() -> ByteSize {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let memory = read(Path::new("/proc/meminfo")).as_deref().and_then(memory_of_machine);
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups).into_iter().filter_map(|file| limit_in(&read(&file)?));
    let half = |allowed: u64| (allowed / 2 / MEBIBYTE * MEBIBYTE).max(LEAST_BYTES);
    ByteSize::new(limits.chain(memory).min().map_or(u64::MAX, half))
}

/// `MemTotal:  24576000 kB`.
fn memory_of_machine(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The files with the limits of the groups that `/proc/self/cgroup` names, and of all groups around
/// them. In a container a group is often seen as the root.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let around = |mount: &str, group: &str, file: &str| -> Vec<PathBuf> {
        let groups = Path::new(group.trim_start_matches('/')).ancestors();
        groups.map(|group| Path::new(mount).join(group).join(file)).collect()
    };
    groups
        .lines()
        .filter_map(|line| {
            let (_, named) = line.split_once(':')?;
            let (controllers, group) = named.split_once(':')?;
            if controllers.is_empty() {
                Some(around("/sys/fs/cgroup", group, "memory.max"))
            } else if controllers.split(',').any(|controller| controller == "memory") {
                Some(around("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
            } else {
                None
            }
        })
        .flatten()
        .collect()
}

/// `max` is none.
fn limit_in(file: &str) -> Option<u64> {
    file.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_the_machine_is_read() {
        let meminfo = "MemTotal:       24576000 kB\nMemFree:         1000000 kB\n";
        assert_eq!(memory_of_machine(meminfo), Some(24_576_000 * 1024));
        assert_eq!(memory_of_machine("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn the_groups_of_both_versions_and_those_around_them_have_limits() {
        let files = |groups: &str| -> Vec<String> {
            limit_files(groups).iter().map(|file| file.display().to_string()).collect()
        };
        assert_eq!(
            files("0::/user.slice/a.service\n"),
            [
                "/sys/fs/cgroup/user.slice/a.service/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(
            files("12:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n1:name=systemd:/docker/1\n"),
            [
                "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes"
            ]
        );
        assert_eq!((limit_in("max\n"), limit_in("1073741824\n")), (None, Some(1 << 30)));
    }
}
