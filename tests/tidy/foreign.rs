//! The library shows types of its own and of the standard library. A type of another crate in a
//! public signature or field would make that crate's versions ours.

use std::collections::BTreeSet;

use crate::source::{SourceFile, Token, TokenKind};

/// The modules that `docs/STABILITY.md` calls the library.
const LIBRARY: [&str; 7] = ["model", "bank", "network", "history", "check", "scenario", "run"];
const OURS: [&str; 6] = ["crate", "self", "super", "std", "core", "alloc"];

/// What of `file` is public and names something of another crate.
pub(crate) fn find(file: &SourceFile) -> Vec<String> {
    let module = file.path.strip_prefix("src/").and_then(|path| path.split('/').next());
    if !module.is_some_and(|module| LIBRARY.contains(&module)) {
        return Vec::new();
    }
    let file = file.without_tests();
    let uses = file.uses();
    let foreign: Vec<&str> = uses
        .iter()
        .filter(|path| path.first().is_some_and(|root| !OURS.contains(&root.as_str())))
        .filter_map(|path| path.last().map(String::as_str))
        .collect();
    let mut findings = BTreeSet::new();
    for (at, token) in file.tokens.iter().enumerate() {
        let public =
            token.is_word("pub") && !file.tokens.get(at + 1).is_some_and(|t| t.is_mark('('));
        if !public || file.tokens.get(at + 1).is_some_and(|token| token.is_word("use")) {
            continue;
        }
        let item = &file.tokens[at..];
        for (place, token) in item[..shown_len(item)].iter().enumerate() {
            let continues = place > 0 && item[place - 1].kind == TokenKind::PathSeparator;
            if let Some(word) = token.word()
                && !continues
                && foreign.contains(&word)
            {
                findings.insert(format!(
                    "{}:{}: `{word}` of another crate in what is public; wrap it in a type of ours",
                    file.path, token.line
                ));
            }
        }
    }
    findings.into_iter().collect()
}

/// How many tokens of a public item others see: all of an enum, a signature, or one field.
fn shown_len(item: &[Token]) -> usize {
    let is_a = |word| item.get(1).is_some_and(|token: &Token| token.is_word(word));
    let (is_enum, is_struct) = (is_a("enum"), is_a("struct"));
    let mut depth = 0_usize;
    for (place, token) in item.iter().enumerate() {
        match token.kind {
            TokenKind::Mark('{') if depth == 0 && !is_enum => return place,
            // Each field that is public says so itself.
            TokenKind::Mark('(') if depth == 0 && is_struct => return place,
            TokenKind::Mark(';' | '=' | ',') if depth == 0 => return place,
            TokenKind::Mark('{' | '(' | '[' | '<') => depth += 1,
            TokenKind::Mark('>') if place > 0 && item[place - 1].is_mark('-') => {}
            TokenKind::Mark(mark @ ('}' | ')' | ']' | '>')) => {
                // The end of what the field stands in.
                let Some(less) = depth.checked_sub(1) else { return place };
                depth = less;
                if depth == 0 && mark == '}' {
                    return place;
                }
            }
            TokenKind::Word(_) | TokenKind::PathSeparator | TokenKind::Mark(_) => {}
        }
    }
    item.len()
}

#[test]
fn a_foreign_type_is_found_where_it_is_public_and_nowhere_else() {
    let found = |body: &str| {
        let text = format!("use other::Histogram;\nuse std::io::Error;\n{body}");
        find(&SourceFile::new("src/check/judge.rs", &text)).len()
    };
    for body in [
        "pub fn f(&self) -> &Histogram<u64> { self }",
        "pub fn f(one: u8, two: Vec<Histogram>) {}",
        "pub struct S { pub a: u8, pub b: BTreeMap<u8, Histogram> }",
        "pub struct S(pub Histogram);",
        "pub enum E { A, B(Histogram) }",
        "pub type T = u8; pub const C: Histogram = X;",
    ] {
        assert_eq!(found(body), 1, "{body}");
    }
    for body in [
        "pub fn f(&self) -> u8 { Histogram::new() }",
        "pub struct S { pub a: u8, b: Histogram }",
        "pub struct S(Histogram);",
        "pub(crate) fn f() -> Histogram { x }",
        "fn f() -> Histogram { x }",
        "pub fn f() -> Result<u8, Error> { x }",
        "#[cfg(test)] mod tests { pub fn f() -> Histogram { x } }",
    ] {
        assert_eq!(found(body), 0, "{body}");
    }
}
