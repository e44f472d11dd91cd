//! The `passbook` program: parses the arguments, runs, and returns the exit code.

use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    passbook::cli::run(std::env::args_os())
}
