//! Words of a command line that can be pasted into a shell.

use std::fmt::Write;

/// `text` as one word of a shell, on one line.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        // Not every shell knows `$'\n'`.
        format!("\"$(printf %b {})\"", quoted(&escaped(text)))
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `text` with its control characters, and what could be taken for one, as `printf %b` reads them.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || c == '\\' {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(escaped, r"\0{byte:03o}").expect("a text takes all");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        for (text, told) in [
            ("input/a.json", "input/a.json"),
            ("", "''"),
            ("a b$c.json", "'a b$c.json'"),
            ("it's", r"'it'\''s'"),
            ("a\nb\\'\u{1b}.json", r#""$(printf %b 'a\0012b\0134'\''\0033.json')""#),
        ] {
            assert_eq!(word(text), told);
        }
    }
}
