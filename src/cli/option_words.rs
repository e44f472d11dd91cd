//! Options that stand in a text, or came with a share, and not on the command line: no variable of the
//! environment stands for any of them, and what is wrong is a part of what another message says.

use clap::builder::{OsStr, Resettable};
use clap::{Args, FromArgMatches};

/// Reads the options `words`.
pub(super) fn parse_option_words<A: Args + FromArgMatches>(words: &[String]) -> Result<A, String> {
    let command = clap::Command::new("passbook").no_binary_name(true).disable_help_flag(true);
    let command = A::augment_args(command).mut_args(|arg| arg.env(Resettable::<OsStr>::Reset));
    let parsed =
        command.try_get_matches_from(words).and_then(|matches| A::from_arg_matches(&matches));
    parsed.map_err(|error| on_one_line(&error))
}

/// What is wrong, without the usage.
fn on_one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\n").next().unwrap_or_default();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Args)]
    struct Some {
        #[arg(long, value_parser = ["red", "blue"])]
        color: String,

        #[arg(long)]
        size: Option<u8>,
    }

    #[test]
    fn what_is_wrong_is_one_line_with_nothing_after_it() {
        for (words, told) in [
            (&[][..], "the following required arguments were not provided: --color <COLOR>"),
            (
                &["--color"],
                "a value is required for '--color <COLOR>' but none was supplied [possible values: red, blue]",
            ),
            (
                &["--color", "red", "--size", "x"],
                "invalid value 'x' for '--size <SIZE>': invalid digit found in string",
            ),
            (&["--color=red", "--sise=1"], "unexpected argument '--sise' found"),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(parse_option_words::<Some>(&words).unwrap_err(), told);
        }
    }
}
