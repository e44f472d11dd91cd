//! What the machine did: processor time and context switches of processes, as Linux counts them for
//! each thread. Elsewhere it is not known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What each thread of some processes has used so far.
#[derive(Debug, Default)]
pub(super) struct Usage {
    threads: BTreeMap<(u32, String), ResourceUsage>,
}

/// What was used, by a thread or by all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ResourceUsage {
    pub(super) processor_ns: u64,
    pub(super) context_switches: u64,
}

impl Usage {
    /// What the threads of `processes` have used; `None` where the system does not tell.
    pub(super) fn read(processes: &[u32]) -> Option<Self> {
        // A thread that runs is billed when it gives its processor up.
        std::thread::yield_now();
        let mut threads = BTreeMap::new();
        for &process in processes {
            for entry in fs::read_dir(format!("/proc/{process}/task")).ok()? {
                let entry = entry.ok()?;
                let (path, name) = (entry.path(), entry.file_name());
                // One that cannot be read has ended since it was listed.
                if let Some(thread) = ResourceUsage::read(&path) {
                    threads.insert((process, name.to_string_lossy().into_owned()), thread);
                }
            }
        }
        (!threads.is_empty()).then_some(Self { threads })
    }

    /// What was used since `earlier`. Threads that ended meanwhile are left out.
    pub(super) fn since(&self, earlier: &Self) -> ResourceUsage {
        let mut sum = ResourceUsage::default();
        for (name, thread) in &self.threads {
            let before = earlier.threads.get(name).copied().unwrap_or_default();
            sum.processor_ns += thread.processor_ns.saturating_sub(before.processor_ns);
            let switches = thread.context_switches.saturating_sub(before.context_switches);
            sum.context_switches += switches;
        }
        sum
    }
}

impl ResourceUsage {
    fn read(path: &Path) -> Option<Self> {
        let schedstat = fs::read_to_string(path.join("schedstat")).ok()?;
        let status = fs::read_to_string(path.join("status")).ok()?;
        Self::parse(&schedstat, &status)
    }

    fn parse(schedstat: &str, status: &str) -> Option<Self> {
        let processor_ns = schedstat.split_whitespace().next()?.parse().ok()?;
        let count = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line?.trim().parse().ok()
        };
        let context_switches =
            count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?;
        Some(Self { processor_ns, context_switches })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Name:\tpassbook
voluntary_ctxt_switches:\t2450
nonvoluntary_ctxt_switches:\t33
";

    #[test]
    fn a_thread_is_read_as_linux_writes_it() {
        let expected = ResourceUsage { processor_ns: 2_827_619, context_switches: 2483 };
        assert_eq!(ResourceUsage::parse("2827619 1042 17\n", STATUS), Some(expected));
        assert_eq!(ResourceUsage::parse("", STATUS), None);
        assert_eq!(ResourceUsage::parse("2827619 1042 17\n", "Name:\tpassbook\n"), None);
    }

    #[test]
    fn what_was_used_is_a_difference_and_a_new_thread_counts_whole() {
        let usage = |threads: &[(&str, u64, u64)]| Usage {
            threads: threads
                .iter()
                .map(|&(name, processor_ns, context_switches)| {
                    ((7, name.to_owned()), ResourceUsage { processor_ns, context_switches })
                })
                .collect(),
        };
        let earlier = usage(&[("1", 100, 5), ("2", 900, 50)]);
        let later = usage(&[("1", 150, 6), ("3", 30, 2)]);
        let expected = ResourceUsage { processor_ns: 80, context_switches: 3 };
        assert_eq!(later.since(&earlier), expected);
    }
}
