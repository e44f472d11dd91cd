//! Words of a command line that can be pasted into a shell.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use crate::model::is_unseen;

/// `text` as one word of a shell, on one line, with nothing in it that a terminal obeys.
pub fn word(text: impl AsRef<OsStr>) -> String {
    let bytes = text.as_ref().as_bytes();
    match str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Ok(text) if !text.contains(is_unseen) => quoted(text),
        // Not every shell knows `$'\n'`.
        Ok(_) | Err(_) => format!("\"$(printf %b {})\"", quoted(&escaped(bytes))),
    }
}

/// The file at `path` as one word, which no program takes for an option.
pub fn file(path: impl AsRef<OsStr>) -> String {
    let path = path.as_ref();
    if path.as_bytes().starts_with(b"-") {
        let mut beside = OsStr::new("./").to_owned();
        beside.push(path);
        return word(beside);
    }
    word(path)
}

/// Words with spaces between that need no quotes, as options are written. A file that says so may
/// be a stranger's: what does need quotes gets them.
pub fn options(text: &str) -> String {
    let words = text.split(' ').filter(|option| !option.is_empty());
    words.map(word).collect::<Vec<_>>().join(" ")
}

/// Stands for what was piped in and is nowhere else.
const PIPED: &str = "the-same-input";
/// What is only there while it is read: standard input, and pipes of the shell.
const STANDARD_INPUT: [&str; 2] = ["-", "/dev/stdin"];
const PIPES: [&str; 2] = ["/dev/fd/", "/proc/self/fd/"];

/// The command that runs what stands at `place` again, a file or one line of it, with `options`.
pub fn replay(place: impl AsRef<OsStr>, options: &str) -> String {
    again("passbook run", place, options)
}

/// The same with another `command` than `passbook run`.
pub fn again(command: &str, place: impl AsRef<OsStr>, options: &str) -> String {
    let place = place.as_ref();
    let run = [command.to_owned(), self::options(options)];
    let run = run.iter().filter(|part| !part.is_empty()).map(String::as_str);
    let run = run.collect::<Vec<_>>().join(" ");
    match place.to_str().and_then(piped) {
        Some(line) => format!("{run} {PIPED}{line}"),
        None => format!("{run} {}", file(place)),
    }
}

/// Which line of what is there no more `place` is, such as `:17`; empty if it is all of it.
fn piped(place: &str) -> Option<&str> {
    let is_gone = |path: &str| {
        STANDARD_INPUT.contains(&path) || PIPES.iter().any(|pipes| path.starts_with(pipes))
    };
    let (path, line) = place.split_at(place.rfind(':').unwrap_or(place.len()));
    is_gone(path).then_some(line)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `bytes` as `printf %b` reads them: what is not seen, what is no text, and what could be taken
/// for an escape.
fn escaped(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unseen(c) || c == '\\' {
                push_octal(&mut escaped, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                escaped.push(c);
            }
        }
        push_octal(&mut escaped, chunk.invalid());
    }
    escaped
}

fn push_octal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(text, r"\0{byte:03o}").expect("a text takes all");
    }
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
            ("é.json", "'é.json'"),
            ("a\nb\\'\u{1b}.json", r#""$(printf %b 'a\0012b\0134'\''\0033.json')""#),
            ("\u{202e}a\u{9b}", r#""$(printf %b '\0342\0200\0256a\0302\0233')""#),
        ] {
            assert_eq!(word(text), told);
        }
        assert_eq!(word(OsStr::from_bytes(b"a\xff")), r#""$(printf %b 'a\0377')""#);
    }

    #[test]
    fn a_file_is_no_option_and_options_are_no_commands() {
        assert_eq!(file("-a b"), "'./-a b'");
        assert_eq!(file("a-b"), "a-b");
        assert_eq!(options("--seed 7 --strict"), "--seed 7 --strict");
        assert_eq!(options("--seed 7; rm $(x)"), "--seed '7;' rm '$(x)'");
        assert_eq!(options(""), "");
    }
}
