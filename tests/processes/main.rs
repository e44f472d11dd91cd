//! `passbook serve` as other programs see it: processes, ports and signals.

mod process;
mod served;
mod several;
