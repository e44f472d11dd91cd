//! Rust source as the rules see it: tokens, comments and paths. Knows no rule.

/// A source file under its path from the package root, with `/` between its parts.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: TokenKind,
}

/// What matters of code to the rules; the content of literals does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word(String),
    PathSeparator,
    Mark(char),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A path such as `crate::bank::Branch`; a group in a `use` makes one path of each member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodePath {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(found) if found == word)
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == TokenKind::Mark(mark)
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            TokenKind::PathSeparator | TokenKind::Mark(_) => None,
        }
    }
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new(), comments: Vec::new() };
        while lexer.step() {}
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens: lexer.tokens,
            comments: lexer.comments,
        }
    }

    /// The same file without what stands under `#[cfg(test)]`.
    pub(crate) fn without_tests(&self) -> Self {
        let is_gate = |tokens: &[Token]| {
            let [hash, open, cfg, .., test, _, close] = tokens else { return false };
            hash.is_mark('#')
                && open.is_mark('[')
                && cfg.is_word("cfg")
                && test.is_word("test")
                && close.is_mark(']')
        };
        let mut tokens = Vec::new();
        let mut rest = self.tokens.as_slice();
        while let Some(token) = rest.first() {
            if rest.get(..GATE_LEN).is_some_and(is_gate) {
                rest = &rest[GATE_LEN + item_len(&rest[GATE_LEN..])..];
            } else {
                tokens.push(token.clone());
                rest = &rest[1..];
            }
        }
        Self { path: self.path.clone(), text: self.text.clone(), tokens, comments: Vec::new() }
    }

    /// The paths that `use` brings in, one of each member of a group.
    pub(crate) fn uses(&self) -> Vec<Vec<String>> {
        let starts = self.tokens.iter().enumerate().filter(|(_, token)| token.is_word("use"));
        starts.flat_map(|(at, _)| Trees { tokens: &self.tokens, at: at + 1 }.tree()).collect()
    }

    /// All paths that start with one of `roots`.
    pub(crate) fn paths_from(&self, roots: &[&str]) -> Vec<CodePath> {
        let mut found = Vec::new();
        let mut depth = 0_usize;
        let mut inside: Vec<(usize, &str)> = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match &token.kind {
                TokenKind::Mark('{') => {
                    depth += 1;
                    if let [.., keyword, name] = &self.tokens[..index]
                        && keyword.is_word("mod")
                        && let Some(name) = name.word()
                    {
                        inside.push((depth, name));
                    }
                }
                TokenKind::Mark('}') => {
                    inside.retain(|(opened_at, _)| *opened_at < depth);
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Word(word) if roots.contains(&word.as_str()) => {
                    let continues = continues_a_path(&self.tokens[..index]);
                    if !continues {
                        let mut trees = Trees { tokens: &self.tokens, at: index };
                        let inside: Vec<String> =
                            inside.iter().map(|(_, name)| (*name).to_owned()).collect();
                        found.extend(trees.tree().into_iter().map(|segments| CodePath {
                            line: token.line,
                            segments,
                            inside: inside.clone(),
                        }));
                    }
                }
                TokenKind::Word(_) | TokenKind::PathSeparator | TokenKind::Mark(_) => {}
            }
        }
        found
    }
}

/// `#[cfg(test)]`
const GATE_LEN: usize = 7;

/// How many tokens the item takes that `tokens` start with: to its `;`, or to the end of its block.
fn item_len(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Mark('{' | '(' | '[') => depth += 1,
            TokenKind::Mark(mark @ ('}' | ')' | ']')) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && mark == '}' {
                    return index + 1;
                }
            }
            TokenKind::Mark(';') if depth == 0 => return index + 1,
            TokenKind::Word(_) | TokenKind::PathSeparator | TokenKind::Mark(_) => {}
        }
    }
    tokens.len()
}

/// Whether the word after `before` is not the first of its path. `use ::std` has nothing before.
fn continues_a_path(before: &[Token]) -> bool {
    match before {
        [.., first, separator] => {
            separator.kind == TokenKind::PathSeparator
                && first.word().is_some_and(|word| word != "use")
        }
        [_] | [] => false,
    }
}

/// Reads the tree of a `use`, or a plain path, which is a tree of one.
struct Trees<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Trees<'_> {
    fn tree(&mut self) -> Vec<Vec<String>> {
        let mut head: Vec<String> = Vec::new();
        loop {
            match self.tokens.get(self.at).map(|token| &token.kind) {
                Some(TokenKind::Word(word)) => head.push(word.clone()),
                Some(TokenKind::Mark('*')) => head.push("*".to_owned()),
                Some(TokenKind::Mark('{')) => {
                    return self
                        .group()
                        .into_iter()
                        .map(|tail| head.iter().cloned().chain(tail).collect())
                        .collect();
                }
                Some(TokenKind::PathSeparator | TokenKind::Mark(_)) | None => return vec![head],
            }
            self.at += 1;
            if self.tokens.get(self.at).map(|token| &token.kind) != Some(&TokenKind::PathSeparator)
            {
                return vec![head];
            }
            self.at += 1;
        }
    }

    fn group(&mut self) -> Vec<Vec<String>> {
        let mut members = Vec::new();
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                TokenKind::Mark('}') => {
                    self.at += 1;
                    break;
                }
                TokenKind::Word(word) if word == "as" => self.at += 2,
                TokenKind::Word(_) | TokenKind::Mark('*' | '{') => members.extend(self.tree()),
                TokenKind::PathSeparator | TokenKind::Mark(_) => self.at += 1,
            }
        }
        members
    }
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            let len = self.rest.find('\n').unwrap_or(self.rest.len());
            self.comment(len);
        } else if self.rest.starts_with("/*") {
            self.comment(block_comment_len(self.rest));
        } else if let Some(len) = literal_len(self.rest) {
            self.take(len);
        } else if first.is_alphanumeric() || first == '_' {
            let len = word_len(self.rest);
            self.push_word(len);
        } else if self.rest.starts_with("::") {
            self.tokens.push(Token { line: self.line, kind: TokenKind::PathSeparator });
            self.take(2);
        } else {
            if !first.is_whitespace() {
                self.tokens.push(Token { line: self.line, kind: TokenKind::Mark(first) });
            }
            self.take(first.len_utf8());
        }
        true
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn comment(&mut self, len: usize) {
        let line = self.line;
        let text = self.take(len).to_owned();
        self.comments.push(Comment { line, text });
    }

    fn push_word(&mut self, len: usize) {
        let line = self.line;
        let mut word = self.take(len);
        if word == "r" && self.rest.starts_with('#') {
            self.take(1);
            word = self.take(word_len(self.rest));
        }
        self.tokens.push(Token { line, kind: TokenKind::Word(word.to_owned()) });
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Block comments nest.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string, character or lifetime that `text` starts with.
fn literal_len(text: &str) -> Option<usize> {
    if text.starts_with('\'') {
        return Some(quote_len(text));
    }
    if text.starts_with("b'") {
        return Some(1 + quote_len(&text[1..]));
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| {
            let unhashed = if prefix.ends_with('r') { rest.trim_start_matches('#') } else { rest };
            unhashed.starts_with('"')
        })
    })?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let content = &body[hashes + 1..];
        let end = content.find(&close).map_or(content.len(), |end| end + close.len());
        return Some(prefix.len() + hashes + 1 + end);
    }
    Some(prefix.len() + escaped_len(body, '"'))
}

/// `'a'`, `'\n'`, or a lifetime, which is its quote alone: the rest reads as a word.
fn quote_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => escaped_len(text, '\''),
        (Some(_), Some((end, '\''))) => end + 1,
        (Some(_) | None, _) => 1,
    }
}

/// How far it is to the closing `quote` of the literal that starts with one.
fn escaped_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let file = SourceFile::new("src/x.rs", text);
        file.tokens.iter().filter_map(Token::word).map(str::to_owned).collect()
    }

    fn paths(text: &str) -> Vec<String> {
        let file = SourceFile::new("src/x.rs", text);
        file.paths_from(&["crate", "super", "std"])
            .iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn literals_and_comments_are_not_code() {
        let text = r###"
            let a = "crate::x \" crate"; // crate::y
            let b = r#"crate " crate"#; /* crate /* crate */ crate */
            let c = '"'; let d = b'\''; fn e<'f>() {} let r#type = 'g';
        "###;
        let expected =
            ["let", "a", "let", "b", "let", "c", "let", "d", "fn", "e", "f", "let", "type"];
        assert_eq!(words(text), expected);
    }

    #[test]
    fn comments_are_kept_with_their_lines() {
        let file = SourceFile::new("src/x.rs", "//! one\nlet a = \"// no\";\n/* three */");
        let found: Vec<_> = file.comments.iter().map(|c| (c.line, c.text.as_str())).collect();
        assert_eq!(found, [(1, "//! one"), (3, "/* three */")]);
    }

    #[test]
    fn groups_make_one_path_of_each_member() {
        assert_eq!(
            paths("use crate::{bank::{self, Branch as B}, model::*}; use std::{fs, io::Read};"),
            [
                "crate::bank::self",
                "crate::bank::Branch",
                "crate::model::*",
                "std::fs",
                "std::io::Read"
            ]
        );
    }

    #[test]
    fn paths_in_expressions_end_where_they_end() {
        assert_eq!(
            paths("let x = crate::bank::Branch { a: super::b::<u8>() };"),
            ["crate::bank::Branch", "super::b"]
        );
    }

    #[test]
    fn a_path_knows_the_inline_modules_around_it() {
        let file = SourceFile::new(
            "src/x.rs",
            "mod a { mod b { use super::c; } use super::d; } use super::e;",
        );
        let inside: Vec<_> =
            file.paths_from(&["super"]).into_iter().map(|path| path.inside.join("/")).collect();
        assert_eq!(inside, ["a/b", "a", ""]);
    }
}
