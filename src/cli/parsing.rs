//! Parses the arguments and the variables of the environment that stand for them. What is wrong is
//! told in plain words, with the variable that says it.

use std::ffi::OsString;

use clap::builder::{OsStr, Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, FromArgMatches};

use super::args::Cli;
use crate::grpc::without_user_info;

/// What the values are called that are or have numbers. Such a value may begin with a minus: then
/// it is that value which is wrong, and no other option is meant.
const NUMBERS: [&str; 15] = [
    "BYTES", "EXPONENT", "ID", "ID=URL", "LATENCY", "MIX", "MONEY", "N", "NUMBER", "PERCENT",
    "PORT", "RANGE", "SHARE", "SIZE", "SPAN",
];

impl Cli {
    /// Parses `args`, with the checks that clap cannot be told of.
    pub(super) fn parse_checked(
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let args: Vec<OsString> = args.into_iter().collect();
        parse(command(), &args).map_err(|error| without_users(plainly(error, &args)))
    }
}

/// The arguments, as clap is to read them.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        command.mut_args(|arg| {
            let is_number = takes_number(&arg);
            if is_number { arg.allow_hyphen_values(true) } else { arg }
        })
    })
}

fn takes_number(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    !arg.is_positional() && names.iter().any(|name| NUMBERS.contains(&name.as_str()))
}

fn parse(mut command: clap::Command, args: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    match cli.command.conflict() {
        Some(conflict) => Err(command.error(ErrorKind::ArgumentConflict, conflict)),
        None => Ok(cli),
    }
}

/// The same without advice that leads nowhere, and with the variable that is at fault.
fn plainly(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    if !error.use_stderr() {
        return error;
    }
    // To take `-q` for a file is hardly ever meant.
    let is_of_a_value = |tip: &StyledStr| tip.to_string().contains("as a value, use");
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested)
        && tips.iter().any(is_of_a_value)
    {
        error.remove(ContextKind::Suggested);
    }
    let Some(Variable { name, stands_for }) = variable_at_fault(&error, args) else {
        return error;
    };
    let tip = format!("{name} of the environment stands for {stands_for}");
    if error.context().next().is_none() {
        // One of ours, which is a text.
        let text = error.to_string();
        let text = text.lines().next().unwrap_or_default();
        let text = text.strip_prefix("error: ").unwrap_or(text);
        return command().error(error.kind(), format!("{text}; {tip}"));
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// The same without users and passwords of URLs.
fn without_users(mut error: clap::Error) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let arg = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    let is_of_a_url = ["URL>", "ORIGIN>"].iter().any(|name| arg.ends_with(name));
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand]
    {
        if let Some(text) = text(&error, kind).filter(|text| is_of_a_url || text.contains("://")) {
            error.insert(kind, ContextValue::String(without_user_info(&text)));
        }
    }
    error
}

/// A variable of the environment that stands for an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Variable {
    name: String,
    stands_for: String,
}

/// The variable without which there would not be this `error`.
fn variable_at_fault(error: &clap::Error, args: &[OsString]) -> Option<Variable> {
    let told = essence(error);
    let is_at_fault = |variable: &Variable| {
        let without = command_without(&variable.name);
        parse(without, args).err().is_none_or(|error| essence(&error) != told)
    };
    let all = variables();
    all.into_iter().filter(|variable| std::env::var_os(&variable.name).is_some()).find(is_at_fault)
}

/// What it says, without the usage, which depends on what else is given.
fn essence(error: &clap::Error) -> String {
    let text = error.to_string();
    text.split("\n\nUsage:").next().unwrap_or_default().to_owned()
}

/// All that there are.
fn variables() -> Vec<Variable> {
    let command = command();
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    let variable = |arg: &Arg| {
        let name = arg.get_env()?.to_str()?.to_owned();
        Some(Variable { name, stands_for: format!("--{}", arg.get_long()?) })
    };
    let mut all: Vec<_> =
        commands.flat_map(clap::Command::get_arguments).filter_map(variable).collect();
    all.sort();
    all.dedup();
    all
}

/// The arguments, which heed all variables but the one called `name`.
fn command_without(name: &str) -> clap::Command {
    let forget = |arg: Arg| {
        let is_it = arg.get_env().is_some_and(|env| env == name);
        if is_it { arg.env(Resettable::<OsStr>::Reset) } else { arg }
    };
    command().mut_args(forget).mut_subcommands(|command| command.mut_args(forget))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit_codes::ExitCodes;

    /// What the values are called that are words, names, places or addresses.
    const WORDS: [&str; 22] = [
        "ADDRESS",
        "DIALECT",
        "DIR",
        "FILE",
        "FORMAT",
        "HOW",
        "KINDS",
        "LIST",
        "NAME",
        "OPTIONS",
        "ORDER",
        "ORIGIN",
        "PATTERN",
        "RATES",
        "ROWS",
        "POLICY",
        "SET",
        "TRANSPORT",
        "URL",
        "WHEN",
        "WHICH",
        "SHELL",
    ];

    /// What is no number, or none that anything takes.
    const NO_NUMBERS: [&str; 8] =
        ["x", "", "1.5.5", "-1x", "--", "99999999999999999999999999999999999999999", "∞", "1e999"];

    /// Every command but `help`, with all that clap adds to it.
    fn commands() -> Vec<clap::Command> {
        let mut all = command();
        all.build();
        all.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect()
    }

    /// The arguments that a command cannot do without.
    fn needed(command: &clap::Command) -> Vec<String> {
        let positional = command.get_positionals().filter(|arg| arg.is_required_set());
        positional.map(|_| "a.json".to_owned()).collect()
    }

    fn told(command: &clap::Command, option: &str) -> Option<String> {
        let line = ["passbook", command.get_name(), option].map(str::to_owned);
        let args = line.into_iter().chain(needed(command)).map(OsString::from);
        Cli::parse_checked(args).err().map(|error| error.to_string())
    }

    #[test]
    fn a_value_that_is_no_number_is_told_in_plain_words_by_every_option() {
        let mut tried = 0;
        for command in &commands() {
            for arg in command.get_arguments().filter(|arg| takes_number(arg)) {
                let long = arg.get_long().expect("an option");
                for value in ["0", "-1", "-1s", "-q"].into_iter().chain(NO_NUMBERS) {
                    let Some(told) = told(command, &format!("--{long}={value}")) else {
                        // Zero is a number, and some are below it; a rate that nothing can keep is told
                        // with what else cannot be measured.
                        let is_number = ["0", "-1"].contains(&value) || long == "rate";
                        assert!(is_number, "--{long}={value} is taken");
                        continue;
                    };
                    let is_required = told.contains("required arguments were not provided")
                        || told.contains("cannot be used with");
                    if is_required {
                        continue;
                    }
                    tried += 1;
                    if value.is_empty() {
                        assert!(told.contains(&format!("--{long}")), "{told}");
                        continue;
                    }
                    assert!(
                        told.contains(&format!("invalid value '{value}' for '--{long} <")),
                        "{told}"
                    );
                    for jargon in
                        ["invalid digit", "not in", "non-zero", "literal", "too large to", "-- "]
                    {
                        assert!(!told.contains(jargon), "{jargon}: {told}");
                    }
                }
            }
        }
        assert!(tried > 300, "{tried}");
    }

    #[test]
    fn a_value_that_begins_with_a_minus_is_no_other_option() {
        for command in &commands() {
            for arg in command.get_arguments().filter(|arg| takes_number(arg)) {
                let long = arg.get_long().expect("an option");
                for value in ["-1s", "-q"] {
                    let line = ["passbook", command.get_name(), &format!("--{long}"), value];
                    let line = line.map(OsString::from);
                    let error = Cli::parse_checked(line).unwrap_err().to_string();
                    assert!(error.contains(&format!("'{value}' for '--{long} <")), "{error}");
                }
            }
        }
    }

    #[test]
    fn each_option_takes_a_number_or_a_word() {
        for command in &commands() {
            for arg in command.get_opts() {
                let names = arg.get_value_names().unwrap_or_default();
                let is_known = |name: &str| NUMBERS.contains(&name) || WORDS.contains(&name);
                assert!(names.iter().all(|name| is_known(name)), "{}: {names:?}", arg.get_id());
            }
        }
    }

    #[test]
    fn an_option_that_there_is_not_is_no_file() {
        for line in ["batch -q a.json", "run --sed 1 a.json", "merge -x", "check -9 a.jsonl"] {
            let line = format!("passbook {line}");
            let error = Cli::parse_checked(line.split(' ').map(OsString::from)).unwrap_err();
            let told = error.to_string();
            assert!(told.contains("unexpected argument"), "{told}");
            assert!(!told.contains("as a value"), "{told}");
        }
    }

    #[test]
    fn the_help_of_every_command_lists_its_exit_codes() {
        for command in &mut commands() {
            let help = command.render_long_help().to_string();
            let codes = help.split_once("Exit codes:\n").map(|(_, codes)| codes.to_owned());
            let codes = codes.unwrap_or_else(|| panic!("{}: {help}", command.get_name()));
            // A signal is how these are meant to end.
            let is_served = ["serve", "worker"].contains(&command.get_name());
            let ended: &[&str] = if is_served { &[] } else { &["130", "143"] };
            for code in ["0", "2", "70"].iter().chain(ended) {
                let line = format!("{code:>4}  ");
                assert!(codes.lines().any(|of| of.starts_with(&line)), "{code}: {help}");
            }
        }
        assert!(ExitCodes::ALL.to_string().contains("\n 143  "));
    }
}
