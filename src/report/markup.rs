//! Text that becomes markup, with nothing in it that could be taken for markup.

use crate::model::Shown;

/// `text` as it may stand in an element or in a quoted attribute. What is not seen is written as in
/// a program.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in Shown::new(text).to_string().chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
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
            "&lt;a href=&quot;x&quot; t=&#39;y&#39;&gt;&amp;\\u{0}&lt;/a&gt;"
        );
        assert_eq!(escaped("73.1 µs × 2"), "73.1 µs × 2");
    }
}
