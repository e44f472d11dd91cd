//! What the library and the program do as a whole, as their users see it: one program, so that the
//! crate is linked once.

mod bank;
mod bank_async;
mod bank_catch_up;
mod batch;
mod batch_rows;
mod check;
mod cli;
mod compare;
mod compare_reports;
mod documents;
mod event_ids;
mod expected_results;
mod facade;
mod generate;
mod generated;
mod guarantees;
mod history;
mod inputs;
mod judge;
mod marks;
mod memory;
mod merge;
mod names;
mod notes;
mod numbers;
mod outputs;
mod runs;
mod scenario_any_text;
mod scenario_dialects;
mod scenario_errors;
mod simulation;
mod story;
mod support;
mod transports;
mod wire_contract;
