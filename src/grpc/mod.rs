//! The edge: wire contracts, and conversions between them and the model. Decides nothing about money.

pub mod proto;
