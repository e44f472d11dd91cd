//! The options of `passbook generate` as a text, for a batch that makes its scenarios itself.

use super::generate::GenerateArgs;
use super::option_words::parse_option_words;
use crate::scenario::generate::{GenerateError, Generator};

/// What `passbook generate` is asked for, without where it goes.
#[derive(Debug, Clone)]
pub(super) struct GeneratedArgs {
    /// As they were given, but for how many there are and which is the first.
    pub(super) options: Vec<String>,
    pub(super) args: GenerateArgs,
}

impl GeneratedArgs {
    pub(super) fn generator(&self) -> Result<Generator, GenerateError> {
        Generator::new(self.args.options())
    }

    /// How many events a scenario has at most.
    pub(super) fn events_most(&self) -> u64 {
        let options = self.args.options();
        u64::from(options.customers.max().get()) * u64::from(options.events.max().get())
    }
}

/// Reads options as they stand on a command line, with spaces between.
pub(super) fn parse_generated(text: &str) -> Result<GeneratedArgs, String> {
    parse_words(text.split_whitespace().map(str::to_owned).collect())
}

/// The same of single words.
pub(super) fn parse_words(options: Vec<String>) -> Result<GeneratedArgs, String> {
    let args: GenerateArgs = parse_option_words(&options)?;
    if args.output.is_some() || args.directory.is_some() {
        return Err("they are written nowhere: leave --output and --directory out".to_owned());
    }
    Ok(GeneratedArgs { options, args })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_generate() {
        let wanted = parse_generated("--count 20 --seed 7  --customers 2..3 --events 4").unwrap();
        assert_eq!((wanted.args.count, wanted.args.first, wanted.events_most()), (20, 1, 12));
        assert_eq!(wanted.args.options().seed.0, 7);
        assert_eq!(parse_words(wanted.options.clone()).unwrap().args.count, 20);
    }

    #[test]
    fn what_is_no_option_of_generate_is_told() {
        let told = |text: &str| parse_generated(text).unwrap_err();
        assert!(told("--cuont 1").starts_with("unexpected argument '--cuont' found"));
        assert!(told("--count 0").contains("write a whole number"), "{}", told("--count 0"));
        assert!(told("--output a").starts_with("they are written nowhere"));
    }
}
