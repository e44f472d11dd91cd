//! How far a text of JSON goes on without anything that needs a closer look.

/// How many of the first bytes of `text` stand for themselves in a string: neither its end, nor an
/// escape, nor a control character.
#[inline]
pub(super) fn plain_len(text: &[u8]) -> usize {
    short_plain_len(text).unwrap_or_else(|| any_plain_len(text))
}

/// The same, if it is less than sixteen.
#[inline]
pub(super) fn short_plain_len(text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_first_chunk()?;
    plain_len_of_eight(*first).or_else(|| Some(8 + plain_len_of_eight(*rest.first_chunk()?)?))
}

/// The same, if not all of the eight do.
#[inline]
fn plain_len_of_eight(eight: [u8; 8]) -> Option<usize> {
    // Each byte that is looked for has its highest bit set, and of those before the first none has.
    // With 2 in exclusive or, control characters and the end are what is below 0x21.
    let each = |byte: u8| u64::from_le_bytes([byte; 8]);
    let word = u64::from_le_bytes(eight);
    let ends = (word ^ each(2)).wrapping_sub(each(0x21));
    let escapes = (word ^ each(b'\\')).wrapping_sub(each(1));
    let found = (ends | escapes) & !word & each(0x80);
    let len = usize::try_from(found.trailing_zeros() / 8).expect("a place of eight");
    (found != 0).then_some(len)
}

/// The same, however long it is.
#[inline(never)]
fn any_plain_len(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((&eight, after)) = rest.split_first_chunk() {
        if let Some(len) = plain_len_of_eight(eight) {
            return text.len() - rest.len() + len;
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
