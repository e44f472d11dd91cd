//! What serde asks of a text, value by value.

use serde::de::value::{BorrowedBytesDeserializer, CowStrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::cursor::{Odd, Quick};

/// By this name a value is asked for as it is written.
pub(crate) const WRITTEN: &str = "passbook::Written";

/// What `text` is, all of it.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Odd> {
    read_all(Quick::text(text))
}

/// The same of bytes, which are not looked at beforehand: what is no UTF-8 is odd.
pub(crate) fn read_bytes<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Odd> {
    read_all(Quick::bytes(bytes))
}

fn read_all<'de, T: Deserialize<'de>>(mut quick: Quick<'de>) -> Result<T, Odd> {
    let read = T::deserialize(&mut quick)?;
    match quick.next_byte() {
        None => Ok(read),
        Some(_) => Err(Odd),
    }
}

/// The entries of an array or an object.
struct Within<'q, 'de> {
    quick: &'q mut Quick<'de>,
    /// What comes before an entry: a bracket before the first, and then a comma.
    before: u8,
    end: u8,
}

impl<'q, 'de> Within<'q, 'de> {
    /// An array, which comes next.
    fn array(quick: &'q mut Quick<'de>) -> Self {
        Self { quick, before: b'[', end: b']' }
    }

    /// An object, which comes next.
    fn object(quick: &'q mut Quick<'de>) -> Self {
        Self { quick, before: b'{', end: b'}' }
    }

    /// Whether there is one more element, which is next then.
    fn goes_on(&mut self) -> Result<bool, Odd> {
        if self.quick.take(self.before).is_err() {
            return self.end().map(|()| false);
        }
        // After a comma there is no end: what comes is read as an element, and is none.
        if self.before != b',' && self.quick.next_byte() == Some(self.end) {
            return self.quick.take(self.end).map(|()| false);
        }
        self.before = b',';
        Ok(true)
    }

    /// The next key, if there is one more. One with escapes in it is odd.
    #[inline]
    fn key(&mut self) -> Result<Option<&'de [u8]>, Odd> {
        if let Some(key) = self.quick.key(self.before) {
            self.before = b',';
            return Ok(Some(key));
        }
        self.end().map(|()| None)
    }

    /// Takes the end, for there is no other entry.
    #[inline]
    fn end(&mut self) -> Result<(), Odd> {
        if self.before != b',' {
            self.quick.take(self.before)?;
        }
        self.quick.take(self.end)
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

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Odd> {
        match self.key()? {
            Some(key) => seed.deserialize(BorrowedBytesDeserializer::new(key)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Odd> {
        seed.deserialize(&mut *self.quick)
    }
}

/// A variant that is more than its name: `{"variant": what it holds}`.
impl<'q, 'de> EnumAccess<'de> for Within<'q, 'de> {
    type Error = Odd;
    type Variant = &'q mut Quick<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), Odd> {
        let key = self.key()?.ok_or(Odd)?;
        let variant = seed.deserialize(BorrowedBytesDeserializer::new(key))?;
        Ok((variant, self.quick))
    }
}

impl<'de> VariantAccess<'de> for &mut Quick<'de> {
    type Error = Odd;

    fn unit_variant(self) -> Result<(), Odd> {
        Err(Odd)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Odd> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Odd> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        self.deserialize_map(visitor)
    }
}

impl<'de> Deserializer<'de> for &mut Quick<'de> {
    type Error = Odd;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Odd> {
        Err(Odd)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        match self.next_byte() {
            Some(b'n') if self.cut_out()? == "null" => visitor.visit_none(),
            Some(b'n') => Err(Odd),
            Some(_) | None => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        match self.cut_out()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Odd),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        if self.next_byte() == Some(b'"') {
            return visitor.visit_enum(CowStrDeserializer::new(self.string()?));
        }
        let read = visitor.visit_enum(Within::object(self))?;
        self.take(b'}')?;
        Ok(read)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_map(Within::object(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_seq(Within::array(self))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_u64(self.whole()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        match self.whole() {
            Ok(whole) => visitor.visit_u64(whole),
            // Nothing was taken.
            Err(Odd) if self.next_byte() == Some(b'-') => {
                let number = self.cut_out()?.parse().ok().filter(|number| *number < 0);
                visitor.visit_i64(number.ok_or(Odd)?)
            }
            Err(Odd) => Err(Odd),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Odd> {
        if name == WRITTEN {
            visitor.visit_borrowed_str(self.written()?)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char bytes byte_buf
        unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::{Deserializer, Odd, Visitor, WRITTEN, read, read_bytes};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum Shape {
        Plain,
        Number(u32),
        Named { id: i64, text: String },
        Inner(Box<Whole>),
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        shapes: Vec<Shape>,
        #[serde(default)]
        perhaps: Option<u64>,
        is_so: bool,
    }

    fn any_whole() -> impl Strategy<Value = Whole> {
        let shape = prop_oneof![
            Just(Shape::Plain),
            any::<u32>().prop_map(Shape::Number),
            (any::<i64>(), any::<String>()).prop_map(|(id, text)| Shape::Named { id, text }),
        ];
        let whole = |shape: BoxedStrategy<Shape>| {
            (prop::collection::vec(shape, 0..4), any::<Option<u64>>(), any::<bool>())
                .prop_map(|(shapes, perhaps, is_so)| Whole { shapes, perhaps, is_so })
        };
        let inner = whole(shape.clone().boxed()).prop_map(|whole| Shape::Inner(Box::new(whole)));
        whole(prop_oneof![shape, inner].boxed())
    }

    fn slowly<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        let texts =
            "; ;[;];[1;[1,];[,1];[1 2];[01];[1.];[-];[-0];[1e3];[+1];[1]];[1],;{};[\"1\"];[null]";
        for text in texts.split(';').chain(["[4294967296]", "[18446744073709551616]"]) {
            assert_eq!(read::<Vec<u32>>(text), Err(Odd), "{text}");
        }
        assert_eq!(read::<Vec<u32>>("\t[ 0 , 10\n,4294967295 ]\r\n"), Ok(vec![0, 10, u32::MAX]));
        assert_eq!(read::<Vec<u32>>("[]"), Ok(vec![]));
        for text in ["[-0]", "[- 1]", "[-]", "[99999999999999999999-5]", "[0-5]", "[5-5]"] {
            assert_eq!(read::<Vec<i64>>(text), Err(Odd), "{text}");
        }
        assert_eq!(read::<Vec<i64>>("[-12 , -3,4\t, 567]"), Ok(vec![-12, -3, 4, 567]));
    }

    #[test]
    fn numbers_can_be_had_as_they_stand() {
        struct AsWritten(String);
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = AsWritten;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<AsWritten, E> {
                Ok(AsWritten(text.to_owned()))
            }
        }
        impl<'de> Deserialize<'de> for AsWritten {
            fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                source.deserialize_newtype_struct(WRITTEN, Text)
            }
        }
        let text = r#"[0,0.50, 12.34,1e2 ,-7, "a\"b",{"a":[1, 2]},null,01.5]"#;
        let sound = text.replace(",01.5", "");
        let told: Vec<AsWritten> = read(&sound).unwrap();
        let told: Vec<&str> = told.iter().map(|AsWritten(text)| text.as_str()).collect();
        let parts = ["0", "0.50", "12.34", "1e2", "-7", r#""a\"b""#, r#"{"a":[1, 2]}"#, "null"];
        assert_eq!(told, parts);
        for wrong in [text, "[1.]", "[00]", "[1.2.3]", "[.5]", "[-]"] {
            assert!(matches!(read::<Vec<AsWritten>>(wrong), Err(Odd)), "{wrong}");
        }
    }

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
            r#"{"branch":1,"balance_minor":2,}"#,
            r#"{"branch":1,"balance_minor":2"#,
            r#"{"branch":1,,"balance_minor":2}"#,
            r#"{,"branch":1,"balance_minor":2}"#,
            r#"{"branch":1,"balance_minor"=2}"#,
            r#"{"branch":1,"balance_minor_of_all":2}"#,
            "{}",
            "{,}",
        ];
        for text in texts {
            let read = read::<Account>(text).ok();
            assert_eq!(read, serde_json::from_str(text).ok(), "{text}");
        }
        assert_eq!(read::<Account>(r#"{"br\u0061nch":1,"balance_minor":2}"#), Err(Odd));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(whole in any_whole()) {
            for text in [serde_json::to_string(&whole), serde_json::to_string_pretty(&whole)] {
                prop_assert_eq!(read::<Whole>(&text.unwrap()), Ok(whole.clone()));
            }
        }

        /// What is read of a text that is damaged is what serde reads of it.
        #[test]
        fn nothing_is_read_that_serde_does_not_read(
            whole in any_whole(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
            sign in prop::sample::select(vec!['"', '{', '}', '[', ']', ',', ':', '0', '-', '.', ' ']),
        ) {
            let mut text: Vec<char> = serde_json::to_string(&whole).unwrap().chars().collect();
            for (place, other) in damage {
                let place = place.index(text.len());
                text[place] = if other.is_alphabetic() { other } else { sign };
            }
            let text: String = text.into_iter().collect();
            if let Ok(told) = read::<Whole>(&text) {
                prop_assert_eq!(Some(told), slowly(&text));
            }
            prop_assert_eq!(read_bytes::<Whole>(text.as_bytes()), read(&text));
        }

        /// Most of these are no UTF-8.
        #[test]
        fn no_bytes_are_read_that_serde_does_not_read(
            whole in any_whole(),
            place in any::<prop::sample::Index>(),
            byte in 0x80..=0xff_u8,
        ) {
            let mut bytes = serde_json::to_vec(&whole).unwrap();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            if let Ok(told) = read_bytes::<Whole>(&bytes) {
                prop_assert_eq!(Some(told), serde_json::from_slice(&bytes).ok());
            }
        }
    }
}
