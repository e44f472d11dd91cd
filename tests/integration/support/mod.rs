//! What several tests start from.

pub(crate) mod bounded;
pub(crate) mod comparison;
pub(crate) mod parts;
pub(crate) mod program;
pub(crate) mod scenarios;
pub(crate) mod sequential;
