//! Reads plain JSON quickly: in one pass, with its keys and texts borrowed, and its numbers as they
//! stand. Whatever is not plain is left to `serde_json`; so is all that is wrong: here it is enough
//! that something is.

mod entries;
mod plain_text;

use std::borrow::Cow;
use std::fmt;

use serde::de::value::CowStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use entries::Within;
use plain_text::plain_len;

/// By this name a value is asked for as it is written.
pub(crate) const WRITTEN: &str = "passbook::Written";

/// What is still to be read.
pub(crate) struct Quick<'de> {
    text: &'de str,
    /// The byte that comes next.
    at: usize,
}

/// It cannot be read quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd;

/// Whatever so many digits say has room in 64 bits.
const FITS: usize = 19;

/// What `text` is, all of it.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Odd> {
    let mut quick = Quick { text, at: 0 };
    let read = T::deserialize(&mut quick)?;
    match quick.next_byte() {
        None => Ok(read),
        Some(_) => Err(Odd),
    }
}

impl<'de> Quick<'de> {
    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                // Most bytes are above all white space, which is seen at once.
                Some(&next) if next > b' ' => return Some(next),
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Takes the next byte, if it is `wanted`.
    fn take(&mut self, wanted: u8) -> Result<(), Odd> {
        if self.next_byte() != Some(wanted) {
            return Err(Odd);
        }
        self.at += 1;
        Ok(())
    }

    /// The bytes from here on that are `taken`.
    fn while_is(&mut self, taken: impl Fn(u8) -> bool) -> &'de str {
        let start = self.at;
        while self.bytes().get(self.at).is_some_and(|&byte| taken(byte)) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// A string, which comes next.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, Odd> {
        self.plain_string()
            .map_or_else(|| self.escaped().map(Cow::Owned), |text| Ok(Cow::Borrowed(text)))
    }

    /// The same, if no escape is in it; else nothing is taken.
    #[inline]
    fn plain_string(&mut self) -> Option<&'de str> {
        if self.next_byte() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let rest = self.text.get(start..)?;
        let len = plain_len(rest.as_bytes());
        if rest.as_bytes().get(len) != Some(&b'"') {
            return None;
        }
        self.at = start + len + 1;
        rest.get(..len)
    }

    /// The same, with escapes in it.
    #[cold]
    fn escaped(&mut self) -> Result<String, Odd> {
        serde_json::from_str(self.cut_out()?).map_err(|_| Odd)
    }

    /// The digits of a whole number that is not negative, and comes next.
    fn whole(&mut self) -> Result<u64, Odd> {
        self.next_byte();
        let start = self.at;
        let rest = &self.bytes()[start..];
        let (mut whole, mut len) = (0_u64, 0);
        while let Some(digit @ b'0'..=b'9') = rest.get(len) {
            whole = whole.wrapping_mul(10).wrapping_add((digit - b'0').into());
            len += 1;
        }
        let is_zero_first = len > 1 && rest[0] == b'0';
        let goes_on = matches!(rest.get(len), Some(b'.' | b'e' | b'E'));
        if len == 0 || is_zero_first || goes_on {
            return Err(Odd);
        }
        self.at = start + len;
        if len <= FITS { Ok(whole) } else { self.text[start..self.at].parse().map_err(|_| Odd) }
    }

    /// The text of the next value, which is sound.
    fn written(&mut self) -> Result<&'de str, Odd> {
        match self.next_byte() {
            Some(b'0'..=b'9') => {
                let start = self.at;
                let whole = self.while_is(|byte| byte.is_ascii_digit());
                let is_zero_first = whole.len() > 1 && whole.starts_with('0');
                if self.bytes().get(self.at) == Some(&b'.') {
                    self.at += 1;
                    self.while_is(|byte| byte.is_ascii_digit());
                }
                // What ends with a point is no number.
                if let (false, b'0'..=b'9', Some(b',' | b'}')) =
                    (is_zero_first, self.bytes()[self.at - 1], self.bytes().get(self.at))
                {
                    return Ok(&self.text[start..self.at]);
                }
                self.at = start;
                self.cut_out()
            }
            Some(_) => self.cut_out(),
            None => Err(Odd),
        }
    }

    /// The same, of anything that is JSON.
    #[inline(never)]
    fn cut_out(&mut self) -> Result<&'de str, Odd> {
        let rest = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let mut values = rest.into_iter::<&RawValue>();
        let raw = values.next().ok_or(Odd)?.map_err(|_| Odd)?;
        self.at += values.byte_offset();
        Ok(raw.get())
    }

    /// If `text` comes next in quotes, takes it. It is a text without escapes.
    #[inline]
    fn take_quoted(&mut self, text: &str) -> bool {
        let rest = self.bytes().get(self.at..).and_then(|rest| rest.strip_prefix(b"\""));
        let after = rest.and_then(|rest| rest.strip_prefix(text.as_bytes()));
        let is_next = after.is_some_and(|after| after.first() == Some(&b'"'));
        if is_next {
            self.at += text.len() + 2;
        }
        is_next
    }
}

/// A variant that is more than its name: `{"variant": what it holds}`.
impl<'de> EnumAccess<'de> for &mut Quick<'de> {
    type Error = Odd;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Odd> {
        let variant = seed.deserialize(CowStrDeserializer::new(self.string()?))?;
        self.take(b':')?;
        Ok((variant, self))
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
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        visitor.visit_map(Within::object(self, keys)?)
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
        self.take(b'{')?;
        let read = visitor.visit_enum(&mut *self)?;
        self.take(b'}')?;
        Ok(read)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_map(Within::object(self, &[])?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        visitor.visit_map(Within::object(self, keys)?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        visitor.visit_seq(Within::array(self)?)
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
        match self.next_byte() {
            Some(b'-') => {
                let digits = self.cut_out()?;
                let number = digits.parse().ok().filter(|number| *number < 0);
                visitor.visit_i64(number.ok_or(Odd)?)
            }
            Some(_) | None => self.deserialize_u64(visitor),
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

impl serde::de::Error for Odd {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::error::Error for Odd {}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be read quickly")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::{Deserializer, Odd, Visitor, WRITTEN, fmt, read};

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
        }
    }
}
