//! Between the wire contracts and the model. Refuses what cannot be said in the other's words.

mod classic;
mod fact;
mod field;
mod float;
mod peer;
mod typed;

pub(crate) use classic::BRANCH_KEY;
pub use classic::{ClassicCall, WriteSetText, is_from_branch, session, write_set_text};
pub use field::{FieldError, FieldProblem};
pub use float::{
    FLOAT_EXACT_MAX, FloatError, amount_from_float, amount_to_float, money_from_float,
    money_to_float,
};
pub use peer::{
    acknowledgement, answer_end, bank_description, life_list, life_numbers, lives_max,
    logged_write, propagated_write, version_entries, version_vector,
};
pub use typed::{
    amount, branch_events, branch_id, branch_view, customer_id, customers, event_id, guarantees,
    overdraft, propagation, queries, write, write_id, write_sets,
};
