//! What is judged: the list of properties, each in one place, and something of each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::spelled;

/// For each property its variant, its word and to whom it is owed; and its field, an `Option` where
/// it is not always judged.
macro_rules! properties {
    ($(
        $(#[$meta:meta])*
        $variant:ident = $word:literal, of a $owed:ident;
        $(#[$test:meta])*
        $field:ident: ($($type:tt)+),
    )+) => {
        spelled! {
            /// What is judged.
            #[derive(PartialOrd, Ord)]
            #[non_exhaustive]
            pub enum Property { $($(#[$meta])* $variant = $word),+ }
        }

        impl Property {
            /// Whether it is owed to a session, and not by the bank as a whole.
            pub const fn is_session_guarantee(self) -> bool {
                match self { $(Self::$variant => properties!(@is_of_session $owed)),+ }
            }
        }

        /// Something of each property. Serialized with the words of [`Property`] for keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ByProperty<T> {
            $($(#[$test])* pub $field: $($type)+),+
        }

        impl<T> ByProperty<T> {
            /// What is of `property`; `None` where it is not judged.
            pub const fn of(&self, property: Property) -> Option<&T> {
                match property {
                    $(Property::$variant => properties!(@get ($($type)+) &self.$field)),+
                }
            }

            /// The same with `f` of each.
            pub fn map<U>(&self, f: impl Fn(&T) -> U) -> ByProperty<U> {
                ByProperty { $($field: properties!(@map ($($type)+) &self.$field, f)),+ }
            }
        }
    };
    (@is_of_session session) => { true };
    (@is_of_session bank) => { false };
    (@get (T) $at:expr) => { Some($at) };
    (@get (Option<T>) $at:expr) => { $at.as_ref() };
    (@map (T) $at:expr, $f:ident) => { $f($at) };
    (@map (Option<T>) $at:expr, $f:ident) => { $at.as_ref().map(&$f) };
}

properties! {
    /// A read sees the session's own earlier writes.
    ReadYourWrites = "read_your_writes", of a session;
    /// A test is a read after an acknowledged write of its session.
    read_your_writes: (T),

    /// A read sees at least what the session's earlier reads saw.
    MonotonicReads = "monotonic_reads", of a session;
    /// A test is a read after a read of its session that saw at least one write.
    monotonic_reads: (T),

    /// Every branch applies a session's writes in their order.
    MonotonicWrites = "monotonic_writes", of a session;
    /// A test is a write that is not its session's first, at each branch that has it.
    monotonic_writes: (T),

    /// Every branch applies a write after all that its session had read.
    WritesFollowReads = "writes_follow_reads", of a session;
    /// A test is a write after a read of its session that saw at least one write, at each branch
    /// that has it.
    writes_follow_reads: (T),

    /// Every balance is the sum of the writes behind it.
    Balances = "balances", of a bank;
    /// A test is a balance: after each write that was applied, and in each answer to a query.
    balances: (T),

    /// In the end all branches hold the same writes and the same balance.
    Convergence = "convergence", of a bank;
    /// A test is a write that some branch applied, in a bank of at least two.
    convergence: (T),

    /// What was asked for and accepted is applied once everywhere, and nothing else is.
    ExactlyOnce = "exactly_once", of a bank;
    /// A test is a write that was acknowledged, refused or applied.
    exactly_once: (T),

    /// No withdrawal leaves a balance below zero. Judged only where branches refuse such a one.
    NoOverdraft = "no_overdraft", of a bank;
    /// A test is a withdrawal, at each branch that applied it; `None` where it is not judged.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    no_overdraft: (Option<T>),

    /// When all faults are over, every accepted write comes to every branch. Judged only where a
    /// history says whether it did.
    Settles = "settles", of a bank;
    /// A test is what a history says of it; `None` where it says nothing.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    settles: (Option<T>),
}

/// In words: `read your writes`.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word().replace('_', " "))
    }
}
