//! The rules of the design and the style that no compiler checks. Each takes text and gives
//! findings; none reads a file.

use std::fmt;

use crate::layers::{self, Layer};
use crate::source::{CodePath, SourceFile, TokenKind};

const LINES_MAX: usize = 500;
const UNFINISHED: [&str; 3] = ["FIXME", "TODO", "XXX"];
const VAGUE_NAMES: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "imp"];
const PRINTING: [&str; 4] = ["print", "println", "eprint", "eprintln"];
const RUNTIMES: [&str; 3] = ["actix", "tokio", "tonic"];
const OUTSIDE_WORLD: [&str; 3] = ["fs", "net", "thread"];
/// The one file that makes a branch, outside the pure bank: what a branch is set to is said there.
const BANK_MAKER: &str = "src/run/bank.rs";
/// The one file with a test that `cargo test` leaves to `tests/interop/run`.
const RUN_WITH_CLIENTS: &str = "tests/docs/main.rs";
/// The one file in which `as` turns numbers into others.
const CONVERSIONS: &str = "src/model/number.rs";
const NUMBERS: [&str; 14] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64",
];
const ITEMS_WITH_BODIES: [&str; 6] = ["fn", "struct", "enum", "impl", "trait", "macro_rules"];

/// One line for whoever must mend it: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Finding {
    fn new(file: &SourceFile, line: usize, what: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, what: what.into() }
    }
}

/// Everything that can be said of one file by itself.
pub(crate) fn check_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = general(file);
    if let Some(below_src) = file.path.strip_prefix("src/") {
        findings.extend(in_src(file, below_src));
    }
    findings.sort();
    findings.dedup();
    findings
}

fn general(file: &SourceFile) -> Vec<Finding> {
    [
        opens_with_its_purpose,
        is_short_enough,
        is_finished,
        ignores_no_test,
        is_named_for_what_it_is,
        converts_numbers_in_one_place,
    ]
    .iter()
    .flat_map(|rule| rule(file))
    .collect()
}

fn in_src(file: &SourceFile, below_src: &str) -> Vec<Finding> {
    let top = below_src.split('/').next().unwrap_or(below_src).trim_end_matches(".rs");
    let Some(layer) = layers::find(top) else {
        let what = format!(
            "`{top}` is no layer of the design; move this into one of: {}",
            layers::names().join(", ")
        );
        return vec![Finding::new(file, 1, what)];
    };
    let mut findings = imports(file, layer);
    findings.extend(makes_no_branch(file, layer));
    if layer.pure {
        findings.extend(purity(file));
    }
    if !layer.prints {
        findings.extend(prints_nothing(file, layer));
    }
    if below_src == "lib.rs" || below_src.ends_with("/mod.rs") {
        findings.extend(declares_only(file));
    }
    findings
}

fn opens_with_its_purpose(file: &SourceFile) -> Vec<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let purpose = first.strip_prefix("//!").unwrap_or_default();
    if !purpose.trim().is_empty() {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "no `//!` at the start; say what the file is for")]
}

fn is_short_enough(file: &SourceFile) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if lines <= LINES_MAX {
        return Vec::new();
    }
    let what = format!("{lines} lines; split it by concept, {LINES_MAX} is the most");
    vec![Finding::new(file, lines, what)]
}

fn is_finished(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for comment in &file.comments {
        for (offset, line) in comment.text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            if let Some(word) = words.find(|word| UNFINISHED.contains(word)) {
                let what = format!("`{word}` in a comment; do it, or open an issue");
                findings.push(Finding::new(file, comment.line + offset, what));
            }
        }
    }
    findings
}

fn ignores_no_test(file: &SourceFile) -> Vec<Finding> {
    if file.path == RUN_WITH_CLIENTS {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut depth_of_attribute = 0_usize;
    for (index, token) in file.tokens.iter().enumerate() {
        let opens = token.is_mark('[');
        let attribute =
            index > 0 && matches!(file.tokens[index - 1].kind, TokenKind::Mark('#' | '!'));
        if opens && (attribute || depth_of_attribute > 0) {
            depth_of_attribute += 1;
        } else if token.is_mark(']') {
            depth_of_attribute = depth_of_attribute.saturating_sub(1);
        } else if depth_of_attribute > 0 && token.is_word("ignore") {
            let what = "an ignored test; make it pass, or remove it";
            findings.push(Finding::new(file, token.line, what));
        }
    }
    findings
}

fn is_named_for_what_it_is(file: &SourceFile) -> Vec<Finding> {
    let advice = "names no concept; name the module for what it is about";
    let in_path = file.path.split('/').map(|part| part.trim_end_matches(".rs"));
    let mut findings: Vec<Finding> = in_path
        .filter(|part| VAGUE_NAMES.contains(part))
        .map(|part| Finding::new(file, 1, format!("`{part}` {advice}")))
        .collect();
    for pair in file.tokens.windows(2) {
        if pair[0].is_word("mod")
            && let Some(name) = pair[1].word()
            && VAGUE_NAMES.contains(&name)
        {
            findings.push(Finding::new(file, pair[1].line, format!("`{name}` {advice}")));
        }
    }
    findings
}

fn declares_only(file: &SourceFile) -> Vec<Finding> {
    let words = file.tokens.iter().filter_map(|token| Some((token.line, token.word()?)));
    words
        .filter(|(_, word)| ITEMS_WITH_BODIES.contains(word))
        .map(|(line, word)| {
            let what = format!("`{word}` beside module declarations; give it a file of its own");
            Finding::new(file, line, what)
        })
        .collect()
}

fn prints_nothing(file: &SourceFile, layer: &Layer) -> Vec<Finding> {
    let pairs = file.tokens.windows(2);
    pairs
        .filter(|pair| pair[1].is_mark('!'))
        .filter_map(|pair| Some((pair[0].line, pair[0].word()?)))
        .filter(|(_, word)| PRINTING.contains(word))
        .map(|(line, word)| {
            let what = format!("`{word}!` in {}; only cli and report print", layer.name);
            Finding::new(file, line, what)
        })
        .collect()
}

fn converts_numbers_in_one_place(file: &SourceFile) -> Vec<Finding> {
    if file.path == CONVERSIONS {
        return Vec::new();
    }
    let pairs = file.tokens.windows(2).filter(|pair| pair[0].is_word("as"));
    let numbers = pairs.filter_map(|pair| Some((pair[0].line, pair[1].word()?)));
    numbers
        .filter(|(_, word)| NUMBERS.contains(word))
        .map(|(line, word)| {
            let what = format!("`as {word}` may lose something; see {CONVERSIONS}");
            Finding::new(file, line, what)
        })
        .collect()
}

fn makes_no_branch(file: &SourceFile, layer: &Layer) -> Vec<Finding> {
    if layer.name == "bank" || file.path == BANK_MAKER {
        return Vec::new();
    }
    // A test of the actors cannot have its branches from a layer above.
    let code = file.without_tests();
    let paths = code.paths_from(&["Branch"]).into_iter();
    paths
        .filter(|path| path.segments.get(1).is_some_and(|segment| segment == "new"))
        .map(|path| {
            let what = format!("makes a branch of its own; {BANK_MAKER} opens every bank");
            Finding::new(file, path.line, what)
        })
        .collect()
}

fn purity(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for token in &file.tokens {
        let Some(word) = token.word() else { continue };
        let root = word.split('_').next().unwrap_or(word);
        if RUNTIMES.contains(&root) {
            let what = format!("`{word}` in a pure layer; inputs in, effects out, actors outside");
            findings.push(Finding::new(file, token.line, what));
        }
    }
    for path in file.paths_from(&["std"]) {
        if let Some(module) = path.segments.get(1)
            && OUTSIDE_WORLD.contains(&module.as_str())
        {
            let what =
                format!("`std::{module}` in a pure layer; the caller hands in what it needs");
            findings.push(Finding::new(file, path.line, what));
        }
    }
    findings
}

fn imports(file: &SourceFile, layer: &Layer) -> Vec<Finding> {
    let roots: &[&str] =
        if layer.name == "main" { &["passbook"] } else { &["crate", "self", "super"] };
    let mut findings = Vec::new();
    for path in file.paths_from(roots) {
        let target = match from_crate_root(&module_of(&file.path), &path) {
            Root::Elsewhere => continue,
            Root::Whole => {
                let what = "a path to the whole crate; name the module that is meant";
                findings.push(Finding::new(file, path.line, what));
                continue;
            }
            Root::Module(target) => target,
        };
        if target != layer.name && !layer.may_import.contains(&target.as_str()) {
            let allowed = match layer.may_import {
                [] => "nothing".to_owned(),
                some => some.join(", "),
            };
            let what =
                format!("{} imports {target}; it may import {allowed}: see Layers", layer.name);
            findings.push(Finding::new(file, path.line, what));
        }
    }
    findings
}

/// Where a path leads, seen from the crate's root.
#[derive(Debug, PartialEq, Eq)]
enum Root {
    /// Not through the root at all.
    Elsewhere,
    /// To everything in it.
    Whole,
    /// To one module.
    Module(String),
}

fn from_crate_root(module: &[String], path: &CodePath) -> Root {
    let mut place: Vec<String> = module.iter().chain(&path.inside).cloned().collect();
    let mut segments = path.segments.iter().peekable();
    while let Some(segment) = segments.next_if(|s| is_relative(s)) {
        match segment.as_str() {
            "crate" | "passbook" => place.clear(),
            "super" => {
                place.pop();
            }
            _ => {}
        }
    }
    match segments.next().map(String::as_str) {
        // A bare word: `pub(crate)`, `pub(super)`, `&self`.
        None if path.segments.len() == 1 => Root::Elsewhere,
        Some(_) if !place.is_empty() => Root::Elsewhere,
        None if !place.is_empty() => Root::Elsewhere,
        None | Some("*") => Root::Whole,
        Some(name) => Root::Module(name.to_owned()),
    }
}

fn is_relative(segment: &str) -> bool {
    ["crate", "passbook", "self", "super"].contains(&segment)
}

/// `src/bank/branch.rs` is the module `bank::branch`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let parts = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
    parts.filter(|part| !["mod", "lib", "main"].contains(part)).map(str::to_owned).collect()
}

/// The names in `inputs` that no test names. `x.expected.json` goes with `x.json`.
pub(crate) fn unused_inputs(inputs: &[String], tests: &[SourceFile]) -> Vec<String> {
    let is_named = |stem: &str| {
        ["\"", "/"].iter().any(|before| {
            ["\"", ".json", ".expected.json"].iter().any(|after| {
                tests.iter().any(|test| test.text.contains(&format!("{before}{stem}{after}")))
            })
        })
    };
    let unused = inputs.iter().filter(|input| {
        let name = input.rsplit('/').next().unwrap_or(input);
        let stem = name.strip_suffix(".json").unwrap_or(name);
        !is_named(stem.strip_suffix(".expected").unwrap_or(stem))
    });
    unused
        .map(|input| format!("{input}:1: no test names it; use it in one, or remove it"))
        .collect()
}
