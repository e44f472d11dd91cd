//! `passbook serve` and `passbook run --connect` as other programs see them: processes, ports and
//! signals.

mod closing;
mod connected;
mod connections;
mod container;
mod data_folder;
mod durable;
mod fakes;
mod foul_weather;
mod full;
mod health;
mod lives;
mod peers;
mod process;
mod scenarios;
mod secrets;
mod served;
mod settling;
mod several;
mod versions;
