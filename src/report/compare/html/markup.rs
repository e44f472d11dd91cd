//! Text that becomes markup, with nothing in it that could be taken for markup.

/// `text` as it may stand in an element or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Nothing to see, and not allowed in a document.
            _ if sign.is_control() && !sign.is_whitespace() => safe.push('\u{fffd}'),
            _ => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            escaped("<a href=\"x\" t='y'>&\u{0}</a>"),
            "&lt;a href=&quot;x&quot; t=&#39;y&#39;&gt;&amp;\u{fffd}&lt;/a&gt;"
        );
        assert_eq!(escaped("73.1 µs × 2"), "73.1 µs × 2");
    }
}
