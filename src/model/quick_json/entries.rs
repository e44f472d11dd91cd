//! The entries of an array or an object.

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer, U64Deserializer};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::{Odd, Quick};
use crate::model::number::count;

/// Whether an array or an object has had an entry.
#[derive(Clone, Copy)]
enum Entries {
    None,
    Some,
}

/// The entries of an array or an object.
pub(super) struct Within<'q, 'de> {
    quick: &'q mut Quick<'de>,
    end: u8,
    entries: Entries,
    /// The keys that may come, in the order in which they are written.
    keys: &'static [&'static str],
    /// The place of the key that comes next, if none is left out.
    next_key: usize,
}

impl<'q, 'de> Within<'q, 'de> {
    /// An array, which comes next.
    pub(super) fn array(quick: &'q mut Quick<'de>) -> Result<Self, Odd> {
        quick.take(b'[')?;
        Ok(Self { quick, end: b']', entries: Entries::None, keys: &[], next_key: 0 })
    }

    /// An object, which comes next, with some of these `keys`, and others where there are none.
    pub(super) fn object(
        quick: &'q mut Quick<'de>,
        keys: &'static [&'static str],
    ) -> Result<Self, Odd> {
        quick.take(b'{')?;
        Ok(Self { quick, end: b'}', entries: Entries::None, keys, next_key: 0 })
    }

    /// Whether there is one more entry, which is next then.
    fn goes_on(&mut self) -> Result<bool, Odd> {
        match (self.quick.next_byte(), self.entries) {
            (Some(end), _) if end == self.end => {
                self.quick.at += 1;
                return Ok(false);
            }
            (_, Entries::None) => self.entries = Entries::Some,
            // After a comma there is no end: what comes is read as an entry, and is none.
            (Some(b','), Entries::Some) => self.quick.at += 1,
            (_, Entries::Some) => return Err(Odd),
        }
        Ok(true)
    }

    /// The place of the key that comes next, if it is where it is mostly written. Serde takes that for the
    /// key itself.
    #[inline]
    fn known_key(&mut self) -> Option<u64> {
        let quick = &mut *self.quick;
        let mut coming = self.keys.iter().enumerate().skip(self.next_key);
        let place = coming.find_map(|(place, key)| quick.take_quoted(key).then_some(place))?;
        self.next_key = place + 1;
        Some(count(place))
    }
}

impl<'de> SeqAccess<'de> for Within<'_, 'de> {
    type Error = Odd;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Odd> {
        if !self.goes_on()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.quick).map(Some)
    }
}

impl<'de> MapAccess<'de> for Within<'_, 'de> {
    type Error = Odd;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Odd> {
        if !self.goes_on()? {
            return Ok(None);
        }
        let key = if let Some(place) = self.known_key() {
            seed.deserialize(U64Deserializer::new(place))?
        } else if let Some(key) = self.quick.plain_string() {
            seed.deserialize(BorrowedStrDeserializer::new(key))?
        } else {
            seed.deserialize(StringDeserializer::new(self.quick.escaped()?))?
        };
        self.quick.take(b':')?;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Odd> {
        seed.deserialize(&mut *self.quick)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::read;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Account {
        branch: u64,
        #[serde(skip)]
        is_open: bool,
        #[serde(rename = "balance_minor")]
        balance: u64,
        #[serde(default)]
        branches: Option<u64>,
    }

    #[test]
    fn keys_are_those_of_serde_in_whatever_order_they_come() {
        let texts = [
            r#"{"branch":1,"balance_minor":2,"branches":3}"#,
            r#"{ "branches" : 3 , "balance_minor":2,"branch" :1}"#,
            r#"{"balance_minor":2,"branch":1}"#,
            r#"{"branch":1,"balance_minor":2,"branches":3}"#,
            r#"{"branch":1,"balance_minor":2}"#,
            r#"{"branch":1}"#,
            r#"{"branch":1,"balance_minor":2,"branch":1}"#,
            r#"{"balance_minor":2,"balance_minor":2,"branch":1}"#,
            r#"{"branch":1,"balance_minor":2,"is_open":true}"#,
            r#"{"branch":1,"balance_minor":2,"balance":2}"#,
            r#"{"branch"1,"balance_minor":2}"#,
            r#"{"branch":1 "balance_minor":2}"#,
        ];
        for text in texts {
            let read = read::<Account>(text).ok();
            assert_eq!(read, serde_json::from_str(text).ok(), "{text}");
        }
    }
}
