//! What each command says of its exit codes in its help: the one table of them.

use std::fmt;

/// The exit codes of a command, each with what it means there.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExitCodes(&'static [(u8, &'static str)]);

const HOLDS: (u8, &str) = (0, "everything holds");
const VIOLATED: (u8, &str) = (1, "a guarantee is violated, or the result is not the expected one");
const WRONG_ARGUMENTS: (u8, &str) = (2, "the arguments are wrong");
const DEFECT: (u8, &str) = (70, "a defect of passbook, or results that could not be written");
const UNAVAILABLE: (u8, &str) =
    (69, "the NATS server cannot be reached, went away or is full; the same command goes on");
const INTERRUPTED: (u8, &str) = (130, "ended by Ctrl-C; what was done is kept");
const TERMINATED: (u8, &str) = (143, "ended by SIGTERM; what was done is kept");

impl ExitCodes {
    /// Of the program: what the codes mean wherever they come up.
    pub(super) const ALL: Self = Self(&[
        HOLDS,
        (
            1,
            "a guarantee is violated, or the result is not the expected one (batch: or a scenario \
             failed)",
        ),
        (2, "the arguments or a scenario are wrong"),
        (
            3,
            "undecided: nothing could be tested (check: no guarantee; --strict: not every property)",
        ),
        UNAVAILABLE,
        DEFECT,
        (130, "ended by Ctrl-C; what was done is kept (serve: 0)"),
        (143, "ended by SIGTERM; what was done is kept (serve: 0)"),
    ]);

    pub(super) const RUN: Self = Self(&[
        HOLDS,
        VIOLATED,
        (2, "the arguments or a scenario are wrong"),
        (3, "undecided: nothing could be tested (--strict: not every property)"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const BATCH: Self = Self(&[
        (0, "every scenario holds"),
        (1, "a scenario failed: violated, not as expected, or an error"),
        (2, "the arguments or the inputs are wrong, and nothing has run"),
        (3, "undecided: no scenario failed, but in some nothing could be tested, or none was run"),
        UNAVAILABLE,
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const SIMULATE: Self = Self(&[
        (0, "every seed holds"),
        (1, "a guarantee is violated"),
        (2, "the arguments or the scenario are wrong, and nothing has run"),
        (3, "undecided: nothing could be tested"),
        UNAVAILABLE,
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const CHECK: Self = Self(&[
        HOLDS,
        (1, "a guarantee is violated, or a folder is not as its bank leaves it"),
        (2, "the arguments are wrong, or what they name is no history that can be judged"),
        (3, "undecided: no guarantee could be tested (--strict: not every property)"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const DRAW: Self = Self(&[
        (0, "the picture is drawn"),
        (2, "the arguments are wrong, or what they name is no history that can be judged"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const CONVERT: Self = Self(&[
        (0, "the history is converted"),
        (2, "the arguments are wrong, or what they name is no history that can be converted"),
        DEFECT,
        (130, "ended by Ctrl-C; no file is left"),
        (143, "ended by SIGTERM; no file is left"),
    ]);

    pub(super) const MERGE: Self = Self(&[
        (0, "every scenario holds"),
        (1, "a scenario failed: violated, not as expected, or an error"),
        (2, "the arguments are wrong, or the files do not fit together"),
        (3, "undecided: no scenario failed, but in some nothing could be tested, or none was run"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const SERVE: Self = Self(&[
        (0, "closed by Ctrl-C or SIGTERM, after what was under way was answered"),
        (
            2,
            "the arguments or the scenario are wrong, a port is taken, another process is the branch, or a disk fails",
        ),
        DEFECT,
    ]);

    pub(super) const WORKER: Self = Self(&[
        (0, "ended by Ctrl-C or SIGTERM, after its shares were done or given back"),
        (2, "the arguments are wrong, the server refuses it, or a share is of another version"),
        UNAVAILABLE,
        (70, "a defect of passbook: a share came to two results, which are shown"),
    ]);

    pub(super) const JOBS: Self = Self(&[
        (0, "they are listed, or the job is removed"),
        (2, "the arguments are wrong, the server refuses it, or there is no such job"),
        UNAVAILABLE,
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const SECRET: Self = Self(&[
        (0, "the secret is made"),
        (2, "the arguments are wrong, or the file is there already or cannot be written"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const COMPARE: Self = Self(&[
        (0, "the comparison is shown"),
        (1, "--fail-above: slower than the baseline by more than that"),
        (2, "the arguments, the scenario or the baseline are wrong"),
        (70, "a defect of passbook, a bank that ended early, or results that could not be written"),
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const GENERATE: Self = Self(&[
        (0, "the scenarios are made"),
        WRONG_ARGUMENTS,
        (70, "a defect of passbook, or scenarios that could not be written"),
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const HEALTH: Self = Self(&[
        (0, "the bank takes requests"),
        (1, "it does not: nothing is there, it is something else, it still opens, or it closes"),
        WRONG_ARGUMENTS,
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    pub(super) const MAN: Self = Self(&[
        (0, "the pages are written"),
        (2, "the arguments are wrong, or the folder cannot be written"),
        DEFECT,
        INTERRUPTED,
        TERMINATED,
    ]);

    /// Of what prints one thing and is done.
    pub(super) const PRINTS: Self =
        Self(&[(0, "it is printed"), WRONG_ARGUMENTS, DEFECT, INTERRUPTED, TERMINATED]);
}

/// As the help has it: a line each, below a title.
impl fmt::Display for ExitCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exit codes:")?;
        self.0.iter().try_for_each(|(code, meaning)| write!(f, "\n{code:>4}  {meaning}"))
    }
}
