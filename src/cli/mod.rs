//! The command line: parses arguments, runs a command, and turns its result into an exit code.

mod args;
mod batch;
mod batch_args;
mod check;
mod compare;
mod compare_output;
mod completions;
mod connect_args;
mod convert;
mod dispatch;
mod document_args;
mod exit;
mod exit_codes;
mod exports;
mod generate;
mod guard;
mod health;
mod history_input;
mod man;
mod memory_args;
mod merge;
mod new_file;
mod number;
mod parsing;
mod run;
mod schema;
mod secret;
mod serve;
mod serve_args;
mod serve_scenario;
mod settings_args;
mod signal;
mod terminal;
mod witness_args;
mod words;

pub use dispatch::run;
