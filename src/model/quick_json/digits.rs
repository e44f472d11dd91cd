//! What digits say.

/// How many digits `text` begins with, and what they say: where that has no room, the rest of it.
#[inline]
pub(super) fn digits(text: &[u8]) -> (usize, u64) {
    let (mut len, mut said) = text.first_chunk().map_or((0, 0), |bytes| up_to_eight(*bytes));
    if len % 8 == 0 {
        while let Some(digit @ b'0'..=b'9') = text.get(len) {
            said = said.wrapping_mul(10).wrapping_add((digit - b'0').into());
            len += 1;
        }
    }
    (len, said)
}

/// The same of eight bytes, all at once.
#[inline]
fn up_to_eight(bytes: [u8; 8]) -> (usize, u64) {
    let each = |byte: u8| u64::from_le_bytes([byte; 8]);
    // A digit is what it says now, and what is above 9 has its highest bit set when 0x76 comes to it.
    // That may spoil what comes after it, and nothing before.
    let word = u64::from_le_bytes(bytes) ^ each(b'0');
    let others = (word | word.wrapping_add(each(0x76))) & each(0x80);
    let bits = others.trailing_zeros() & !7;
    // The digits come behind zeros, and each takes the next one to it: first of one, then of two and
    // then of four digits.
    let ones = word.checked_shl(64 - bits).unwrap_or(0);
    let twos = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    let said = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    (usize::try_from(bits / 8).expect("up to eight"), said)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn digits_say_what_they_say_up_to_the_first_byte_that_is_none() {
        let number = "98765432109876543210";
        for end in [0, b'/', b':', b'}', b'e', 0x80, 0xB0, 0xB9, 0xFF] {
            for len in 0..number.len() {
                let mut text = number.as_bytes()[..len].to_vec();
                let said = number[..len].parse().unwrap_or(0);
                assert_eq!(digits(&text), (len, said));
                text.extend([end; 9]);
                assert_eq!(digits(&text), (len, said));
                text.extend(b"12345678");
                assert_eq!(digits(&text), (len, said));
            }
        }
    }
}
