//! How far something is that takes long, on standard error: a bar where that is a terminal, else a
//! line now and then.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn.
const EVERY: Duration = Duration::from_millis(100);
const DRAWS_PER_SECOND: u8 = 10;

/// Shows how far something is.
pub(crate) struct Meter {
    form: Form,
    begun: Instant,
    told: Instant,
}

/// In what form.
enum Form {
    /// A terminal has a bar.
    Bar(ProgressBar),
    /// Others, such as the log of a CI server, have a line after each such span of time.
    Lines { every: Duration, length: Option<u64> },
}

/// Where the bar stands, and what is told beside it.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) position: u64,
    pub(crate) told: String,
    /// What the position is of, where no bar shows how much of it is done: `read`.
    pub(crate) done: &'static str,
}

impl Meter {
    /// It is at its end at `length`; `None` if that is not known. Without a terminal, there is a
    /// line after `every` span of time.
    pub(crate) fn open(length: Option<u64>, every: Duration) -> Self {
        let now = now();
        let form = if io::stderr().is_terminal() {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
            Form::Bar(ProgressBar::with_draw_target(length, target).with_style(style(length)))
        } else {
            Form::Lines { every, length }
        };
        Self { form, begun: now, told: now }
    }

    /// To be told now and then: draws what `read` says of the time that it took if it is time to, or
    /// returns a line.
    pub(crate) fn look(&mut self, read: impl FnOnce(Duration) -> Reading) -> Option<String> {
        let now = now();
        let every = match self.form {
            Form::Bar(_) => EVERY,
            Form::Lines { every, .. } => every,
        };
        if now.duration_since(self.told) < every {
            return None;
        }
        self.told = now;
        let Reading { position, told, done } = read(now.duration_since(self.begun));
        match &self.form {
            Form::Bar(bar) => {
                bar.set_message(told);
                match bar.length() {
                    Some(_) => bar.set_position(position),
                    None => bar.tick(),
                }
                None
            }
            Form::Lines { length: None, .. } => Some(told),
            Form::Lines { length: Some(length), .. } => {
                Some(format!("{told}, {} % {done}", percent(position, *length)))
            }
        }
    }

    /// Takes the bar away, and says how long all took.
    pub(crate) fn close(self) -> Duration {
        match self.form {
            Form::Bar(bar) => bar.finish_and_clear(),
            Form::Lines { .. } => {}
        }
        self.begun.elapsed()
    }
}

fn style(length: Option<u64>) -> ProgressStyle {
    let template = match length {
        Some(_) => "{wide_bar} {percent:>3} %  {msg}  {eta} left",
        None => "{spinner} {msg}",
    };
    ProgressStyle::with_template(template).expect("a template that a test reads")
}

/// How much of `all` is in `part`.
fn percent(part: u64, all: u64) -> u64 {
    let hundredths = u128::from(part) * 100 / u128::from(all.max(1));
    u64::try_from(hundredths).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "it tells how long something takes")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_template_and_a_line_a_share() {
        for length in [Some(10), None] {
            style(length);
        }
        assert_eq!([percent(1, 3), percent(3, 3), percent(0, 0)], [33, 100, 0]);
    }
}
