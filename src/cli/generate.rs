//! `passbook generate`: scenarios from a seed, as lines or as files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use thiserror::Error;

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::new_file::NewFile;
use super::number::whole;
use super::terminal::Terminal;
use super::words::one_of;
use crate::model::{Amount, CustomerOrder, Dialect, Guarantees, Money, Propagation, Seed};
use crate::network::Latency;
use crate::scenario::Scenario;
use crate::scenario::generate::{
    Amounts, Between, GenerateError, GenerateOptions, Generator, Mix, Skew,
};
use crate::source::{Outputs, is_stdin};

const EXAMPLES: &str = "\
Examples:
  passbook generate | passbook run -
  passbook generate --count 1000 --seed 7 > scenarios.jsonl
  passbook generate --count 1000 --first 3001 --seed 7     the fourth thousand of them
  passbook generate --count 20 --branches 2..5 --events 3..10 --directory scenarios
  passbook generate --customers 3 --customer-order concurrent --decodable --final-query
  passbook generate --expected balances --output graded.jsonl --count 100

A RANGE is a number, or two such as 2..10 for anything between, both included.
The same options make the same scenarios on every machine. More in docs/GENERATE.md.";

/// Scenario numbers stay below this, so that none runs out of range.
const NUMBER_MAX: u64 = 1 << 53;

#[derive(Debug, Clone, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::GENERATE))]
pub(super) struct GenerateArgs {
    /// How many scenarios
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 1)]
    #[arg(value_parser = whole::<u64>(1..=NUMBER_MAX))]
    pub(super) count: u64,

    /// The number of the first; each can be made without those before it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    #[arg(value_parser = whole::<u64>(1..=NUMBER_MAX))]
    pub(super) first: u64,

    /// What everything is drawn from
    #[arg(long, value_name = "NUMBER", default_value_t = GenerateOptions::default().seed.0)]
    #[arg(env = "PASSBOOK_SEED", hide_env_values = true)]
    #[arg(value_parser = whole::<u64>(0..=u64::MAX))]
    seed: u64,

    /// How many branches a scenario has
    #[arg(long, value_name = "RANGE", default_value_t = GenerateOptions::default().branches)]
    branches: Between<NonZeroU32>,

    /// How many customers a scenario has
    #[arg(long, value_name = "RANGE", default_value_t = GenerateOptions::default().customers)]
    customers: Between<NonZeroU32>,

    /// How many events each customer has
    #[arg(long, value_name = "RANGE", default_value_t = GenerateOptions::default().events)]
    events: Between<NonZeroU32>,

    /// Give each customer one more event, a query at the end
    #[arg(long)]
    final_query: bool,

    /// What customers ask for, in proportion
    #[arg(long, default_value_t = GenerateOptions::default().mix)]
    mix: Mix,

    /// What they deposit and withdraw: whole units where both ends are, else cents
    #[arg(long, value_name = "RANGE", default_value = "1..100", conflicts_with = "decodable")]
    amount: Between<Amount>,

    /// Let the writes of a scenario move 1, 2, 4, 8 and so on, so that a balance tells which of
    /// them are in it
    #[arg(long)]
    decodable: bool,

    /// What each branch holds at the start
    #[arg(long, value_name = "MONEY", allow_negative_numbers = true)]
    #[arg(default_value_t = GenerateOptions::default().opening_balance)]
    balance: Money,

    /// How likely it is that a customer goes to another branch for the next event
    #[arg(long, value_name = "PERCENT", default_value_t = GenerateOptions::default().hop_percent)]
    #[arg(value_parser = whole::<u32>(0..=100))]
    hop: u32,

    /// How much customers prefer branches with low ids: the exponent of Zipf's law; 0 is not at all
    #[arg(long, value_name = "EXPONENT", allow_negative_numbers = true)]
    #[arg(default_value_t = GenerateOptions::default().skew)]
    skew: Skew,

    /// What the scenarios say of how a write reaches the other branches [default: nothing]
    #[arg(long, value_name = "WHEN", value_parser = one_of::<Propagation>())]
    propagation: Option<Propagation>,

    /// What they say that every customer is promised: all, none, or some of ryw,mr,mw,wfr
    /// [default: nothing]
    #[arg(long, value_name = "SET")]
    guarantees: Option<Guarantees>,

    /// What they say of how long messages between branches take: none, constant:20ms,
    /// uniform:1ms..50ms or exponential:10ms [default: nothing]
    #[arg(long)]
    latency: Option<Latency>,

    /// What they say of when customers make their visits [default: nothing]
    #[arg(long, value_name = "ORDER", value_parser = one_of::<CustomerOrder>())]
    customer_order: Option<CustomerOrder>,

    /// Add what customers must see; not with async propagation, nor with concurrent customers
    #[arg(long, value_name = "DIALECT", value_parser = one_of::<Dialect>())]
    expected: Option<Dialect>,

    /// Write them to this file, a line each [default: standard output]
    #[arg(long, short, value_name = "FILE", group = "place")]
    pub(super) output: Option<PathBuf>,

    /// Write each to a file of its own in this directory
    #[arg(long, short, value_name = "DIR", group = "place")]
    pub(super) directory: Option<PathBuf>,

    /// Overwrite the file, or files in the directory
    #[arg(long, requires = "place")]
    pub(super) force: bool,
}

impl GenerateArgs {
    /// What the scenarios are to be like.
    pub(super) fn options(&self) -> GenerateOptions {
        GenerateOptions {
            seed: Seed(self.seed),
            branches: self.branches,
            customers: self.customers,
            events: self.events,
            final_query: self.final_query,
            mix: self.mix,
            amounts: if self.decodable { Amounts::Decodable } else { Amounts::Drawn(self.amount) },
            opening_balance: self.balance,
            hop_percent: self.hop,
            skew: self.skew,
            propagation: self.propagation,
            guarantees: self.guarantees,
            latency: self.latency,
            customer_order: self.customer_order,
            expected: self.expected,
        }
    }
}

/// Why scenarios are not where they should be.
#[derive(Debug, Error)]
enum OutputError {
    #[error("{path} exists already; name another file, or overwrite it with --force")]
    Exists { path: PathBuf },
    #[error("{path} is not empty; name another directory, or overwrite files in it with --force")]
    NotEmpty { path: PathBuf },
    #[error("cannot write to {path}: it is not a directory")]
    NotADirectory { path: PathBuf },
    #[error("cannot write to {path}: {reason}")]
    CannotOpen { path: PathBuf, reason: io::Error },
    #[error("cannot write {path}: {reason}")]
    Lost { path: PathBuf, reason: io::Error },
}

/// Makes the scenarios that `args` ask for.
pub(super) fn generate(args: &GenerateArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let generator = Generator::new(args.options()).map_err(|error| refused(&error))?;
    let named = args.output.as_deref().filter(|file| !is_stdin(file));
    Outputs::new(named)?;
    match (&args.directory, named) {
        (Some(directory), _) => write_files(&generator, args, directory)?,
        (None, Some(file)) => write_file(&generator, args, file)?,
        (None, None) => write_lines(&generator, args, terminal.results())?,
    }
    Ok(Exit::Holds)
}

/// Why there are no such scenarios, with the option that says so.
pub(super) fn refused(error: &GenerateError) -> Failure {
    Failure::bad_input(format!("{}: {error}", option_of(error)))
}

/// The option that an error is about.
const fn option_of(error: &GenerateError) -> &'static str {
    match error {
        GenerateError::TooManyBranches { .. } => "--branches",
        GenerateError::TooManyEvents { .. } => "--events",
        GenerateError::TooManyWrites { .. } => "--decodable",
        GenerateError::BalanceOutOfRange { .. } => "--amount",
        GenerateError::NegativeBalance { .. } => "--balance",
        GenerateError::ExpectedOfConcurrent | GenerateError::ExpectedOfAsync => "--expected",
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Lost { reason, .. } if reason.kind() == io::ErrorKind::BrokenPipe => {
                Self::Output(reason)
            }
            OutputError::Exists { .. }
            | OutputError::NotEmpty { .. }
            | OutputError::NotADirectory { .. }
            | OutputError::CannotOpen { .. } => Self::bad_input(error),
            OutputError::Lost { .. } => Self::internal(error),
        }
    }
}

fn scenarios(generator: &Generator, args: &GenerateArgs) -> impl Iterator<Item = Scenario> {
    (args.first..args.first + args.count).map(|number| generator.scenario(number))
}

fn write_lines(generator: &Generator, args: &GenerateArgs, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    for scenario in scenarios(generator, args) {
        line.clear();
        serde_json::to_writer(&mut line, &scenario)?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    out.flush()
}

/// A pipe or a device is no loss if it is there already, and neither is an empty file.
fn write_file(generator: &Generator, args: &GenerateArgs, path: &Path) -> Result<(), OutputError> {
    let holds_something = path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    if holds_something && !args.force {
        return Err(OutputError::Exists { path: path.to_owned() });
    }
    let (new, file) = NewFile::create(path)
        .map_err(|reason| OutputError::CannotOpen { path: path.to_owned(), reason })?;
    write_lines(generator, args, &mut BufWriter::with_capacity(1 << 16, file))
        .and_then(|()| new.finish())
        .map_err(|reason| OutputError::Lost { path: path.to_owned(), reason })
}

fn write_files(
    generator: &Generator,
    args: &GenerateArgs,
    directory: &Path,
) -> Result<(), OutputError> {
    let path = directory.to_owned();
    if directory.is_file() {
        return Err(OutputError::NotADirectory { path });
    }
    match is_empty(directory) {
        Ok(true) => {}
        Ok(false) if args.force => {}
        Ok(false) => return Err(OutputError::NotEmpty { path }),
        Err(reason) => return Err(OutputError::CannotOpen { path, reason }),
    }
    let mut text = Vec::new();
    for scenario in scenarios(generator, args) {
        let path = directory.join(format!("{}.json", scenario.name));
        text.clear();
        let written = serde_json::to_writer(&mut text, &scenario).map_err(io::Error::from);
        text.push(b'\n');
        let written = written.and_then(|()| match args.force {
            true => NewFile::write(&path, &text),
            // Whatever has come there since stays.
            false => File::create_new(&path)?.write_all(&text),
        });
        written.map_err(|reason| OutputError::Lost { path, reason })?;
    }
    Ok(())
}

/// Whether there is nothing in `directory`, which is made if it does not exist.
fn is_empty(directory: &Path) -> io::Result<bool> {
    fs::create_dir_all(directory)?;
    Ok(fs::read_dir(directory)?.next().is_none())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::args::{Cli, Command};
    use super::*;

    fn parse(line: &str) -> GenerateArgs {
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let Command::Generate(args) = cli.command else { panic!("generate") };
        args
    }

    #[test]
    fn the_help_of_generate() {
        // As wide as the widest, whatever terminal the tests run in.
        let command = Cli::command().term_width(100);
        let help = command.try_get_matches_from(["passbook", "generate", "-h"]).unwrap_err();
        insta::assert_snapshot!(help.to_string());
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        // The environment may say another seed.
        let defaults = GenerateOptions { seed: Seed(0), ..GenerateOptions::default() };
        assert_eq!(parse("passbook generate --seed 0").options(), defaults);
    }

    #[test]
    fn every_option_is_heeded() {
        let args = parse(
            "passbook generate --seed 9 --branches 2..3 --customers 4 --events 5..6 --final-query \
             --mix query=1 --amount 1..2.5 --balance 3 --hop 7 --skew 0.5 --propagation sync \
             --guarantees none --latency constant:1ms --customer-order in-order --expected customers",
        );
        let options = GenerateOptions {
            seed: Seed(9),
            branches: "2..3".parse().unwrap(),
            customers: "4".parse().unwrap(),
            events: "5..6".parse().unwrap(),
            final_query: true,
            mix: Mix::new(0, 0, 1).unwrap(),
            amounts: Amounts::Drawn("1..2.5".parse().unwrap()),
            opening_balance: Money::from_minor(300),
            hop_percent: 7,
            skew: "0.5".parse().unwrap(),
            propagation: Some(Propagation::Sync),
            guarantees: Some(Guarantees::NONE),
            latency: Some("constant:1ms".parse().unwrap()),
            customer_order: Some(CustomerOrder::InOrder),
            expected: Some(Dialect::Customers),
        };
        assert_eq!(args.options(), options);
        assert_eq!(parse("passbook generate --decodable").options().amounts, Amounts::Decodable);
    }
}
