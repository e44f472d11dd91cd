//! `passbook serve` and `passbook run --connect` as other programs see them: processes, ports and
//! signals.

mod connected;
mod fakes;
mod process;
mod served;
mod settling;
mod several;
