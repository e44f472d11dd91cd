//! `passbook serve` and `passbook run --connect` as other programs see them: processes, ports and
//! signals.

mod closing;
mod connected;
mod fakes;
mod peers;
mod process;
mod secrets;
mod served;
mod settling;
mod several;
mod versions;
