//! How far a text of JSON goes on without anything that needs a closer look.

/// How many of the first bytes of `text` stand for themselves in a string: neither its end, nor an
/// escape, nor a control character.
#[inline]
pub(super) fn plain_len(text: &[u8]) -> usize {
    // Eight at a time: each byte that is looked for has its highest bit set, and of those before the
    // first none has.
    let each = |byte: u8| u64::from_le_bytes([byte; 8]);
    let below = |word: u64, bound: u8| word.wrapping_sub(each(bound)) & !word & each(0x80);
    let mut rest = text;
    while let Some((&word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(word);
        let found = below(word, b' ') | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1);
        if found != 0 {
            let place = usize::try_from(found.trailing_zeros() / 8).expect("a place of eight");
            return text.len() - rest.len() + place;
        }
        rest = after;
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..b' ');
    text.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::plain_len;

    #[test]
    fn a_string_ends_at_the_first_byte_that_does_not_stand_for_itself() {
        for first in [b'"', b'\\', b'\n', 0] {
            for place in 0..20 {
                // Whatever comes after it, and bytes of more than seven bits, make no difference.
                let mut text = [vec![0xC3; place], vec![first], vec![b'!'; 20]].concat();
                assert_eq!(plain_len(&text), place);
                text.extend([b'"', first]);
                assert_eq!(plain_len(&text), place);
                assert_eq!(plain_len(&text[..place]), place);
            }
        }
    }
}
