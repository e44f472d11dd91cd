//! The file of counts: on which machine they were made, and how many instructions each workload
//! needs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workload::Workload;

/// What a count depends on beside the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine(String);

/// Instructions by workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) machine: Machine,
    pub(crate) instructions: BTreeMap<String, u64>,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let rustc = first_line(Command::new("rustc").arg("--version"));
        let libc = first_line(Command::new("ldd").arg("--version"));
        let valgrind = first_line(Command::new("valgrind").arg("--version"));
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let avx2 = if cpu.contains(" avx2 ") { "avx2" } else { "no avx2" };
        Self(format!("{rustc}; {libc}; {valgrind}; {}, {avx2}", std::env::consts::ARCH))
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn first_line(command: &mut Command) -> String {
    let told = command.output().map(|told| told.stdout).unwrap_or_default();
    String::from_utf8_lossy(&told).lines().next().unwrap_or("unknown").to_owned()
}

impl Counts {
    /// The counts that the project keeps.
    ///
    /// Panics where the file is not as [`Counts::keep`] writes it.
    pub(crate) fn kept() -> Self {
        let text = fs::read_to_string(path()).expect("the file of counts can be read");
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let machine = lines.next().and_then(|line| line.strip_prefix("machine "));
        let machine = Machine(machine.expect("its first line names the machine").to_owned());
        let instructions = lines.map(|line| {
            let (name, count) = line.split_once(' ').expect("a name and a count");
            let count = count.trim().replace(',', "").parse().expect("a count");
            (name.to_owned(), count)
        });
        Self { machine, instructions: instructions.collect() }
    }

    /// Writes the file anew.
    pub(crate) fn keep(&self) {
        let mut text = String::from(
            "# Instructions under callgrind. Written by `cargo bench --bench instructions -- --write`.\n",
        );
        writeln!(text, "machine {}", self.machine).expect("a string takes all");
        for name in Workload::ALL.map(Workload::name) {
            let count = grouped(self.instructions.get(name).copied().unwrap_or_default());
            writeln!(text, "{name} {count}").expect("a string takes all");
        }
        fs::write(path(), text).expect("the file of counts can be written");
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/counts.txt")
}

/// `59940` as `59,940`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
