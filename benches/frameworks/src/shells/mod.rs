//! What runs the bank, a file each.

mod in_a_loop;
mod on_actix;
mod on_kameo;
mod on_ractor;
mod on_tokio;
mod on_xtra;

pub(crate) use in_a_loop::in_a_loop;
pub(crate) use on_actix::on_actix;
pub(crate) use on_kameo::on_kameo;
pub(crate) use on_ractor::on_ractor;
pub(crate) use on_tokio::on_tokio;
pub(crate) use on_xtra::on_xtra;
