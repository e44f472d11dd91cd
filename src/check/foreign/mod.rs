//! Histories of other programs, and a second, small judge for them. They tell what sessions wrote and
//! read, and nothing of branches and their logs; what that does not decide is said to be undecided.

mod elle;
mod finding;
mod form;
mod keys;
mod lists;
mod plume;

pub(crate) use finding::{Finding, ForeignError, ForeignVerdicts, ForeignWitness};
pub(crate) use form::{ForeignForm, judge_foreign};
