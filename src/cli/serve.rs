//! `passbook serve`: the bank behind gRPC, until a signal closes it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, thread};

use serde_json::json;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::secret::{SecretFileError, read_secret, write_secret};
use super::serve_args::{ServeArgs, ServeFormat};
use super::serve_scenario::run_for_clients;
use super::signal::{self, Ending};
use super::terminal::Terminal;
use crate::grpc::seal::{BankKeys, BankSecret, NoRandomness};
use crate::grpc::{BindError, Endpoint, Listener};
use crate::model::number::count;
use crate::model::{BranchId, IdError, LogPosition, Money, Roster, RosterError};
use crate::network::Faults;
use crate::report::weather::struck as struck_in_words;
use crate::run::{
    self, Closing, FinalBalance, LinkOptions, LiveOptions, MemoryBudget, MemoryError, MemoryShare,
    RunConfig, RunError, ServeOptions, UNKEPT_WRITE_TIMES, bank_bytes, begun_life, log_max,
};
use crate::scenario::{Scenario, Settings};
use crate::source::{InputError, read_scenario, read_scenario_line};
use crate::storage::{About, DataFolder, FolderError, KeptBranch};

/// What is said of the secret that a bank keeps in its folder: another one is no help.
const SEALED: &str = "it seals the passbooks of the bank there: put it back as it was, or say with \
                      --bank-secret what seals them from now on; those that customers have are \
                      worth nothing then";

/// Why the bank did not open.
#[derive(Debug, Error)]
enum OpenError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(
        "no port for branch {branch}: {base_port} + {branch} is more than 65535; choose a lower --base-port, or --single-port"
    )]
    NoPort { branch: BranchId, base_port: u16 },
    #[error("branch {0} is named twice by --branch and --peer; each branch is in one place")]
    NamedTwice(BranchId),
    #[error("the scenario's branches are not those of --branch and --peer; name each of them once")]
    OtherBranches,
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Data(#[from] FolderError),
    #[error("{0}{advice}", advice = .0.with_another())]
    Secret(#[from] SecretFileError),
    #[error("{0}; {sealed}", sealed = SEALED)]
    KeptSecret(SecretFileError),
    #[error("there is no bank.secret in {0}; {sealed}", sealed = SEALED)]
    SecretGone(PathBuf),
    #[error("{0} was made by another process at the same time; start this one again")]
    MadeByAnother(PathBuf),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(
        "listening on {0} with peers and without --bank-secret: whoever reaches it could pass for a peer; make one for all processes with 'passbook secret FILE'"
    )]
    NoSecret(IpAddr),
    #[error(
        "branch {branch} is at {address}, which is beyond this machine, and without --bank-secret nothing is proved; make one for all processes with 'passbook secret FILE'"
    )]
    NoSecretFor { branch: BranchId, address: String },
    #[error("{0}")]
    Memory(#[from] MemoryError),
    #[error(
        "the scenario lets things go wrong between branches, which is simulated in one process only; leave `rates`, `nemesis` and `faults` out of it, or --peer"
    )]
    FaultsBetweenProcesses,
    #[error(
        "--data keeps the bank on a disk, and --faults and --nemesis are for one in memory, which its crashes can forget; leave out one of both"
    )]
    FaultsWithData,
    #[error(
        "the scenario says what goes wrong at a moment or to one message, and a served bank has no such moments; leave `faults` out of it, and say with `rates` and `nemesis` what chance brings"
    )]
    Schedule,
    #[error(transparent)]
    Settings(#[from] RunError),
    #[error("the scenario cannot be served")]
    Scenario(#[from] Box<InputError>),
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn serve(args: &ServeArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    if let Some(place) = &args.scenario {
        terminal.before_reading(place, "a scenario");
    }
    let memory = args.memory.budget();
    let opened = live_options(args, terminal).and_then(|(mut bank, secret)| {
        let mut taken = take_memory(args, &mut bank, &memory)?;
        // A folder is made for a bank that can be reached.
        let listeners = listeners(args, &bank)?;
        let kept = kept_branches(args, (&bank, secret.as_ref()), (&memory, &mut taken))?;
        Ok((listeners, bank, kept, taken))
    });
    // What the bank takes is taken as long as it is open; scenarios of clients share the rest.
    let (listeners, bank, kept, _taken) = opened?;
    if kept.is_empty() {
        terminal
            .note("the bank is in memory, and gone when this process ends; --data DIR keeps it");
    }
    if !args.listen.is_loopback() {
        terminal.warning(&format!(
            "listening on {}: there is no authentication yet; whoever reaches it can move money",
            args.listen
        ));
    }
    let ready: Vec<String> =
        listeners.iter().map(|listener| ready_line(args.format, listener)).collect();
    let options = ServeOptions {
        bank,
        kept,
        listeners,
        scenarios: run_for_clients(args.scenarios.into(), memory),
        limits: args.limits.into(),
        origins: args.cors_origin.clone().into(),
    };
    let mut announced = Ok(());
    let stop = signal::listen(Ending::Bounded)?;
    let orphaned = if args.until_stdin_ends { Some(stdin_end()?) } else { None };
    let closing = async {
        announced = wait_for_end(stop, orphaned, || {
            ready.iter().try_for_each(|line| writeln!(terminal.results(), "{line}"))?;
            terminal.flush()
        })
        .await;
    };
    let closed = run::serve(options, closing);
    announced?;
    print_closing(args.format, &closed?, terminal)?;
    Ok(Exit::Holds)
}

impl OpenError {
    fn of_kept_secret(error: SecretFileError) -> Self {
        if error.is_of_what_it_holds() { Self::KeptSecret(error) } else { Self::Secret(error) }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let OpenError::Scenario(error) = error else { return Self::bad_input(error) };
        Self::Input(error)
    }
}

/// Is answered, with an error, when standard input has ended.
fn stdin_end() -> io::Result<oneshot::Receiver<()>> {
    let (open, end) = oneshot::channel();
    // A thread of its own: the runtime would wait for a read that may never return.
    thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        if let Err(error) = io::copy(&mut io::stdin().lock(), &mut io::sink()) {
            log::debug!("standard input ends: {error}");
        }
        drop(open);
    })?;
    Ok(end)
}

/// Says that all is ready, and waits for the end of `stop` or of what is `orphaned`.
async fn wait_for_end(
    stop: CancellationToken,
    orphaned: Option<oneshot::Receiver<()>>,
    ready: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let orphaned = async {
        match orphaned {
            Some(end) => end.await,
            None => std::future::pending().await,
        }
    };
    ready()?;
    tokio::select! {
        () = stop.cancelled() => {}
        _ = orphaned => {}
    }
    Ok(())
}

/// How the bank is opened, and its secret, if that is new and to be kept in its folder.
fn live_options(
    args: &ServeArgs,
    terminal: &mut Terminal,
) -> Result<(LiveOptions, Option<BankSecret>), OpenError> {
    let mut elsewhere = BTreeMap::new();
    for peer in &args.peer {
        if elsewhere.insert(peer.id, peer.endpoint.clone()).is_some()
            || args.branch == Some(peer.id)
        {
            return Err(OpenError::NamedTwice(peer.id));
        }
    }
    let Described { roster, opening_balance, settings } = described(args, &elsewhere)?;
    let config = RunConfig::checked(&settings, &args.settings())?;
    let faults = faults(args, &config, &roster, &elsewhere)?;
    let Secret { secret, is_to_be_kept } = secret(args, terminal)?;
    let keys = BankKeys::new(&secret, bank_name(args), &roster, opening_balance);
    let kept_max = args.limits.kept_max.get();
    let mut branch = config.branch(Some(args.confirm_limit));
    // No sooner than an answer can be here: each that is on its way takes room.
    let there_and_back = config.latencies.extent().saturating_mul(2);
    if let Some(faults) = &faults {
        branch.timeouts.return_limit = Some(args.return_limit);
        branch.timeouts.resend_after = branch.timeouts.resend_after.max(Some(there_and_back));
        tell_faults(faults, terminal);
    }
    // What goes to a branch elsewhere its link bounds; in memory nobody keeps another waiting.
    if elsewhere.is_empty() && (faults.is_some() || args.data.is_some()) {
        branch.kept_max = Some(kept_max);
    }
    let LinkOptions { resend_after, .. } = LinkOptions::default();
    let resend_after = resend_after.max(there_and_back);
    let bank = LiveOptions {
        roster,
        opening_balance,
        life: begun_life(),
        // How many writes it may hold is set when it is known what memory there is.
        branch,
        guarantees: config.guarantees,
        latencies: config.latencies,
        faults,
        seed: config.seed,
        keys,
        elsewhere,
        links: LinkOptions { kept_max, return_limit: args.return_limit, resend_after },
        sessions_max: args.limits.sessions_max.get(),
    };
    Ok((bank, is_to_be_kept.then_some(secret)))
}

/// What goes wrong on purpose in the bank of `roster`, if anything does.
fn faults(
    args: &ServeArgs,
    config: &RunConfig,
    roster: &Roster,
    elsewhere: &BTreeMap<BranchId, Endpoint>,
) -> Result<Option<Box<Faults>>, OpenError> {
    let Some(faults) = config.faults.clone().filter(|faults| **faults != Faults::default()) else {
        return Ok(None);
    };
    if !faults.schedule.is_empty() {
        return Err(OpenError::Schedule);
    }
    if !elsewhere.is_empty() {
        return Err(OpenError::FaultsBetweenProcesses);
    }
    if args.data.is_some() {
        return Err(OpenError::FaultsWithData);
    }
    faults.check(roster).map_err(RunError::from)?;
    Ok(Some(faults))
}

/// Says that things go wrong, for a variable of the environment may have asked for it.
fn tell_faults(faults: &Faults, terminal: &mut Terminal) {
    let rates = (!faults.rates.are_none()).then(|| faults.rates.to_string());
    let nemesis = faults.nemesis.as_ref().map(ToString::to_string);
    let all: Vec<String> = rates.into_iter().chain(nemesis).collect();
    terminal.warning(&format!(
        "things go wrong between the branches on purpose, as long as the bank is open: {}",
        all.join("; ")
    ));
}

/// The files of the branches that live here, where there is a folder for them. They may hold more
/// writes than the branches take, as long as there is memory for them.
fn kept_branches(
    args: &ServeArgs,
    (bank, new_secret): (&LiveOptions, Option<&BankSecret>),
    (memory, taken): (&MemoryBudget, &mut Vec<MemoryShare>),
) -> Result<Vec<KeptBranch>, OpenError> {
    let Some(path) = &args.data else { return Ok(Vec::new()) };
    let LiveOptions { opening_balance, elsewhere, .. } = bank;
    let roster = bank.roster_of(&[]);
    let here = roster.ids().iter().filter(|id| !elsewhere.contains_key(id));
    let about = |&branch: &BranchId| About {
        bank: bank_name(args).to_owned(),
        branch,
        roster: Roster::clone(&roster),
        opening_balance: *opening_balance,
    };
    let asked: Vec<About> = here.map(about).collect();
    let branches = count(asked.len());
    let planned = bank.branch.log_max.map_or(0, LogPosition::get);
    let more = log_max(memory.left(), branches, 0).get();
    let folder = DataFolder::at(path)?.with_writes_max(LogPosition::new(planned + more));
    if let Some(secret) = new_secret {
        match write_secret(&folder.secret(), secret) {
            Err(SecretFileError::Exists { path }) => return Err(OpenError::MadeByAnother(path)),
            written => written?,
        }
    }
    let kept = folder.open_all(&asked)?;
    let longest = kept.iter().map(|kept| kept.writes().get()).max().unwrap_or_default();
    if longest > planned {
        taken.push(memory.take_for_logs(LogPosition::new(longest - planned), branches)?);
    }
    Ok(kept)
}

fn bank_name(args: &ServeArgs) -> &str {
    args.bank_name.as_deref().unwrap_or("passbook")
}

/// Takes what the bank needs: for its branches, and for the writes that they may hold. Where the
/// arguments do not say how many, that is what has room in half of what is left.
fn take_memory(
    args: &ServeArgs,
    bank: &mut LiveOptions,
    memory: &MemoryBudget,
) -> Result<Vec<MemoryShare>, OpenError> {
    let branches = memory.try_take(bank_bytes(count(bank.roster.len())))?;
    let here = count(bank.roster.len() - bank.elsewhere.len());
    let kept_max = count(bank.links.kept_max);
    let is_bounded = bank.branch.kept_max.is_some();
    let others = if is_bounded { here - 1 } else { count(bank.elsewhere.len()) };
    let times = if is_bounded && args.data.is_some() { UNKEPT_WRITE_TIMES } else { 1 };
    let under_way = kept_max.saturating_mul(others).saturating_mul(times);
    let fitting = || log_max(memory.left() / 2, here, under_way);
    let log_max = args.limits.log_max.map_or_else(fitting, LogPosition::new);
    bank.branch.log_max = Some(log_max);
    Ok(vec![branches, memory.take_for_logs(log_max, here)?])
}

/// A bank as the arguments or a scenario describe it.
struct Described {
    roster: Arc<Roster>,
    opening_balance: Money,
    settings: Settings,
}

fn described(
    args: &ServeArgs,
    elsewhere: &BTreeMap<BranchId, Endpoint>,
) -> Result<Described, OpenError> {
    let named: Vec<BranchId> = args.branch.into_iter().chain(elsewhere.keys().copied()).collect();
    let Some(place) = &args.scenario else {
        let roster = if named.is_empty() {
            let numbered = (1..=i64::from(args.branches)).map(BranchId::new);
            Roster::new(numbered.collect::<Result<Vec<_>, _>>()?)?
        } else {
            Roster::new(named)?
        };
        let (roster, opening_balance) = (Arc::new(roster), args.balance);
        return Ok(Described { roster, opening_balance, settings: Settings::default() });
    };
    let document_max = args.document.document_max;
    let scenario = match args.until_stdin_ends && place.is_stdin() && !place.is_line() {
        true => read_scenario_line(document_max),
        false => read_scenario(place, document_max, None),
    };
    let scenario = scenario.map_err(Box::new)?;
    if !named.is_empty() && Roster::new(named)? != *scenario.roster {
        return Err(OpenError::OtherBranches);
    }
    let Scenario { roster, opening_balance, settings, .. } = scenario;
    Ok(Described { roster, opening_balance, settings })
}

/// What seals the passbooks of a bank.
struct Secret {
    secret: BankSecret,
    is_to_be_kept: bool,
}

/// What seals the passbooks of this bank. One that lives in one process and has no secret of its
/// own gets another each time it opens: its passbooks are worth nothing when it has closed.
fn secret(args: &ServeArgs, terminal: &mut Terminal) -> Result<Secret, OpenError> {
    let given = |secret| Secret { secret, is_to_be_kept: false };
    if let Some(path) = &args.bank_secret {
        return Ok(given(read_secret(path, terminal)?));
    }
    if args.peer.is_empty() {
        return match &args.data {
            Some(path) => kept_secret(path, terminal),
            None => Ok(given(BankSecret::random()?)),
        };
    }
    if !args.listen.is_loopback() {
        return Err(OpenError::NoSecret(args.listen));
    }
    if let Some(peer) = args.peer.iter().find(|peer| !peer.endpoint.is_loopback()) {
        let address = peer.endpoint.address().to_owned();
        return Err(OpenError::NoSecretFor { branch: peer.id, address });
    }
    terminal.warning(
        "without --bank-secret nothing is proved: any program on this machine can make passbooks of \
         this bank and pass for a peer; make one for all processes with 'passbook secret FILE'",
    );
    Ok(given(BankSecret::public()))
}

/// The secret that a bank keeps in its folder; a new one where no branch is there yet.
fn kept_secret(path: &Path, terminal: &mut Terminal) -> Result<Secret, OpenError> {
    let new = || Ok(Secret { secret: BankSecret::random()?, is_to_be_kept: true });
    if !path.exists() {
        return new();
    }
    let folder = DataFolder::existing(path)?;
    if folder.secret().exists() {
        let secret = read_secret(&folder.secret(), terminal).map_err(OpenError::of_kept_secret)?;
        Ok(Secret { secret, is_to_be_kept: false })
    } else if folder.branches()?.is_empty() {
        new()
    } else {
        Err(OpenError::SecretGone(path.to_owned()))
    }
}

/// Binds every listener before anything is served.
fn listeners(args: &ServeArgs, bank: &LiveOptions) -> Result<Vec<Listener>, OpenError> {
    if let Some(port) = args.single_port {
        let address = SocketAddr::new(args.listen, port);
        return Ok(vec![Listener::bind(address, args.branch)?]);
    }
    let here = bank.roster.ids().iter().filter(|id| !bank.elsewhere.contains_key(id));
    let bind = |&branch: &BranchId| {
        let no_port = OpenError::NoPort { branch, base_port: args.base_port };
        let port = match args.base_port {
            0 => 0,
            base_port => u16::try_from(u32::from(base_port).saturating_add(branch.get()))
                .map_err(|_| no_port)?,
        };
        Ok(Listener::bind(SocketAddr::new(args.listen, port), Some(branch))?)
    };
    here.map(bind).collect()
}

fn ready_line(format: ServeFormat, listener: &Listener) -> String {
    let address = listener.address();
    match (format, listener.branch()) {
        (ServeFormat::Json, branch) => {
            json!({ "branch": branch, "address": address.to_string() }).to_string()
        }
        (ServeFormat::Text, Some(branch)) => format!("branch {branch} listens on {address}"),
        (ServeFormat::Text, None) => format!("all branches listen on {address}"),
    }
}

fn print_closing(
    format: ServeFormat,
    closing: &Closing,
    terminal: &mut Terminal,
) -> io::Result<()> {
    let Closing { balances, turned_away, struck } = closing;
    let out = terminal.results();
    match format {
        ServeFormat::Json => {
            let row = |last: &FinalBalance| json!({ "branch": last.branch, "balance": last.balance.map(Money::decimal) });
            let rows: Vec<_> = balances.iter().map(row).collect();
            let mut told = json!({ "balances": rows, "turned_away": turned_away });
            if let Some(struck) = struck {
                told["faults"] = json!(struck);
            }
            writeln!(out, "{told}")?;
        }
        ServeFormat::Text => {
            for &FinalBalance { branch, balance } in balances {
                let balance = balance
                    .map_or_else(|| "out of range".to_owned(), |balance| balance.to_string());
                writeln!(out, "branch {branch} closes with {balance}")?;
            }
            match turned_away {
                0 => {}
                1 => writeln!(out, "1 request was refused as unavailable")?,
                more => writeln!(out, "{more} requests were refused as unavailable")?,
            }
            if let Some(struck) = struck {
                let told = struck_in_words(struck);
                let told = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
                writeln!(out, "went wrong on purpose: {told}")?;
            }
        }
    }
    terminal.flush()
}
