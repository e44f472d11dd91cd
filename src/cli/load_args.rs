//! The arguments on which the run of a seed depends, wherever it is run.

use std::num::NonZeroU32;

use clap::Args;

use super::document_args::DocumentArgs;
use super::memory_args::MemoryArgs;
use super::settings_args::CommonSettingsArgs;
use super::words::one_of;
use crate::model::CustomerOrder;
use crate::scenario::Settings;
use crate::scenario::generate::Between;
use crate::simulate::LoadSize;

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// How many branches a bank has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().branches)]
    #[arg(conflicts_with = "scenario")]
    branches: Between<NonZeroU32>,

    /// How many customers it has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().customers)]
    #[arg(conflicts_with = "scenario")]
    customers: Between<NonZeroU32>,

    /// How many events each customer has
    #[arg(long, value_name = "RANGE", default_value_t = LoadSize::default().events)]
    #[arg(conflicts_with = "scenario")]
    events: Between<NonZeroU32>,

    /// When customers make their visits [default: as the scenario says, else concurrent]
    #[arg(long, value_name = "ORDER", value_parser = one_of::<CustomerOrder>())]
    customer_order: Option<CustomerOrder>,

    #[command(flatten)]
    settings: CommonSettingsArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,
}

impl LoadArgs {
    /// How much each seed has where it makes its own scenario.
    pub(super) fn size(&self) -> LoadSize {
        let &Self { branches, customers, events, .. } = self;
        LoadSize { branches, customers, events }
    }

    /// What overrides the settings of scenarios.
    pub(super) fn overrides(&self) -> Settings {
        Settings { customers: self.customer_order, ..self.settings.overrides() }
    }

    /// The options of a command line that does the same again, but for the seed.
    pub(super) fn options(&self, has_own_scenarios: bool) -> Vec<String> {
        let mut words = Vec::new();
        if has_own_scenarios {
            let (size, usual) = (self.size(), LoadSize::default());
            let changed = |name: &str, range: Between<NonZeroU32>, usual: Between<NonZeroU32>| {
                (range != usual).then(|| format!("--{name} {range}"))
            };
            words.extend(changed("branches", size.branches, usual.branches));
            words.extend(changed("customers", size.customers, usual.customers));
            words.extend(changed("events", size.events, usual.events));
        }
        words.extend(self.customer_order.map(|order| format!("--customer-order {order}")));
        words.extend(self.settings.options());
        words.extend(self.document.options());
        words.extend(self.memory.option());
        words
    }
}
