//! Closed lists of words: each word is written once, and all else is derived from it. Knows no
//! command line: `cli` offers the words of a list as the values of an option.

use thiserror::Error;

/// A closed list of words.
pub trait Word: Copy + Eq + Send + Sync + 'static {
    /// All of them, in their order.
    const ALL: &'static [Self];

    /// How it is written.
    fn word(self) -> &'static str;
}

/// A text that is none of the words of a list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{found:?} is none of {}", .known.join(", "))]
pub struct UnknownWord {
    /// The text.
    pub found: String,
    /// The words of the list.
    pub known: Vec<&'static str>,
}

impl UnknownWord {
    /// The word of the list `T` that `found` is.
    pub fn or_find<T: Word>(found: &str) -> Result<T, Self> {
        T::ALL.iter().copied().find(|known| known.word() == found).ok_or_else(|| Self {
            found: found.to_owned(),
            known: T::ALL.iter().map(|known| known.word()).collect(),
        })
    }
}

/// An enum whose variants are words: `Sync = "sync"`. Gives it all its values, `Display`, `FromStr`
/// and serde's names.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident { $($variants:tt)+ }
    ) => {
        $crate::model::spelled! {
            $(#[$meta])*
            $vis enum $name { $($variants)+ }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

/// The same for words that are shown in another way.
macro_rules! spelled {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them, in their order.
            $vis const ALL: [Self; [$($name::$variant),+].len()] = [$(Self::$variant),+];

            /// How it is written.
            $vis const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::model::Word for $name {
            const ALL: &'static [Self] = &Self::ALL;

            fn word(self) -> &'static str {
                self.word()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::model::UnknownWord::or_find(text)
            }
        }
    };
}

/// A number for each word of an enum, as a struct with a field for each.
macro_rules! counts {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident of $Word:ident {
            $($(#[$field_meta:meta])* $field:ident: $variant:ident),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        $vis struct $name { $($(#[$field_meta])* pub $field: u64),+ }

        impl $name {
            /// Counts one more of `word`.
            pub const fn add(&mut self, word: $Word) {
                self.add_many(word, 1);
            }

            /// Counts so many more of `word`.
            pub const fn add_many(&mut self, word: $Word, more: u64) {
                match word { $($Word::$variant => self.$field += more),+ }
            }

            /// How many there are of `word`.
            pub const fn of(&self, word: $Word) -> u64 {
                match word { $($Word::$variant => self.$field),+ }
            }

            /// How many there are in all.
            pub const fn total(&self) -> u64 {
                0 $(+ self.$field)+
            }
        }
    };
}

pub(crate) use {counts, spelled, words};

#[cfg(test)]
mod tests {
    use crate::model::{CustomerOrder, OperationKind};

    #[test]
    fn a_word_is_the_same_wherever_it_is_written() {
        assert_eq!(CustomerOrder::InOrder.to_string(), "in-order");
        assert_eq!("in-order".parse(), Ok(CustomerOrder::InOrder));
        assert_eq!(serde_json::to_string(&CustomerOrder::InOrder).unwrap(), "\"in-order\"");
        let read: CustomerOrder = serde_json::from_str("\"concurrent\"").unwrap();
        assert_eq!(read, CustomerOrder::Concurrent);
        let all = OperationKind::ALL.map(OperationKind::word);
        assert_eq!(all, ["deposit", "withdraw", "query"]);
    }

    #[test]
    fn an_unknown_word_is_refused_with_those_that_are_known() {
        let error = "In-order".parse::<CustomerOrder>().unwrap_err();
        assert_eq!(error.to_string(), r#""In-order" is none of in-order, concurrent"#);
    }
}
