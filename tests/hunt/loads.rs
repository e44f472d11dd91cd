//! What is simulated: banks, customers and weather that together come to every part of a branch.

use std::time::Duration;

use passbook::Scenario;
use passbook::model::{
    CustomerOrder, Durability, Guarantees, Money, Overdraft, Propagation, QueryTiming, Seed,
};
use passbook::network::{Latency, NemesisKinds, Rates};
use passbook::scenario::generate::{GenerateOptions, Generator};
use passbook::scenario::{FoulWeather, NemesisSettings, Settings};
use passbook::simulate::{Load, LoadSize};

use crate::forgetful::with_forgetful_branches;
use crate::repeated_ids::{with_falling_ids, with_repeated_ids, with_retries};

/// What is run with each seed, and what the bank promises in it.
pub(crate) struct HuntLoad {
    pub(crate) name: &'static str,
    pub(crate) customers: Customers,
    pub(crate) settings: Settings,
}

/// What customers ask for.
#[derive(Clone, Copy)]
pub(crate) enum Customers {
    /// As `simulate` has it without a scenario.
    Usual(&'static str),
    /// They withdraw more than there is.
    Poor(&'static str),
    /// They bear ids that they have used, with the same content or another.
    Repeating(&'static str),
    /// Both.
    PoorAndRepeating(&'static str),
    /// Branches stop often, and keep a part of what they had.
    OfForgetfulBranches(&'static str),
    /// Their ids fall now and then.
    Falling(&'static str),
    /// They ask twice for everything.
    AskingAgain(&'static str),
}

/// So many seeds run the same scenario, where the generator of `simulate` cannot make it.
pub(crate) const SEEDS_OF_ONE: u64 = 16;

const FOUL: &str = "loss=0.05,duplicate=0.05,reorder";
const ALL_KINDS: &str = "partition,crash,amnesia,slow";
const KINDS_THAT_KEEP: &str = "partition,crash,slow";

/// Branches, customers, events.
const USUAL: &str = "3 2 10";

impl HuntLoad {
    fn of(name: &'static str, customers: Customers, settings: Settings) -> Self {
        Self { name, customers, settings }
    }

    /// What customers are promised.
    pub(crate) fn promised(&self) -> Guarantees {
        self.settings.guarantees.unwrap_or(Guarantees::ALL)
    }

    /// Whether a request may come to its wait limit: where nothing that goes wrong lasts as long, none
    /// does.
    pub(crate) fn may_wait_in_vain(&self) -> bool {
        let weather = self.settings.foul_weather.as_deref();
        let lasts_long = weather.is_some_and(|weather| weather.nemesis.duration.is_some());
        self.settings.wait_limit.is_some() || lasts_long
    }

    /// What runs the seeds that follow `seed`, and how many of them.
    pub(crate) fn from(&self, seed: u64) -> (Load, u64) {
        let made = |scenario| (Load::given(scenario), SEEDS_OF_ONE - seed % SEEDS_OF_ONE);
        let number = seed / SEEDS_OF_ONE + 1;
        match self.customers {
            Customers::Usual(text) => {
                let load = Load::generated(size(text)).expect("a bank that can be");
                (load, u64::MAX - seed)
            }
            Customers::Poor(text) => made(usual_settings(poor(text, number))),
            Customers::PoorAndRepeating(text) => {
                made(usual_settings(with_repeated_ids(poor(text, number), Seed(number))))
            }
            Customers::OfForgetfulBranches(text) => {
                let scenario = usual_settings(generated(text, number));
                made(with_forgetful_branches(scenario, Seed(number)))
            }
            Customers::Falling(text) => {
                made(usual_settings(with_falling_ids(generated(text, number), Seed(number))))
            }
            Customers::AskingAgain(text) => {
                made(usual_settings(with_retries(generated(text, number), Seed(number))))
            }
            Customers::Repeating(text) => {
                made(usual_settings(with_repeated_ids(generated(text, number), Seed(number))))
            }
        }
    }
}

pub(crate) fn loads() -> Vec<HuntLoad> {
    let all = [
        in_fair_weather(),
        in_foul_weather(),
        in_foul_weather_asking_again(),
        in_foul_weather_on_disks(),
        with_less_promised(),
        in_other_banks(),
    ];
    all.into_iter().flatten().collect()
}

fn in_fair_weather() -> Vec<HuntLoad> {
    let usual = Customers::Usual(USUAL);
    vec![
        HuntLoad::of("fair, async", usual, Settings::default()),
        HuntLoad::of("fair, sync", usual, sync()),
        HuntLoad::of(
            "in order, no lag, sync",
            Customers::Usual("2..4 3 8"),
            Settings {
                customers: Some(CustomerOrder::InOrder),
                latency: Some(Latency::None),
                ..sync()
            },
        ),
        HuntLoad::of(
            "queries after settling, async",
            usual,
            Settings { queries: Some(QueryTiming::AfterSettling), ..Settings::default() },
        ),
        HuntLoad::of(
            "overdraft refused, async",
            Customers::Poor(USUAL),
            reject(Settings::default()),
        ),
        HuntLoad::of("overdraft refused, sync", Customers::Poor(USUAL), reject(sync())),
        HuntLoad::of(
            "overdraft refused, ids repeated, async",
            Customers::PoorAndRepeating(USUAL),
            reject(Settings::default()),
        ),
        HuntLoad::of(
            "overdraft refused, ids repeated, sync",
            Customers::PoorAndRepeating(USUAL),
            reject(sync()),
        ),
        HuntLoad::of("ids that fall, async", Customers::Falling(USUAL), Settings::default()),
        HuntLoad::of("ids that fall, sync", Customers::Falling(USUAL), sync()),
        HuntLoad::of("ids repeated, async", Customers::Repeating(USUAL), Settings::default()),
        HuntLoad::of("ids repeated, sync", Customers::Repeating(USUAL), sync()),
        HuntLoad::of("short wait limit, async", usual, waiting(5)),
        HuntLoad::of(
            "short wait limit, sync",
            Customers::Usual("3 4 10"),
            Settings { wait_limit: Some(Duration::from_millis(5)), ..sync() },
        ),
    ]
}

fn in_foul_weather() -> Vec<HuntLoad> {
    let usual = Customers::Usual(USUAL);
    vec![
        HuntLoad::of("foul, async", usual, foul(FOUL, KINDS_THAT_KEEP, Settings::default())),
        HuntLoad::of("foul, sync", usual, foul(FOUL, KINDS_THAT_KEEP, sync())),
        HuntLoad::of("amnesia, async", usual, foul(FOUL, ALL_KINDS, Settings::default())),
        HuntLoad::of("amnesia, sync", usual, foul(FOUL, ALL_KINDS, sync())),
        HuntLoad::of(
            "much amnesia, async",
            usual,
            foul("loss=0.2", "amnesia", Settings::default()),
        ),
        HuntLoad::of("much amnesia, sync", usual, foul("loss=0.2", "amnesia", sync())),
        HuntLoad::of(
            "loss alone, sync",
            usual,
            only_rates("loss=0.3,duplicate=0.2,reorder", sync()),
        ),
        HuntLoad::of("long partitions, sync", usual, long_partitions(sync(), "partition,amnesia")),
        HuntLoad::of(
            "long partitions, async",
            usual,
            long_partitions(waiting(40), "partition,amnesia"),
        ),
        HuntLoad::of("long partitions alone, sync", usual, long_partitions(sync(), "partition")),
        HuntLoad::of(
            "overdraft refused, foul, sync",
            Customers::Poor(USUAL),
            reject(foul(FOUL, ALL_KINDS, sync())),
        ),
        HuntLoad::of(
            "overdraft refused, foul, async",
            Customers::Poor(USUAL),
            reject(foul(FOUL, ALL_KINDS, Settings::default())),
        ),
        HuntLoad::of(
            "ids repeated, foul, async",
            Customers::Repeating(USUAL),
            foul(FOUL, KINDS_THAT_KEEP, Settings::default()),
        ),
        HuntLoad::of(
            "ids repeated, foul, sync",
            Customers::Repeating(USUAL),
            foul(FOUL, KINDS_THAT_KEEP, sync()),
        ),
    ]
}

fn in_foul_weather_asking_again() -> Vec<HuntLoad> {
    let again = Customers::AskingAgain("3 2 8");
    let forgetful = Customers::OfForgetfulBranches("2..3 2 10");
    let amnesia = |rates: &str, settings| foul(rates, ALL_KINDS, settings);
    vec![
        HuntLoad::of(
            "forgetful, async",
            forgetful,
            only_rates("loss=0.1,reorder", Settings::default()),
        ),
        HuntLoad::of("forgetful, sync", forgetful, only_rates("loss=0.1,reorder", sync())),
        HuntLoad::of("forgetful, much loss, sync", forgetful, only_rates("loss=0.4", sync())),
        HuntLoad::of("asked again, sync", again, sync()),
        HuntLoad::of("asked again, foul, sync", again, foul(FOUL, KINDS_THAT_KEEP, sync())),
        HuntLoad::of("asked again, amnesia, async", again, amnesia(FOUL, Settings::default())),
        HuntLoad::of("asked again, amnesia, sync", again, amnesia("loss=0.2", sync())),
    ]
}

fn in_foul_weather_on_disks() -> Vec<HuntLoad> {
    let crash = |settings| on_disk(foul(FOUL, "partition,crash", settings));
    vec![
        HuntLoad::of("disks, async", Customers::Usual(USUAL), crash(Settings::default())),
        HuntLoad::of("disks, sync", Customers::Usual(USUAL), crash(sync())),
        HuntLoad::of(
            "disks, poor, ids repeated, async",
            Customers::PoorAndRepeating("2 2 8"),
            crash(reject(Settings::default())),
        ),
        HuntLoad::of("disks, asked again, sync", Customers::AskingAgain("3 2 8"), crash(sync())),
    ]
}

fn with_less_promised() -> Vec<HuntLoad> {
    let usual = Customers::Usual(USUAL);
    let fair = Settings::default();
    vec![
        HuntLoad::of("ryw, async", usual, promised("ryw", fair.clone())),
        HuntLoad::of("mr, async", usual, promised("mr", fair.clone())),
        HuntLoad::of("mw, async", usual, promised("mw", fair.clone())),
        HuntLoad::of("wfr, async", usual, promised("wfr", fair)),
        HuntLoad::of("none, sync", usual, promised("none", sync())),
        HuntLoad::of(
            "ids repeated, none, async",
            Customers::Repeating(USUAL),
            promised("none", foul(FOUL, KINDS_THAT_KEEP, Settings::default())),
        ),
        HuntLoad::of(
            "ids repeated, none, sync",
            Customers::Repeating(USUAL),
            promised("none", foul(FOUL, KINDS_THAT_KEEP, sync())),
        ),
    ]
}

fn in_other_banks() -> Vec<HuntLoad> {
    vec![
        HuntLoad::of("one branch", Customers::Usual("1 2 10"), sync()),
        HuntLoad::of(
            "twenty branches, async",
            Customers::Usual("20 4 8"),
            foul(FOUL, ALL_KINDS, Settings::default()),
        ),
        HuntLoad::of(
            "twenty branches, fair, async",
            Customers::Usual("20 4 8"),
            Settings::default(),
        ),
        HuntLoad::of(
            "many writes, sync",
            Customers::Repeating("2 1 120"),
            foul(FOUL, KINDS_THAT_KEEP, sync()),
        ),
        HuntLoad::of(
            "many writes, async",
            Customers::Usual("3 2 120"),
            foul("reorder", "crash", Settings::default()),
        ),
    ]
}

fn promised(guarantees: &str, settings: Settings) -> Settings {
    Settings { guarantees: Some(parsed(guarantees)), ..settings }
}

fn sync() -> Settings {
    Settings { propagation: Some(Propagation::Sync), ..Settings::default() }
}

fn reject(settings: Settings) -> Settings {
    Settings { overdraft: Some(Overdraft::Reject), ..settings }
}

fn on_disk(settings: Settings) -> Settings {
    Settings { durability: Some(Durability::Disk), ..settings }
}

fn waiting(ms: u64) -> Settings {
    Settings { wait_limit: Some(Duration::from_millis(ms)), ..Settings::default() }
}

fn foul(rates: &str, kinds: &str, settings: Settings) -> Settings {
    let kinds: NemesisKinds = parsed(kinds);
    let nemesis = NemesisSettings { kinds: Some(kinds), ..NemesisSettings::default() };
    let rates: Rates = parsed(rates);
    let weather = FoulWeather { rates: Some(rates), nemesis, ..FoulWeather::default() };
    Settings { foul_weather: Some(Box::new(weather)), ..settings }
}

fn only_rates(rates: &str, settings: Settings) -> Settings {
    let rates: Rates = parsed(rates);
    let weather = FoulWeather { rates: Some(rates), ..FoulWeather::default() };
    Settings { foul_weather: Some(Box::new(weather)), ..settings }
}

/// They last longer than anybody waits.
fn long_partitions(settings: Settings, kinds: &str) -> Settings {
    let kinds: NemesisKinds = parsed(kinds);
    let nemesis = NemesisSettings {
        kinds: Some(kinds),
        interval: Some(Duration::from_secs(2)),
        duration: Some(Duration::from_secs(4)),
    };
    let think = Some(Latency::Exponential(Duration::from_millis(700)));
    let weather = FoulWeather { nemesis, think, ..FoulWeather::default() };
    Settings { foul_weather: Some(Box::new(weather)), ..settings }
}

fn size(text: &str) -> LoadSize {
    let mut numbers = text.split(' ').map(parsed);
    let mut next = || numbers.next().expect("branches, customers, events");
    LoadSize { branches: next(), customers: next(), events: next() }
}

fn options(text: &str) -> GenerateOptions {
    let LoadSize { branches, customers, events } = size(text);
    GenerateOptions { branches, customers, events, ..GenerateOptions::default() }
}

fn generated(text: &str, number: u64) -> Scenario {
    Generator::new(options(text)).expect("a bank that can be").scenario(number)
}

fn poor(text: &str, number: u64) -> Scenario {
    let options = GenerateOptions {
        opening_balance: Money::from_minor(6_000),
        mix: parsed("deposit=30,withdraw=50,query=20"),
        ..options(text)
    };
    Generator::new(options).expect("a bank that can be").scenario(number)
}

/// With the settings that `simulate` gives what it generates.
fn usual_settings(scenario: Scenario) -> Scenario {
    let load = Load::generated(LoadSize::default()).expect("a bank that can be");
    Scenario { settings: load.scenario(0).settings, ..scenario }
}

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is none"))
}
